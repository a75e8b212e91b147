#!/usr/bin/env python3
"""Streams on a real cluster: kubectl in, messages through the Service, right results, nothing left at rest.

    e2e.py EBB [--share] [TEST…]

One cluster for all tests, in their order; --share leaves out the long ones. Ends in `N passed, N failed`, or says why it was
skipped (exit 77).
"""
import collections
import datetime
import hashlib
import json
import os
import pathlib
import random
import re
import signal
import sys
import tempfile
import time
import traceback

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
import e2e as flights  # noqa: E402  pylint: disable=wrong-import-position
from service_examples import check_delays, hourly_delays  # noqa: E402  pylint: disable=wrong-import-position

import bad_days
import faults
from counting import COUNTS, apply_counts, ids, remove_counts, send_ids
from installation import NAMESPACE, Installation, clusters, wait_for
from warm_wakes import COPIES, claim_copies, set_warm

EXAMPLE = ROOT / "deployments" / "examples" / "flights-service" / "service.yaml"


def messages_of(records):
    for x in records:
        delay = x["dep_delay"]
        yield {"time_hour": x["time_hour"].rstrip("Z").replace(" ", "T"), "carrier": x["carrier"], "origin": x["origin"],
               "dest": x["dest"], "dep_delay": None if delay in ("NA", None) else float(delay)}


def batches(rows, size):
    for first in range(0, len(rows), size):
        yield first, rows[first:first + size]


def last_message(records):
    """Two days after the newest, so that every window before is over; its own never is."""
    newest = datetime.datetime.fromisoformat(max(x["time_hour"] for x in records).rstrip("Z"))
    return {"time_hour": (newest + datetime.timedelta(days=2)).isoformat(), "carrier": "ZZ", "dep_delay": 0}


def test_flights(ebb):
    """kubectl apply, messages through the Service, right results, zero pods after idleAfter."""
    records = flights.flights()
    ebb.cluster.kubectl("apply", "-f", EXAMPLE)
    ebb.cluster.kubectl("wait", "--for=condition=Ready", "stream/delays", "topic/flights", "--timeout=60s")
    rows = list(messages_of(records)) + [last_message(records)]
    for first, batch in batches(rows, 5000):
        ebb.send("flights", batch, "january", first)
    for first, batch in batches(rows, 5000):
        ebb.send("flights", batch, "january", first)  # doubles nothing
    wanted = hourly_delays(list(messages_of(records)))
    wait_for(lambda: len(ebb.messages("hourly")) >= len(wanted), 120, "all windows")
    check_delays(ebb.messages("hourly"), wanted)
    ebb.wait_phase("delays", "Asleep")
    wait_for(lambda: not ebb.worker_pods(), 30, "no worker's pod")
    assert ebb.processes("worker") == [], "a worker runs"
    assert len(ebb.processes("up")) == 1, "not one control"
    assert ebb.condition("delays", "Asleep")["status"] == "True"
    assert ebb.condition("delays", "Ready")["status"] == "True"
    shown = ebb.cluster.kubectl("get", "streams").stdout
    assert "delays" in shown and "Asleep" in shown, shown
    reasons = {x["reason"] for x in ebb.cluster.get("events")["items"] if x["involvedObject"]["kind"] == "Stream"}
    assert {"Woke", "FellAsleep"} <= reasons, reasons


def test_shown(ebb):
    """What a person sees: columns, explanations, waiting."""
    head = ebb.cluster.kubectl("get", "streams").stdout.splitlines()[0]
    assert head.split("  ")[0] == "NAME", head
    for column in ("PHASE", "WHY", "ROWS/S", "LAG", "LAST WAKE", "AGE"):
        assert column in head, head
    status = ebb.status("delays")
    assert status["lag"] == 0 and status["rowsPerSecond"] == 0 and status["lastWake"], status
    assert status["installation"] == NAMESPACE, status
    said = ebb.cluster.kubectl("explain", "stream.spec.sleep").stdout
    for words in ("When the stream goes to sleep", "idleAfter", "Without rows for so long the stream goes to sleep"):
        assert words in said, said
    assert "pod/" not in ebb.cluster.kubectl("wait", "--for=condition=Ready", "stream/delays", "--timeout=5s").stdout


def test_wake(ebb):
    """One message wakes it, and its window has what came before the sleep: state is kept."""
    assert ebb.status("delays")["phase"] == "Asleep"
    before = ebb.messages("hourly")
    newest = last_message(flights.flights())
    later = datetime.datetime.fromisoformat(newest["time_hour"]) + datetime.timedelta(days=2)
    begun = time.monotonic()
    ebb.send("flights", [{**newest, "time_hour": later.isoformat()}], "february", 0)
    wait_for(lambda: len(ebb.messages("hourly")) > len(before), 60, "a result")
    print(f"  message to first result with a new pod: {time.monotonic() - begun:.2f} s")
    got = ebb.messages("hourly")
    assert got[:len(before)] == before and len(got) == len(before) + 1, got[len(before):]
    assert (got[-1]["carrier"], got[-1]["flights"], got[-1]["mean_delay"]) == ("ZZ", 1, 0), got[-1]
    assert ebb.status("delays")["phase"] in ("Running", "Waking")


def apply_windows(ebb, name):
    """A stream that counts rows by the hour."""
    ebb.cluster.apply(COUNTS.format(name=name).replace(
        "  sinks:", "  operators: [{name: q, sql: \"SELECT window_start, count(*) AS id FROM tumble(s, at, "
        "INTERVAL '1 hour') GROUP BY window_start\"}]\n  sinks:").replace(
            f'"id BIGINT", topic: {{name: {name}-in}}',
            f'"at TIMESTAMP, id BIGINT", eventTime: {{column: at}}, topic: {{name: {name}-in}}')
        .replace('spec: {schema: "id BIGINT"}', 'spec: {schema: "window_start TIMESTAMP, id BIGINT"}'))
    ebb.cluster.kubectl("wait", "--for=condition=Ready", f"stream/{name}", "--timeout=30s")


def long_test_20_sleeps(ebb):
    """One message wakes the stream, its result counts what came before the sleep, 20 times."""
    name, count = "wakes", 21
    apply_windows(ebb, name)
    took = []
    for i in range(count):
        begun = time.monotonic()
        # One row of each window comes before each sleep: the window's state is made by all of them.
        ebb.send(f"{name}-in", [{"at": f"2024-01-01T{i:02}:00:00", "id": i}, {"at": f"2024-01-01T{i:02}:30:00", "id": i}], "p", 2 * i)
        if i:
            wait_for(lambda: len(ebb.messages(f"{name}-out")) == i, 30, f"window {i}")
            took.append(time.monotonic() - begun)
        # A person may end the run sooner than it would end by itself.
        wait_for(lambda: ebb.ask("POST", f"/v1/streams/{name}:sleep").status in (200, 202), 30, "sleep asked for")
        ebb.wait_phase(name, "Asleep")
        wait_for(lambda: not ebb.worker_pods(name), 30, "no worker's pod")
    got = ebb.messages(f"{name}-out")
    assert [x["id"] for x in got] == [2] * (count - 1), got
    took.sort()
    print(f"  message to first result with a new pod: median {took[len(took) // 2]:.2f} s, longest {took[-1]:.2f} s of {len(took)}")
    remove_counts(ebb, name)


def long_test_spread(ebb):
    """A stream over two workers: two pods that speak to each other; right windows while either is killed."""
    name = "spread"
    ebb.cluster.apply(COUNTS.format(name=name).replace("  sleep:", "  workers: 2\n  parallelism: 2\n  sleep:").replace(
        "  sinks:", "  operators: [{name: q, sql: \"SELECT id, count(*) AS n FROM tumble(s, at, INTERVAL '1 hour') "
        "GROUP BY window_start, window_end, id\"}]\n  sinks:").replace(
            f'"id BIGINT", topic: {{name: {name}-in}}', f'"at TIMESTAMP, id BIGINT", eventTime: {{column: at}}, topic: {{name: {name}-in}}')
        .replace('spec: {schema: "id BIGINT"}', 'spec: {schema: "id BIGINT, n BIGINT"}'))
    ebb.cluster.kubectl("wait", "--for=condition=Ready", f"stream/{name}", "--timeout=30s")
    for hour in range(10):
        ebb.send(f"{name}-in", [{"at": f"2024-01-01T{hour:02}:00:00", "id": i % 50} for i in range(100)], "p", hour * 100)
        if hour == 3:
            wait_for(lambda: len([x for x in ebb.worker_pods(name) if x["status"]["phase"] == "Running"]) == 2, 60, "two pods")
        if hour in (4, 7):
            os.kill(random.choice(wait_for(lambda: ebb.processes("worker"), 30, "a worker")), signal.SIGKILL)
        time.sleep(0.5)
    wait_for(lambda: len(ebb.messages(f"{name}-out")) >= 9 * 50, 90, "all windows")
    got = collections.Counter((x["id"], x["n"]) for x in ebb.messages(f"{name}-out"))
    assert got == {(i, 2): 9 for i in range(50)}, got
    remove_counts(ebb, name)


def test_invalid_spec(ebb):
    """What a schema cannot see: said within 2 s, with field; made right, it runs. Others go on."""
    wrong = COUNTS.format(name="wrong").replace("  sinks:", "  operators: [{name: q, sql: SELECT nothing FROM s}]\n  sinks:")
    ebb.cluster.apply(wrong)
    begun = time.monotonic()
    wait_for(lambda: ebb.condition("wrong", "Ready")["reason"] == "InvalidSpec", 10, "InvalidSpec")
    took = time.monotonic() - begun
    assert took < 4, f"{took} s"  # kubectl's own time is in it
    found = ebb.condition("wrong", "Ready")
    assert found["status"] == "False" and "spec.operators[0].sql" in found["message"] and "nothing" in found["message"], found
    assert ebb.worker_pods("wrong") == []
    ebb.cluster.apply(wrong.replace("SELECT nothing", "SELECT id"))
    ebb.cluster.kubectl("wait", "--for=condition=Ready", "stream/wrong", "--timeout=30s")
    send_ids(ebb, "wrong", 0, 3)
    wait_for(lambda: ids(ebb, "wrong") == [0, 1, 2], 60, "rows")
    remove_counts(ebb, "wrong")


def test_port_forward(ebb):
    """Messages and the commands of ebb by way of `kubectl port-forward`, as docs/kubernetes.md has it."""
    apply_counts(ebb, "forwarded")
    port = clusters.free_port()
    pid = ebb.cluster.processes.start("forward", ebb.cluster.programs / "kubectl", "port-forward", "-n", NAMESPACE, "service/ebb",
                                      f"{port}:8181", environment={"KUBECONFIG": str(ebb.cluster.kubeconfig)})
    assert pid
    address, ebb.address = ebb.address, ("127.0.0.1", port)
    try:
        send_ids(ebb, "forwarded", 0, 3)
        wait_for(lambda: ids(ebb, "forwarded") == [0, 1, 2], 60, "rows")
        where = {**os.environ, "EBB_SERVER": f"https://localhost:{port}", "EBB_TOKEN": ebb.token}
        unknown = flights.ebb("get", "streams", env=where)
        assert unknown.returncode == 2, unknown
        pin = re.search(r"--pin\s+([0-9a-fA-F:]{64,})", unknown.stderr)[1]
        shown = flights.ebb("get", "streams", "--pin", pin, env=where)
        assert shown.returncode == 0 and "forwarded" in shown.stdout, shown
        why = flights.ebb("why", "forwarded", "--pin", pin, env=where)
        assert why.returncode == 0, why
    finally:
        ebb.address = address
        ebb.cluster.processes.stop("forward")
    remove_counts(ebb, "forwarded")


def test_rights(ebb):
    """Control's calls are those that its roles allow, and none was refused."""
    name = "system:serviceaccount:ebb:ebb"
    calls = [x for x in ebb.cluster.requests() if x["user"]["username"] == name and "objectRef" in x]
    refused = [(x["verb"], x["objectRef"].get("resource")) for x in calls if x.get("responseStatus", {}).get("code") in (401, 403)
               and not ebb.barred[0] <= x["requestReceivedTimestamp"] <= ebb.barred[1]
               and "exceeded quota" not in x["responseStatus"].get("message", "")]
    assert not refused, refused
    used = collections.defaultdict(set)
    for call in calls:
        at = call["objectRef"]
        used["/".join(x for x in (at["resource"], at.get("subresource")) if x)].add(call["verb"])
    allowed = collections.defaultdict(set)
    for kind, role in (("clusterrole", ("ebb-control",)), ("role", ("ebb-control", "-n", NAMESPACE))):
        for rule in ebb.cluster.get(kind, *role)["rules"]:
            for resource in rule["resources"]:
                allowed[resource].update(rule["verbs"])
    for resource, verbs in used.items():
        assert verbs <= allowed[resource], (resource, verbs - allowed[resource])
    unused = {resource: verbs - used[resource] for resource, verbs in allowed.items() if verbs - used[resource]}
    # One object is read where a list has not shown it, a lease is updated by a second control.
    assert all(verbs <= {"get", "update"} for verbs in unused.values()), unused


def test_workers_pods(ebb):
    """Restricted, without a token of the API server, on no volume but its own and its certificate: on any node."""
    apply_counts(ebb, "looked-at")
    send_ids(ebb, "looked-at", 0, 1)
    pods = wait_for(lambda: ebb.worker_pods("looked-at"), 30, "a worker's pod")
    spec = pods[0]["spec"]
    container = spec["containers"][0]
    assert spec["automountServiceAccountToken"] is False and spec["restartPolicy"] == "Never"
    assert container["securityContext"]["readOnlyRootFilesystem"] and spec["securityContext"]["runAsNonRoot"]
    kinds = sorted(kind for x in spec["volumes"] for kind in x if kind != "name")
    assert kinds == ["emptyDir", "emptyDir", "secret"], spec["volumes"]
    assert "affinity" not in spec, spec["affinity"]
    # The certificate goes with its pod, and control cannot read it.
    secret = ebb.cluster.get("secret", pods[0]["metadata"]["name"], "-n", NAMESPACE)
    assert [x["uid"] for x in secret["metadata"]["ownerReferences"]] == [pods[0]["metadata"]["uid"]], secret["metadata"]
    assert pods[0]["metadata"]["labels"]["ebb.dev/stream-namespace"] == "default"
    wait_for(lambda: ids(ebb, "looked-at") == [0], 60, "rows")
    remove_counts(ebb, "looked-at")


def test_rest(ebb):
    """Everything asleep: few calls, little memory."""
    wait_for(lambda: not ebb.worker_pods(), 120, "no worker's pod")
    time.sleep(3)
    name = "system:serviceaccount:ebb:ebb"
    before = len([x for x in ebb.cluster.requests() if x["user"]["username"] == name])
    seconds = 30
    time.sleep(seconds)
    calls = len([x for x in ebb.cluster.requests() if x["user"]["username"] == name]) - before
    pid = ebb.processes("up")[0]
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    memory = int(next(x.split()[1] for x in status.splitlines() if x.startswith("VmRSS"))) / 1024
    print(f"  at rest: {calls * 60 / seconds:.0f} API calls a minute, control takes {memory:.0f} MB")
    assert calls * 60 / seconds <= 10, calls


def test_delete(ebb):
    """Deleted from the cluster, deleted everywhere; made again, it begins anew."""
    data = next(x for x in (ebb.cluster.nodes[0].home / "volumes").iterdir() if (x / "streams").exists())

    def folder(kind, name):
        return data / f"{kind}s" / ebb.cluster.get(kind, name)["metadata"]["uid"].replace("-", "")

    # By name: what earlier tests deleted may still be on its way out.
    kept = [folder("stream", "delays"), folder("topic", "flights"), folder("topic", "hourly")]
    assert all(x.exists() for x in kept), kept
    ebb.cluster.kubectl("delete", "-f", EXAMPLE)
    wait_for(lambda: ebb.ask("GET", "/v1/topics/hourly").status == 404, 30, "the topic is gone")
    wait_for(lambda: ebb.ask("GET", "/v1/streams/delays").status == 404, 30, "the stream is gone")
    wait_for(lambda: not any(x.exists() for x in kept), 30, f"no state is left in {kept}")
    ebb.cluster.kubectl("apply", "-f", EXAMPLE)
    ebb.cluster.kubectl("wait", "--for=condition=Ready", "stream/delays", "topic/hourly", "--timeout=60s")
    assert ebb.messages("hourly") == []
    ebb.cluster.kubectl("delete", "-f", EXAMPLE)


def long_test_warm_pods(ebb):
    """A pod that waits takes the next stream that wakes, and no other; another one takes its place. Pools of namespaces."""
    flag = "/spec/template/spec/containers/0/args"

    def change(patch):
        ebb.cluster.kubectl("patch", "statefulset", "ebb", "-n", NAMESPACE, "--type=json", "-p", json.dumps(patch))
        ebb.cluster.kubectl("rollout", "status", "statefulset/ebb", "-n", NAMESPACE, "--timeout=90s", timeout=100)
        wait_for(ebb.is_served, 60, "control serves")

    def spare():
        return [x["metadata"]["name"] for x in ebb.worker_pods()
                if x["status"]["phase"] == "Running" and "ebb.dev/stream" not in x["metadata"]["labels"]]

    def waiting():
        """The pod that waits, once it is the only one and stays; one of an earlier control goes where there is no pool for it."""
        found = []

        def steady():
            found.append(spare())
            return len(found) > 25 and all(x == found[-1] and len(x) == 1 for x in found[-25:])

        wait_for(steady, 90, "a pod that waits")
        return found[-1][0]

    apply_counts(ebb, "warmed")
    before = ebb.cluster.get("statefulset", "ebb", "-n", NAMESPACE)["spec"]["template"]["spec"]["containers"][0]["args"]
    try:
        number = 0
        # The last one waits for streams of another namespace.
        for option, rounds, taken in (("--warm=1", 2, True), ("--warm-for=default=1", 1, True), ("--warm-for=elsewhere=1", 1, False)):
            wait_for(lambda: ebb.ask("GET", "/v1/streams/warmed").json()["status"]["phase"] == "Asleep", 90, "asleep")
            change([{"op": "replace", "path": flag, "value": [*before, option]}])
            for _ in range(rounds):
                wait_for(lambda: ebb.ask("GET", "/v1/streams/warmed").json()["status"]["phase"] == "Asleep", 90, "asleep")
                pod = waiting()
                send_ids(ebb, "warmed", number, 1)
                wait_for(lambda n=number: len(ids(ebb, "warmed")) > n, 60, "a row")
                runs = f"ebb-worker-{ebb.ask('GET', '/v1/streams/warmed').json()['status'].get('worker')}"
                assert (runs == pod) == taken, (option, runs, pod)
                number += 1
                ebb.ask("POST", "/v1/streams/warmed:sleep")
        assert ids(ebb, "warmed") == [0, 1, 2, 3]
    finally:
        change([{"op": "replace", "path": flag, "value": before}])
    wait_for(lambda: not spare(), 120, "no pod waits any more")
    remove_counts(ebb, "warmed")
    for path in ("streams/warmed", "topics/warmed-in", "topics/warmed-out"):
        wait_for(lambda at=path: ebb.ask("GET", "/v1/" + at).status == 404, 30, f"{path} is gone")


def share_copies(ebb, name, volume, folder_of, sleeps):
    """With a volume for copies of state, what one pod of a stream has written is there for the next one, a copy that was damaged is
    fetched again, and pods leave nothing else there."""
    def contents(paths):
        return {hashlib.sha256(x.read_bytes()).hexdigest() for x in paths}

    set_warm(ebb, 0, volume)
    try:
        apply_windows(ebb, name)
        uid = ebb.status(name)["uid"].replace("-", "")
        volumes = ebb.cluster.nodes[0].home / "volumes"
        for i in range(sleeps):
            # One row of each window comes before each sleep.
            ebb.send(f"{name}-in", [{"at": f"2024-01-01T{i:02}:{x}:00", "id": i} for x in (10, 30)], "p", 2 * i)
            wait_for(lambda n=i: len(ebb.messages(f"{name}-out")) == n, 60, f"window {i}")
            wait_for(lambda: ebb.ask("POST", f"/v1/streams/{name}:sleep").status in (200, 202), 30, "sleep asked for")
            ebb.wait_phase(name, "Asleep")
            wait_for(lambda: not ebb.worker_pods(), 60, "no worker's pod")
            shared = folder_of(volumes)
            assert list((shared / "workers").iterdir()) == [], "folders of pods that have ended"
            kept, copies = list(volumes.glob(f"*/streams/{uid}/segments/*.seg")), list((shared / "segments").iterdir())
            assert kept and contents(kept) <= contents(copies), (kept, copies)
            assert all(x.stat().st_nlink == 1 for x in copies), copies
            if i == 2:
                for x in copies:
                    x.write_bytes(b"x" * x.stat().st_size)
        assert [x["id"] for x in ebb.messages(f"{name}-out")] == [2] * (sleeps - 1)
    finally:
        set_warm(ebb, 0)
        remove_counts(ebb, name)


def long_test_shared_copies(ebb):
    """In a claim: nothing more is allowed to pods than without one."""
    try:
        share_copies(ebb, "copied", claim_copies(ebb),
                     lambda volumes: next(x for x in volumes.iterdir() if (x / "workers").exists()), 4)
    finally:
        ebb.cluster.kubectl("delete", "pvc", COPIES, "-n", NAMESPACE)


def long_test_copies_of_the_node(ebb):
    """In a folder of the node, in a namespace that allows it; a pod that was refused before is made then."""
    folder = ebb.cluster.folder / "copies"
    folder.mkdir(mode=0o700)
    os.chown(folder, 10001, 10001)
    level = "pod-security.kubernetes.io/enforce"
    try:
        set_warm(ebb, 0, f"node:{folder}")
        apply_counts(ebb, "barred")
        send_ids(ebb, "barred", 0, 1)
        ebb.cluster.kubectl("label", "namespace", NAMESPACE, f"{level}=privileged", "--overwrite")
        wait_for(lambda: ids(ebb, "barred") == [0], 90, "the pod that was refused is made")
        remove_counts(ebb, "barred")
        share_copies(ebb, "noded", f"node:{folder}", lambda _: folder, 2)
    finally:
        set_warm(ebb, 0)
        ebb.cluster.kubectl("label", "namespace", NAMESPACE, f"{level}=restricted", "--overwrite")


def test_uninstall(ebb):
    """No orphan of any kind."""
    ebb.cluster.kubectl("delete", "-f", ROOT / "deployments" / "ebb.yaml", "--timeout=120s", timeout=150)
    left = ebb.cluster.kubectl("get", "pods,services,statefulsets,persistentvolumeclaims,leases", "-n", NAMESPACE, "-o", "name").stdout
    assert left == "", left
    assert "ebb.dev" not in ebb.cluster.kubectl("get", "crds", "-o", "name").stdout
    assert ebb.processes("up") == [] and ebb.processes("worker") == []


def chosen(words):
    everything = [x for module in (globals(), vars(faults), vars(bad_days)) for x in module.items()]
    tests = [f for name, f in everything if name.startswith(("test_", "long_test_"))]
    if "--share" in words:
        tests = [f for f in tests if f.__name__.startswith("test_")]
    named = [x for x in words if not x.startswith("--")]
    if named:
        tests = [f for f in tests if f.__name__ in named]
    # These look at what all others have done, or undo it.
    last = [f for f in (test_rights, test_rest, test_uninstall) if f in tests]
    return [f for f in tests if f not in last] + last


def main():
    words = sys.argv[2:]
    problem = clusters.why_not("node")
    if problem:
        print(f"skipped: {problem}")
        return 77
    flights.EBB = str(pathlib.Path(sys.argv[1]).resolve())
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder, clusters.Cluster("node", volume_megabytes=600) as cluster:
        flights.FOLDER = pathlib.Path(folder)
        ebb = Installation(cluster, flights.EBB)
        try:
            ebb.install()
        except Exception:  # pylint: disable=broad-except
            traceback.print_exc()
            print(ebb.said() + "\n0 passed, 1 failed")
            return 1
        for test in chosen(words):
            begun = time.monotonic()
            try:
                test(ebb)
                passed += 1
                print(f"ok {test.__name__} ({time.monotonic() - begun:.1f} s)", flush=True)
            except Exception:  # pylint: disable=broad-except
                failed += 1
                traceback.print_exc()
                print(f"FAILED {test.__name__} ({time.monotonic() - begun:.1f} s)\n{ebb.said()}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
