#!/usr/bin/env python3
"""The control process against a real API server without nodes: what is applied, refused, deleted while it is away; an API
server that goes away and comes back. Pods stay pending: what they do is e2e.py's.

    api.py EBB [TEST…]

Ends in `N passed, N failed`, or says why it was skipped (exit 77).
"""
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support" / "cluster"))
import cluster as clusters  # noqa: E402  pylint: disable=wrong-import-position

TOPIC = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {{name: {0}}}
spec: {{schema: id BIGINT}}
"""
STREAM = """apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {{name: {0}}}
spec:
  sources: [{{name: s, schema: id BIGINT, topic: {{name: {1}}}}}]
  operators: [{{name: q, sql: "{2}"}}]
  sinks: [{{discard: {{}}}}]
"""
GOOD = "SELECT id FROM s"
OWN = "ebb-system"


def wait_for(condition, seconds=20, what=""):
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"not within {seconds} s: {what or condition}"
        time.sleep(0.05)
    return value


class Control:
    """`ebb up` beside the cluster."""

    def __init__(self, cluster, ebb, folder, *more, own=OWN):
        self.own = own
        self.cluster, self.ebb, self.folder, self.more = cluster, ebb, folder, more
        self.kubeconfig = cluster.kubeconfig
        self.process, self.port = None, 0

    def start(self, links=None):
        """`links`: where workers of an earlier one look for it."""
        with socket.socket() as a, socket.socket() as b:
            a.bind(("127.0.0.1", 0))
            b.bind(("127.0.0.1", 0))
            self.port = a.getsockname()[1]
            links = links or f"127.0.0.1:{b.getsockname()[1]}"
        self.log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [self.ebb, "up", "--backend", "kubernetes", "--data", self.folder / "data", "--listen", f"127.0.0.1:{self.port}",
             "--kubeconfig", self.kubeconfig, "--own-namespace", self.own, "--worker-image", "ebb:none",
             "--links-listen", links, "--links-address", links, *self.more],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        wait_for(self.is_ready, 30, "control is ready")

    def is_ready(self):
        assert self.process.poll() is None, (self.folder / "log").read_text()[-2000:]
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()

    def ask(self, method, target, body=None):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{target}", data=body, method=method,
                                         headers={"Content-Type": "application/yaml"})
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as problem:
            return problem.code, json.loads(problem.read())

    def streams(self):
        return {x["metadata"]["name"]: x["metadata"]["uid"] for x in self.ask("GET", "/v1/streams")[1]["items"]}

    def status(self, kind, name):
        found = self.cluster.kubectl("get", kind, name, "-o", "json", check=False)
        return json.loads(found.stdout).get("status", {}) if found.returncode == 0 else {}

    def ready(self, kind, name):
        for x in self.status(kind, name).get("conditions", []):
            if x["type"] == "Ready":
                return x
        return {"status": "Unknown", "reason": "", "message": ""}

    def uid(self, name):
        return self.cluster.get("stream", name)["metadata"]["uid"].replace("-", "")


def test_what_a_schema_cannot_see(c):
    """Refused within two seconds, with its field; made right, it is taken. A topic that comes later heals its streams."""
    c.cluster.apply(STREAM.format("early", "later", GOOD))
    wait_for(lambda: c.ready("stream", "early")["reason"] == "InvalidSpec", 5)
    assert "spec.sources[0]" in c.ready("stream", "early")["message"]
    c.cluster.apply(TOPIC.format("later"))
    wait_for(lambda: c.ready("stream", "early")["status"] == "True", 5, "the stream is taken")
    wait_for(lambda: c.ready("topic", "later")["status"] == "True", 5)
    c.cluster.apply(STREAM.format("early", "later", "SELECT nothing FROM s"))
    wait_for(lambda: c.ready("stream", "early")["reason"] == "InvalidSpec", 5)
    said = c.ready("stream", "early")["message"]
    assert "spec.operators[0].sql" in said and "nothing" in said, said
    assert "early" in c.streams()  # as it was applied before
    c.cluster.apply(STREAM.format("early", "later", GOOD))
    wait_for(lambda: c.ready("stream", "early")["status"] == "True", 5)
    assert c.streams()["early"] == c.uid("early")
    events = c.cluster.get("events")["items"]
    assert any(x["reason"] == "InvalidSpec" and x["involvedObject"]["name"] == "early" for x in events)


def test_deletion_in_any_order(c):
    """A topic that is used goes when its last stream has gone."""
    c.cluster.apply(TOPIC.format("used") + "---\n" + STREAM.format("user", "used", GOOD))
    wait_for(lambda: c.ready("stream", "user")["status"] == "True")
    c.cluster.kubectl("delete", "topic", "used")
    time.sleep(1)
    assert c.ask("GET", "/v1/topics/used")[0] == 200
    c.cluster.kubectl("delete", "stream", "user")
    wait_for(lambda: c.ask("GET", "/v1/topics/used")[0] == 404, what="the topic has gone")
    assert "user" not in c.streams()


def test_deleted_and_made_again_while_control_was_away(c):
    """Another uid is another stream; what was deleted meanwhile goes; another control has a higher number."""
    c.cluster.apply(TOPIC.format("t") + "".join("---\n" + STREAM.format(x, "t", GOOD) for x in ("kept", "gone", "again")))
    for name in ("kept", "gone", "again"):
        wait_for(lambda name=name: c.ready("stream", name)["status"] == "True")
    before = c.streams()
    number = c.cluster.get("lease", "ebb-control", "-n", OWN)["spec"]["leaseTransitions"]
    c.kill()
    c.cluster.kubectl("delete", "stream", "gone", "again")
    c.cluster.apply(STREAM.format("again", "t", GOOD))
    c.start()
    wait_for(lambda: c.streams().get("again") == c.uid("again"), what="the new one is there")
    wait_for(lambda: "gone" not in c.streams(), what="the old one has gone")
    now = c.streams()
    assert now["kept"] == before["kept"] and now["again"] != before["again"], (before, now)
    assert c.cluster.get("lease", "ebb-control", "-n", OWN)["spec"]["leaseTransitions"] == number + 1


def test_the_interface_changes_nothing(c):
    """Streams and topics are the cluster's."""
    status, problem = c.ask("POST", "/v1/apply", TOPIC.format("other").encode())
    assert status == 409 and "Kubernetes" in problem["detail"] and "kubectl" in problem["hint"], problem
    assert c.ask("DELETE", "/v1/topics/t")[0] == 409


def test_pods_are_made_and_not_doubled(c):
    """One pod for each stream that wants to run, with its labels; control that is killed makes no second one for good."""
    def pods():
        return [x for x in c.cluster.get("pods", "-n", OWN)["items"] if x["metadata"]["labels"].get("ebb.dev/stream") == "kept"]

    wait_for(pods, 60, "a pod for kept")
    assert len(pods()) == 1
    c.cluster.kubectl("delete", "stream", "kept")
    wait_for(lambda: not pods(), 30, "no pod for kept")


def test_two_installations(c):
    """Each object is looked after by one of them, which its status names; the other one says that it is left out."""
    c.cluster.kubectl("create", "namespace", "ebb-other")
    c.cluster.kubectl("create", "serviceaccount", "default", "-n", "ebb-other")
    folder = c.folder / "other"
    folder.mkdir()
    other = Control(c.cluster, c.ebb, folder, own="ebb-other")
    other.start()
    try:
        c.cluster.apply(TOPIC.format("shared"))
        wait_for(lambda: c.ready("topic", "shared")["status"] == "True")
        names = [f"both-{i}" for i in range(8)]
        c.cluster.apply("---\n".join(STREAM.format(x, "shared", GOOD) for x in names))
        owner = c.status("topic", "shared")["installation"]
        assert owner in (OWN, "ebb-other"), owner
        time.sleep(3)
        mine, others = set(c.streams()) & set(names), set(other.streams()) & set(names)
        assert not mine & others, (mine, others)
        for name in names:
            said = c.status("stream", name)["installation"]
            assert (name in mine) == (said == OWN) or not mine, (name, said)
        events = [x for x in c.cluster.get("events")["items"] if x["reason"] == "OtherInstallation"]
        assert events, "nobody says that it is left out"
    finally:
        other.kill()
        c.cluster.kubectl("delete", "streams", *names)
    # What the first one has had all the time is still its own.
    assert "again" in c.streams()


def test_an_api_server_that_goes_away(c):
    """What changed meanwhile is seen when it is back."""
    c.cluster.processes.stop("apiserver")
    time.sleep(3)
    assert c.is_ready()
    c.cluster.start_api_server()
    c.cluster.apply(STREAM.format("behind", "t", GOOD))
    wait_for(lambda: c.ready("stream", "behind")["status"] == "True", 90, "a stream that came afterwards")
    c.cluster.kubectl("delete", "stream", "behind")
    wait_for(lambda: "behind" not in c.streams(), 60)


def prepare(cluster):
    """The kinds, and a namespace for control."""
    cluster.kubectl("apply", "-f", HERE.parents[1] / "deployments" / "crds")
    cluster.kubectl("create", "namespace", OWN)
    # No controllers run that would make it.
    cluster.kubectl("create", "serviceaccount", "default", "-n", OWN)
    cluster.kubectl("wait", "--for=condition=Established", "crd/streams.ebb.dev", "crd/topics.ebb.dev")


def main():
    ebb, wanted = pathlib.Path(sys.argv[1]).resolve(), sys.argv[2:]
    why = clusters.why_not("api")
    if why:
        print(f"skipped: {why}")
        return 77
    tests = [x for name, x in globals().items() if name.startswith("test_") and (not wanted or name in wanted)]
    failed = 0
    with clusters.Cluster(level="api") as cluster, tempfile.TemporaryDirectory(prefix="ebb-api-") as folder:
        prepare(cluster)
        control = Control(cluster, ebb, pathlib.Path(folder))
        control.start()
        for test in tests:
            begun = time.monotonic()
            try:
                test(control)
                print(f"ok {test.__name__} ({time.monotonic() - begun:.1f} s)", flush=True)
            except Exception:  # pylint: disable=broad-except
                failed += 1
                traceback.print_exc()
                print((pathlib.Path(folder) / "log").read_text()[-3000:])
                print(f"FAILED {test.__name__}", flush=True)
        control.kill()
    print(f"{len(tests) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
