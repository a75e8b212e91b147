"""What keeps streams from running: a condition, an event and `ebb why` say it and what to do; other streams go on; healed, it runs."""
import contextlib
import datetime
import os
import time

from counting import apply_counts, check_rows, counts, ids, remove_counts, send_ids
from installation import NAMESPACE, ROOT, wait_for


def clock():
    """Now, as audit events have it."""
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def awaits(ebb, name, pod=""):
    """A stream with three messages."""
    ebb.cluster.apply(counts(name, pod))
    ebb.cluster.kubectl("wait", "--for=condition=Ready", f"topic/{name}-in", "--timeout=30s")
    wait_for(lambda: "uid" in ebb.status(name), 20, "taken")
    send_ids(ebb, name, 0, 3)


def check_said(ebb, name, reason, *words):
    """Condition, event and `ebb why`, with what to do."""
    wait_for(lambda: ebb.condition(name, "Degraded")["reason"] == reason, 60, f"Degraded, {reason}")
    found = ebb.condition(name, "Degraded")
    assert found["status"] == "True", found
    why = " ".join(ebb.why(name))
    for word in (reason, *words):
        assert word in why, (word, why)
    for word in words:
        assert word in found["message"], (word, found)
    wait_for(lambda: reason in ebb.events(name), 10, f"an event {reason}")


def check_others(ebb, name="others"):
    """Another stream runs meanwhile."""
    apply_counts(ebb, name)
    send_ids(ebb, name, 0, 3)
    check_rows(ebb, name, 3)
    remove_counts(ebb, name)


def heals(ebb, name, seconds=200):
    check_rows(ebb, name, 3, seconds)
    wait_for(lambda: ebb.condition(name, "Degraded")["status"] == "False", 30, "no more degraded")
    remove_counts(ebb, name)


def test_too_big(ebb):
    """No node has so many processors; the manifest made right, the pod that waits is replaced at once."""
    awaits(ebb, "big", "{resources: {requests: {cpu: 1000}}}")
    check_said(ebb, "big", "Unschedulable", "Insufficient cpu", "spec.pod")
    check_others(ebb)
    ebb.cluster.apply(counts("big"))
    heals(ebb, "big", 60)


def long_test_no_such_node(ebb):
    awaits(ebb, "lost", "{nodeSelector: {disk: none}}")
    check_said(ebb, "lost", "Unschedulable", "nodeSelector")
    ebb.cluster.apply(counts("lost"))
    heals(ebb, "lost", 60)


def test_quota(ebb):
    """The namespace has no room for another pod."""
    ebb.cluster.apply({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full", "namespace": NAMESPACE},
                       "spec": {"hard": {"pods": "1"}}})
    try:
        wait_for(lambda: ebb.cluster.get("resourcequota", "full", "-n", NAMESPACE).get("status", {}).get("used"), 20, "counted")
        awaits(ebb, "crowded")
        check_said(ebb, "crowded", "QuotaExceeded", "exceeded quota", "ResourceQuota")
    finally:
        ebb.cluster.kubectl("delete", "resourcequota", "full", "-n", NAMESPACE)
    heals(ebb, "crowded")


def long_test_no_image(ebb):
    """A node without the image, and no registry that has it."""
    node = ebb.cluster.nodes[0]
    name = next(x for x in node.ctr("images", "ls", "-q").split() if "/ebb:" in x)
    node.ctr("images", "rm", "--sync", name)
    try:
        awaits(ebb, "bare")
        check_said(ebb, "bare", "ImageCannotBePulled", "load the image")
    finally:
        node.load_image(next((ebb.cluster.folder / "image").glob("ebb-*.tar")))
    heals(ebb, "bare")


def test_revoked_rights(ebb):
    """Control may do nothing more at the API server: what runs goes on, `ebb why` says it; given back, all is told."""
    apply_counts(ebb, "barred")
    send_ids(ebb, "barred", 0, 3)
    check_rows(ebb, "barred", 3)
    bindings = [("clusterrolebinding", "ebb-control"), ("rolebinding", "ebb-control", "-n", NAMESPACE)]
    begun = clock()
    for binding in bindings:
        ebb.cluster.kubectl("delete", *binding)
    try:
        send_ids(ebb, "barred", 3, 3)
        check_rows(ebb, "barred", 6)  # its pod is there
        ebb.ask("POST", "/v1/streams/barred:sleep")
        wait_for(lambda: ebb.ask("GET", "/v1/streams/barred").json()["status"]["phase"] == "Asleep", 60, "asleep")
        send_ids(ebb, "barred", 6, 3)
        wait_for(lambda: "Forbidden" in " ".join(ebb.why("barred")), 60, "why says that it may not")
        assert "deployments/ebb.yaml" in " ".join(ebb.why("barred")), ebb.why("barred")
    finally:
        ebb.cluster.kubectl("apply", "-f", ROOT / "deployments" / "ebb.yaml")
    check_rows(ebb, "barred", 9, 120)
    ebb.barred = begun, clock()
    wait_for(lambda: ebb.status("barred")["phase"] in ("Running", "Asleep") and ebb.condition("barred", "Degraded")["status"] == "False",
             150, "its status is told")
    assert "ClusterAnswersAgain" in ebb.events("ebb-0", "Pod", NAMESPACE)
    wait_for(lambda: "Forbidden" not in " ".join(ebb.why("barred")), 60, "why is silent again")
    remove_counts(ebb, "barred")


def long_test_no_crds(ebb):
    """Control starts before the kinds are there: an event at its pod says so; with them it works."""
    for kind in ("streams", "topics"):
        assert not ebb.cluster.get(kind, "-A")["items"], "other tests have left some"
    ebb.cluster.kubectl("delete", "crd", "streams.ebb.dev", "topics.ebb.dev")
    try:
        ebb.cluster.kubectl("delete", "pod", "-n", NAMESPACE, "ebb-0")
        ebb.wait_ready(60)
        wait_for(lambda: "ClusterRefuses" in ebb.events("ebb-0", "Pod", NAMESPACE), 30, "an event says that the kinds are missing")
        said = [x["message"] for x in ebb.cluster.get("events", "-n", NAMESPACE)["items"] if x["reason"] == "ClusterRefuses"]
        assert any("apply deployments/ebb.yaml" in x for x in said), said
    finally:
        ebb.cluster.kubectl("apply", "-f", ROOT / "deployments" / "ebb.yaml")
        ebb.cluster.kubectl("wait", "--for=condition=Established", "crd/streams.ebb.dev", "crd/topics.ebb.dev")
    check_others(ebb, "again")


def test_made_again_while_control_was_away(ebb):
    """Another uid is another stream: it begins with nothing, and nothing of the old one is left."""
    apply_counts(ebb, "twice")
    send_ids(ebb, "twice", 0, 3)
    check_rows(ebb, "twice", 3)
    before = ebb.cluster.get("stream", "twice")["metadata"]["uid"]
    ebb.cluster.kubectl("scale", "-n", NAMESPACE, "statefulset/ebb", "--replicas=0")
    wait_for(lambda: ebb.processes("up") == [], 60, "control has ended")
    remove_counts(ebb, "twice")
    ebb.cluster.apply(counts("twice"))
    ebb.cluster.kubectl("scale", "-n", NAMESPACE, "statefulset/ebb", "--replicas=1")
    ebb.wait_ready(60)
    wait_for(ebb.is_served, 20, "control answers")
    ebb.cluster.kubectl("wait", "--for=condition=Ready", "stream/twice", "topic/twice-in", "--timeout=60s")
    after = wait_for(lambda: ebb.status("twice").get("uid") != before and ebb.status("twice")["uid"], 30, "another uid")
    assert after == ebb.cluster.get("stream", "twice")["metadata"]["uid"]
    wait_for(lambda: ids(ebb, "twice") == [], 30, "the old rows are gone")
    send_ids(ebb, "twice", 0, 3)
    check_rows(ebb, "twice", 3)
    remove_counts(ebb, "twice")


@contextlib.contextmanager
def full_volume(ebb):
    """No byte is free on control's volume."""
    data = next(x for x in (ebb.cluster.nodes[0].home / "volumes").iterdir() if (x / "streams").exists())
    ballast = data / "ballast"
    file = os.open(ballast, os.O_WRONLY | os.O_CREAT)
    for size in (1 << 20, 1 << 12):
        with contextlib.suppress(OSError):
            while True:
                os.write(file, b"\0" * size)
    os.close(file)
    try:
        yield
    finally:
        ballast.unlink()


def test_full_volume(ebb):
    """Messages are refused and not lost, streams say why; with room again all goes on."""
    apply_counts(ebb, "full")
    send_ids(ebb, "full", 0, 100)
    check_rows(ebb, "full", 100)
    with full_volume(ebb):
        end = time.monotonic() + 20
        while True:
            answer = ebb.ask("POST", "/v1/topics/full-in/messages", "".join('{"id": 100}\n' for _ in range(20000)),
                             Content_Type="application/x-ndjson")
            if answer.status != 200:
                break
            assert time.monotonic() < end, "messages are taken though nothing is free"
        assert answer.status in (503, 507), answer
        assert "space" in answer.body or "room" in answer.body or "full" in answer.body, answer
        assert ebb.is_served()
    # What was taken before it was refused is 100s; what comes now is in its place behind them.
    wait_for(lambda: ebb.ask("POST", "/v1/topics/full-in/messages", '{"id": 101}\n', Content_Type="application/x-ndjson").status == 200,
             60, "messages are taken again")
    wait_for(lambda: ids(ebb, "full")[-1:] == [101], 120, "the last row")
    got = ids(ebb, "full")
    assert got[:100] == list(range(100)) and set(got[100:-1]) <= {100}, got[:5]
    remove_counts(ebb, "full")


def test_ignored_policies(ebb):
    """The test cluster's network enforces no NetworkPolicy: that is noticed and said."""
    apply_counts(ebb, "open")
    send_ids(ebb, "open", 0, 1)
    check_rows(ebb, "open", 1)
    wait_for(lambda: "NetworkPolicyNotEnforced" in ebb.events("ebb-0", "Pod", NAMESPACE), 20, "an event says it")
    assert any("NetworkPolicies" in x for x in ebb.why("open")), ebb.why("open")
    remove_counts(ebb, "open")
