#!/usr/bin/env python3
"""Many streams, all asleep: what control takes, how often it asks the API server, how soon it knows all after a restart.

    scale.py EBB [STREAMS]

An API server without nodes; pods run as processes. Ends in `N passed, N failed`, or says why it was skipped (exit 77).
"""
import collections
import json
import os
import pathlib
import sys
import tempfile
import time
import traceback

import yaml

from api import OWN, STREAM, TOPIC, Control, clusters, prepare, wait_for
from process_kubelet import ProcessKubelet
from api_client import ApiClient

STREAMS = "/apis/ebb.dev/v1alpha1/namespaces/default/streams"
REST = 60  # seconds that are looked at
AT_ONCE = 24  # pods


def rss_of(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(next(x.split()[1] for x in text.splitlines() if x.startswith("VmRSS"))) / 1024


def cpu_of(pid):
    words = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def name_of(i):
    return f"many-{i:04}"


def make(api, control, count):
    """All of them, each put to sleep when it has run for the first time."""
    text = STREAM.format("x", "t", "SELECT id FROM s")
    stream = yaml.safe_load(text)
    for i in range(count):
        made = api.call("POST", STREAMS, {**stream, "metadata": {"name": name_of(i)}})
        assert made.get("kind") == "Stream", made
    wait_for(lambda: len(all_streams(control)) == count, 120, "control has all")
    asked = set()
    end = time.monotonic() + 60 + count
    while True:
        phases = collections.Counter()
        for x in all_streams(control):
            phase, name = x["status"]["phase"], x["metadata"]["name"]
            phases[phase] += 1
            if phase == "Running" and name not in asked:
                control.ask("POST", f"/v1/streams/{name}:sleep")
                asked.add(name)
        if phases["Asleep"] == count:
            return
        assert time.monotonic() < end, phases
        time.sleep(0.3)


def all_streams(control):
    items, target = [], "/v1/streams?limit=1000"
    while target:
        page = control.ask("GET", target)[1]
        items += page["items"]
        target = f"/v1/streams?limit=1000&after={page['next']}" if page.get("next") else None
    return items


def at_rest(cluster, control, seconds=REST):
    """Calls a minute at the API server (all that do not come from the test), CPU as a share of one core, MB."""
    def calls():
        return len([x for x in cluster.requests() if x.get("userAgent") == "ebb"])

    before, cpu = calls(), cpu_of(control.process.pid)
    time.sleep(seconds)
    return {"calls_a_minute": (calls() - before) * 60 / seconds,
            "cpu_percent": (cpu_of(control.process.pid) - cpu) * 100 / seconds, "megabytes": rss_of(control.process.pid)}


def reconcile_after_restart(api, control, count):
    """Until a control that was killed is ready, and knows what has changed meanwhile and has told it, s; how many objects it has
    written for that: what has not changed is not written anew."""
    control.kill()
    asked = len(control.cluster.requests())
    api.call("DELETE", f"{STREAMS}/{name_of(0)}")
    changed = api.call("PATCH", f"{STREAMS}/{name_of(1)}", {"spec": {"sleep": {"idleAfter": "7s"}}}, "application/merge-patch+json")
    begun = time.monotonic()
    control.start()
    ready = time.monotonic() - begun

    def known():
        status = api.call("GET", f"{STREAMS}/{name_of(1)}").get("status", {})
        return status.get("observedGeneration") == changed["metadata"]["generation"] and len(all_streams(control)) == count - 1

    wait_for(known, 60, "what has changed is known")
    took = time.monotonic() - begun
    time.sleep(3)
    writes = [x for x in control.cluster.requests()[asked:] if x.get("userAgent") == "ebb" and x["verb"] == "patch"]
    return ready, took, len(writes)


def measure(ebb, count):
    """Figures, as a dictionary."""
    figures = {"streams": count}
    # Level `api` has an audit policy that leaves administrators out; control is one here, so it is told apart by its name.
    with clusters.Cluster(level="api", audit_all=True) as cluster, tempfile.TemporaryDirectory(prefix="ebb-scale-") as folder:
        prepare(cluster)
        control = Control(cluster, ebb, pathlib.Path(folder), "--max-workers", str(AT_ONCE))
        control.start()
        try:
            api = ApiClient(cluster)
            figures["megabytes_empty"] = rss_of(control.process.pid)
            cluster.apply(TOPIC.format("t"))
            wait_for(lambda: control.ready("topic", "t")["status"] == "True")
            with ProcessKubelet(cluster, OWN, ebb) as kubelet:
                begun = time.monotonic()
                make(api, control, count)
                figures["made_in"] = time.monotonic() - begun
                figures["pods"] = kubelet.started
                wait_for(lambda: api.call("GET", f"/api/v1/namespaces/{OWN}/pods").get("items") == [], 60, "no pod is left")
                wait_for(lambda: all_told(api), 120, "the cluster is told that all are asleep")
                time.sleep(5)
                figures.update(at_rest(cluster, control))
                figures["ready"], figures["reconciled"], figures["written_after_restart"] = reconcile_after_restart(api, control, count)
                wait_for(lambda: all_told(api), 120, "all are asleep again")
                figures["pods_after_restart"] = kubelet.started - figures["pods"]
        except BaseException:
            print((pathlib.Path(folder) / "log").read_text()[-3000:])
            raise
        finally:
            control.kill()
    return figures


def all_told(api):
    phases = {x.get("status", {}).get("phase") for x in api.call("GET", STREAMS).get("items", [{}])}
    return phases == {"Asleep"}


def main():
    why = clusters.why_not("api")
    if why:
        print(f"skipped: {why}")
        return 77
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    try:
        figures = measure(pathlib.Path(sys.argv[1]).resolve(), count)
        print(json.dumps({key: round(value, 2) for key, value in figures.items()}))
        assert figures["calls_a_minute"] <= 5, "too many calls"
        assert figures["reconciled"] <= 10, "too slow"
        assert figures["written_after_restart"] <= 10, "unchanged statuses were written anew"
        assert figures["pods_after_restart"] <= 1, "streams were woken by the restart"
        assert figures["megabytes"] <= 40, "too much memory"
    except Exception:  # pylint: disable=broad-except
        traceback.print_exc()
        print("0 passed, 1 failed")
        return 1
    print("1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
