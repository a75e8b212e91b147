"""Streams that pass on numbered rows: what was lost, doubled or put out of order shows at once."""
import collections
import threading
import time

from installation import NAMESPACE, wait_for

COUNTS = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {{name: {name}-in}}
spec: {{schema: "at TIMESTAMP, id BIGINT"}}
---
apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {{name: {name}-out}}
spec: {{schema: "id BIGINT"}}
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {{name: {name}}}
spec:
  sleep: {{idleAfter: 1s}}
  checkpoint: {{interval: 200ms}}
  sources: [{{name: s, schema: "id BIGINT", topic: {{name: {name}-in}}}}]
  sinks: [{{topic: {{name: {name}-out}}}}]
"""
ACCOUNT = f"system:serviceaccount:{NAMESPACE}:ebb"


def counts(name, pod=""):
    """The manifest; `pod` is spec.pod in YAML's flow style."""
    text = COUNTS.format(name=name)
    return text.replace("  sleep:", f"  pod: {pod}\n  sleep:") if pod else text


def apply_counts(ebb, name, pod=""):
    ebb.cluster.apply(counts(name, pod))
    ebb.cluster.kubectl("wait", "--for=condition=Ready", f"stream/{name}", f"topic/{name}-in", "--timeout=30s")


def remove_counts(ebb, name):
    ebb.cluster.kubectl("delete", "stream", name)
    ebb.cluster.kubectl("delete", "topic", f"{name}-in", f"{name}-out")


def ids(ebb, name):
    return [x["id"] for x in ebb.messages(f"{name}-out")]


def send_ids(ebb, name, first, count, seconds=90):
    ebb.send(f"{name}-in", [{"id": x} for x in range(first, first + count)], "p", first, seconds)


def calls(ebb):
    """Control's calls by object, at the API server."""
    found = collections.Counter()
    for x in ebb.cluster.requests():
        at = x.get("objectRef", {})
        if x["user"]["username"] == ACCOUNT and at.get("resource") != "events":
            found[x["verb"], at.get("resource"), at.get("namespace"), at.get("name")] += 1
    return found


class Calm:
    """No hot loop: less than one call a second about any object while it lasts."""

    def __init__(self, ebb):
        self.ebb = ebb

    def __enter__(self):
        self.before, self.begun = calls(self.ebb), time.monotonic()

    def __exit__(self, kind, *_):
        if kind is not None:
            return
        seconds = time.monotonic() - self.begun
        made = calls(self.ebb) - self.before
        # A few at once are no loop.
        loops = {what: count for what, count in made.items() if count > 5 + seconds}
        assert not loops, (seconds, loops)


def under_faults(ebb, name, fault, count=24, size=40, pod="", after=60):
    """Messages go in while faults happen: each comes out once, in order, and nothing is done in a hot loop."""
    apply_counts(ebb, name, pod)
    sent = threading.Event()
    problems = []

    def send():
        try:
            for i in range(count):
                send_ids(ebb, name, i * size, size)
                time.sleep(0.25)
        except Exception as error:  # pylint: disable=broad-except
            problems.append(error)
        finally:
            sent.set()

    # The faults are this thread's: processes that a thread has started end with it.
    thread = threading.Thread(target=send)
    with Calm(ebb):
        thread.start()
        try:
            while not sent.is_set() or getattr(fault, "left", None):
                fault(sent)
        finally:
            thread.join()
        assert not problems, problems
        check_rows(ebb, name, count * size, after)
    remove_counts(ebb, name)


def check_rows(ebb, name, count, seconds=60):
    """None lost, doubled, or out of order."""
    wait_for(lambda: ebb.is_served() and len(ids(ebb, name)) >= count, seconds, f"all {count} rows")
    time.sleep(1)
    got = ids(ebb, name)
    assert sorted(got) == list(range(count)), f"lost or doubled: {collections.Counter(got).most_common(3)}, {len(got)}"
    assert got == sorted(got), "out of order"


def once(*steps):
    """A fault that happens once: each step, a second apart, then nothing more; `left`: what has not happened."""
    left = list(steps)

    def fault(stopped):
        if not left:
            stopped.wait()
            return
        time.sleep(1)
        left.pop(0)()

    fault.left = left
    return fault
