"""What breaks while messages flow: none lost, doubled or reordered, agreement afterwards, no hot loop."""
import contextlib
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

from counting import apply_counts, check_rows, counts, ids, once, remove_counts, send_ids, under_faults, Calm
from installation import NAMESPACE, ROOT, clusters, wait_for

sys.path.insert(0, str(ROOT / "tests" / "support" / "cluster"))
from api_proxy import ApiProxy  # noqa: E402  pylint: disable=wrong-import-position


def test_killed_workers(ebb):
    killed = []

    def kill(stopped):
        stopped.wait(random.uniform(0.5, 2.5))
        for pid in ebb.processes("worker"):
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    under_faults(ebb, "killed", kill)
    assert killed, "no worker was killed"


def delete_control(ebb, *arguments):
    before = ebb.cluster.get("pod", "-n", NAMESPACE, "ebb-0")["metadata"]["uid"]
    ebb.cluster.kubectl("delete", "pod", "-n", NAMESPACE, "ebb-0", "--wait=false", *arguments)
    wait_for(lambda: ebb.cluster.kubectl("get", "pod", "-n", NAMESPACE, "ebb-0", "-o", "jsonpath={.metadata.uid}",
                                         check=False).stdout not in ("", before), 60, "another pod of control")
    ebb.wait_ready(60)


def test_deleted_control(ebb):
    """Gracefully, then by force."""
    fault = once(lambda: delete_control(ebb), lambda: delete_control(ebb, "--grace-period=0", "--force"))
    under_faults(ebb, "control", fault)
    assert not fault.left


def long_test_deleted_workers(ebb):
    def delete(stopped):
        stopped.wait(random.uniform(0.5, 2))
        for pod in ebb.worker_pods():
            force = random.choice([(), ("--grace-period=0", "--force")])
            ebb.cluster.kubectl("delete", "pod", "-n", NAMESPACE, pod["metadata"]["name"], "--wait=false", *force, check=False)

    under_faults(ebb, "podless", delete)


def long_test_drained_node(ebb):
    """Cordon and drain of the node with control and workers; back, all goes on."""
    def drain():
        ebb.cluster.kubectl("drain", "node-0", "--force", "--delete-emptydir-data", "--ignore-daemonsets", "--timeout=90s")
        assert not [x for x in ebb.worker_pods() if x["status"]["phase"] == "Running"], "a worker was not evicted"

    def back():
        ebb.cluster.kubectl("uncordon", "node-0")
        ebb.wait_ready(60)

    fault = once(drain, back)
    under_faults(ebb, "drained", fault, after=120)
    assert not fault.left


def test_restarted_etcd(ebb):
    """Killed, then ended as it should: the API server fails meanwhile."""
    def restart(how):
        ebb.cluster.processes.stop("etcd", kill=how)
        time.sleep(2)
        ebb.cluster.start_etcd()
        # The API server itself takes its time to find etcd again.
        wait_for(lambda: ebb.cluster.kubectl("get", "namespaces", "--request-timeout=5s", check=False).returncode == 0, 180,
                 "the API server has etcd again")

    fault = once(lambda: restart(signal.SIGKILL), lambda: restart(signal.SIGTERM))
    under_faults(ebb, "etcd", fault)
    assert not fault.left


def long_test_api_server_away(ebb):
    """60 s without an API server: what runs goes on; what is asked afterwards is done."""
    apply_counts(ebb, "away")
    send_ids(ebb, "away", 0, 10)
    wait_for(lambda: len(ids(ebb, "away")) == 10, 60, "rows before")
    send_ids(ebb, "away", 10, 1)
    with Calm(ebb):
        ebb.cluster.processes.stop("apiserver")
        time.sleep(60)
        ebb.cluster.start_api_server()
        send_ids(ebb, "away", 11, 10)
        check_rows(ebb, "away", 21, 90)
    ebb.wait_phase("away", "Asleep", 150)
    remove_counts(ebb, "away")


@contextlib.contextmanager
def through_proxy(ebb):
    """Control speaks to its API server by way of a proxy; a new control, since the address is the pod's."""
    proxy = ApiProxy(ebb.cluster, clusters.GATEWAY, 0)

    def point(*settings):
        ebb.cluster.kubectl("set", "env", "-n", NAMESPACE, "statefulset/ebb", *settings)
        ebb.cluster.kubectl("rollout", "status", "-n", NAMESPACE, "statefulset/ebb", "--timeout=90s")
        ebb.wait_ready(60)
        wait_for(ebb.is_served, 20, "control answers")

    point(f"KUBERNETES_SERVICE_HOST={clusters.GATEWAY}", f"KUBERNETES_SERVICE_PORT={proxy.port}")
    try:
        yield proxy
    finally:
        point("KUBERNETES_SERVICE_HOST-", "KUBERNETES_SERVICE_PORT-")
        proxy.stop()


def proxied(proxy, since):
    """Calls about one path, at the proxy: its own refusals are among them."""
    count = {}
    for at, method, path, _ in proxy.seen:
        if at >= since and not path.endswith("/events"):
            count[method, path] = count.get((method, path), 0) + 1
    return count


def check_calm(proxy, begun):
    seconds = time.monotonic() - begun
    # A collection that is watched counts a watch a second, three of them, and a list now and then.
    loops = {what: n for what, n in proxied(proxy, begun).items() if n > 5 + seconds * 1.2}
    assert not loops, (seconds, loops)


def test_spoilt_calls(ebb):
    """Each watch ends after a second, every second write is answered 409 or 429, workers are killed: all is right all the same."""
    def kill(stopped):
        stopped.wait(random.uniform(1, 3))
        for pid in ebb.processes("worker"):
            os.kill(pid, signal.SIGKILL)

    with through_proxy(ebb) as proxy:
        proxy.watch_seconds, proxy.refuse_every = 1, 2
        begun = time.monotonic()
        under_faults(ebb, "spoilt", kill, after=120)
        check_calm(proxy, begun)
        answers = [x[3] for x in proxy.seen]
        assert answers.count(409) and answers.count(429), "nothing was refused"
        print(f"  {len(answers)} calls in {time.monotonic() - begun:.0f} s, {proxy.refused} refused")
        wait_for(lambda: not ebb.worker_pods("spoilt"), 60, "no pod is left")


def long_test_rotated_token(ebb):
    """The API server does not take the pod's token any more; another one lies in its file: no storm of 401, and it goes on."""
    with through_proxy(ebb) as proxy:
        apply_counts(ebb, "rotated")
        send_ids(ebb, "rotated", 0, 10)
        check_rows(ebb, "rotated", 10)
        old = next(x for x, _ in proxy.tokens.most_common() if x)
        uid = ebb.cluster.get("pod", "-n", NAMESPACE, "ebb-0")["metadata"]["uid"]
        folder = ebb.cluster.nodes[0].home / "kubelet" / "pods" / uid / "volumes" / "kubernetes.io~projected"
        (file,) = [x for x in folder.glob("*/token")]
        assert file.read_text(encoding="ascii").strip() == old

        def token(minutes):
            return ebb.cluster.kubectl("create", "token", "ebb", "-n", NAMESPACE, "--bound-object-kind", "Pod", "--bound-object-name",
                                       "ebb-0", "--duration", f"{minutes}m").stdout.strip()

        new = token(10)
        assert new != old
        proxy.refused_tokens = {old}
        begun = time.monotonic()
        os.kill(ebb.processes("worker")[0], signal.SIGKILL)  # so that a pod is wanted while no token holds
        time.sleep(5)
        file.resolve().write_text(new, encoding="ascii")
        send_ids(ebb, "rotated", 10, 10)
        check_rows(ebb, "rotated", 20, 120)
        refused = [x for x in proxy.seen if x[3] == 401]
        assert refused, "the old token was not used"
        assert proxy.tokens[new], "the new token was not used"
        check_calm(proxy, begun)
        print(f"  {len(refused)} calls with the old token were refused, {proxy.tokens[new]} made with the new one")
        # It ends by itself when the next one lies there: a call that it is refused for is made again at once.
        newest = token(11)
        file.resolve().write_text(newest, encoding="ascii")
        proxy.refused_tokens = {old, new}
        since = len(proxy.seen)
        os.kill(ebb.processes("worker")[0], signal.SIGKILL)
        send_ids(ebb, "rotated", 20, 10)
        check_rows(ebb, "rotated", 30, 60)
        refused = [x for x in proxy.seen[since:] if x[3] == 401]
        assert proxy.tokens[newest] and 1 <= len(refused) <= 4, refused  # as many as connections
        remove_counts(ebb, "rotated")


def long_test_second_api_server(ebb):
    """Two API servers; the one that control watches at is killed in the middle: it goes on at the other."""
    with through_proxy(ebb) as proxy:
        second = ebb.cluster.start_second_api_server()
        proxy.upstream = "127.0.0.1", second
        delete_control(ebb)  # all of its connections are to the second one now
        wait_for(ebb.is_served, 20, "control answers")

        def lose():
            ebb.cluster.processes.stop("apiserver-2", kill=signal.SIGKILL)
            time.sleep(3)
            proxy.upstream = "127.0.0.1", ebb.cluster.port

        fault = once(lose)
        begun = time.monotonic()
        under_faults(ebb, "second", fault)
        check_calm(proxy, begun)
        assert not fault.left
        # What is made now is seen by watches at the first one.
        apply_counts(ebb, "behind")
        remove_counts(ebb, "behind")


def test_memory_limit(ebb):
    """A worker above its limit: OOMKilled is said; with more, the stream runs, and every row comes out once."""
    def manifest(limit):
        text = counts("small", f"{{resources: {{limits: {{memory: {limit}}}}}}}")
        text = text.replace('"at TIMESTAMP, id BIGINT"', '"note TEXT, id BIGINT"')
        text = text.replace('schema: "id BIGINT", topic: {name: small-in}', 'schema: "note TEXT, id BIGINT", topic: {name: small-in}')
        return text.replace("  sinks:", "  operators: [{name: q, sql: \"SELECT id FROM s WHERE note LIKE 'x%'\"}]\n  sinks:")

    ebb.cluster.apply(manifest("8Mi"))
    ebb.cluster.kubectl("wait", "--for=condition=Ready", "topic/small-in", "--timeout=30s")
    for i in range(4):
        ebb.send("small-in", [{"id": 50 * i + x, "note": "x" * 100_000} for x in range(50)], "p", 50 * i)
    status = wait_for(lambda: ebb.status("small") if "lastFailure" in ebb.status("small") else None, 60, "a failure is said")
    assert status["lastFailure"]["reason"] == "OOMKilled" and "limits.memory" in status["lastFailure"]["message"], status
    assert any("OOMKilled" in x for x in ebb.why("small")), ebb.why("small")
    wait_for(lambda: "OOMKilled" in ebb.events("small"), 10, "an event")
    ebb.cluster.apply(manifest("512Mi"))
    check_rows(ebb, "small", 200, 120)
    remove_counts(ebb, "small")


def long_test_upgraded_crds(ebb):
    """Objects of an older version of the CRDs, with the status that its control has written, live through new CRDs and
    controls, under traffic."""
    before = pathlib.Path(__file__).resolve().parent / "old_crds"
    ebb.cluster.kubectl("scale", "-n", NAMESPACE, "statefulset/ebb", "--replicas=0")
    wait_for(lambda: ebb.processes("up") == [], 60, "control has ended")
    ebb.cluster.kubectl("apply", "-f", before)
    ebb.cluster.apply(counts("older"))
    uid = ebb.cluster.get("stream", "older")["metadata"]["uid"]
    status = {"phase": "Asleep", "reason": "Idle", "message": "sleeps", "uid": uid, "observedGeneration": 1,
              "lastWake": "2026-01-01T00:00:00Z", "conditions": [{"type": "Ready", "status": "True", "reason": "Idle"}]}
    ebb.cluster.kubectl("patch", "stream", "older", "--subresource=status", "--type=merge", "-p", json.dumps({"status": status}))
    said = ebb.cluster.kubectl("apply", "-f", ROOT / "deployments" / "ebb.yaml").stdout
    assert "streams.ebb.dev configured" in said, said
    ebb.wait_ready(60)
    wait_for(ebb.is_served, 20, "control answers")
    fault = once(lambda: ebb.cluster.kubectl("apply", "-f", ROOT / "deployments" / "crds"), lambda: delete_control(ebb))

    def watched(stopped):
        fault(stopped)
        assert ebb.cluster.get("stream", "older")["metadata"]["uid"] == uid

    watched.left = fault.left
    under_faults(ebb, "older", watched, count=40)
    assert not fault.left


class SecondNode:
    """`with SecondNode(ebb, stream, index):` workers of the stream may be moved there; it goes afterwards, with what is left there."""

    def __init__(self, ebb, stream, index):
        self.ebb, self.stream, self.name = ebb, stream, f"node-{index}"
        self.node = ebb.cluster.add_node(index)
        self.node.load_image(next((ebb.cluster.folder / "image").glob("ebb-*.tar")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.ebb.cluster.kubectl("uncordon", "node-0")
        self.ebb.cluster.kubectl("delete", "node", self.name, "--wait=false")
        for pod in self.ebb.cluster.get("pods", "-n", NAMESPACE)["items"]:
            if pod["spec"].get("nodeName") == self.name:
                self.ebb.cluster.kubectl("delete", "pod", "-n", NAMESPACE, pod["metadata"]["name"], "--grace-period=0", "--force",
                                         check=False)

    def running(self, name):
        return [x for x in self.ebb.worker_pods(self.stream) if x["spec"].get("nodeName") == name
                and x["status"]["phase"] == "Running" and "deletionTimestamp" not in x["metadata"]]

    def only(self, there, away):
        """New pods can be made there alone."""
        self.ebb.cluster.kubectl("uncordon", there)
        self.ebb.cluster.kubectl("cordon", away)

    def move(self, there, away):
        """And those that run are taken away."""
        self.only(there, away)
        for pod in self.ebb.worker_pods(self.stream):
            self.ebb.cluster.kubectl("delete", "pod", "-n", NAMESPACE, pod["metadata"]["name"], "--wait=false", check=False)
        wait_for(lambda: self.running(there), 60, f"a worker on {there}")


def long_test_two_nodes(ebb):
    """Workers on a second node: it is drained while messages flow, then lost with all that runs there."""
    with SecondNode(ebb, "moved", 1) as second:
        def drain():
            ebb.cluster.kubectl("uncordon", "node-0")
            ebb.cluster.kubectl("drain", "node-1", "--force", "--delete-emptydir-data", "--ignore-daemonsets", "--timeout=90s")
            wait_for(lambda: second.running("node-0"), 60, "a worker on node-0")

        def lose():
            """Its kubelet says nothing more, its containers are gone."""
            second.move("node-1", "node-0")
            second.only("node-0", "node-1")
            ebb.cluster.processes.stop("kubelet-1", kill=signal.SIGKILL)
            clusters.end_containers(second.node.socket)
            ebb.cluster.processes.stop("containerd-1", kill=signal.SIGKILL)
            wait_for(lambda: second.running("node-0"), 120, "a worker on node-0")

        fault = once(lambda: second.move("node-1", "node-0"), drain, lose)
        under_faults(ebb, "moved", fault, count=200, after=120)
        assert not fault.left, "not all has happened"


def long_test_cut_off_node(ebb):
    """A second node loses its network and its kubelet stands still, while its worker runs on; it comes back when another
    worker has taken over: what ran there says and writes nothing more, and goes."""
    with SecondNode(ebb, "cut", 2) as second:
        kubelet = ebb.cluster.processes.pid("kubelet-2")
        left = []

        def cut():
            left.extend(x["metadata"]["name"] for x in second.running("node-2"))
            second.only("node-0", "node-2")
            os.kill(kubelet, signal.SIGSTOP)
            subprocess.run(["ip", "link", "set", second.node.bridge, "down"], check=True)
            wait_for(lambda: second.running("node-0"), 120, "a worker on node-0")
            time.sleep(5)

        def back():
            assert len(ebb.processes("worker")) >= 2, "the worker that was cut off has not run on"
            subprocess.run(["ip", "link", "set", second.node.bridge, "up"], check=True)
            os.kill(kubelet, signal.SIGCONT)
            wait_for(lambda: not set(left) & {x["metadata"]["name"] for x in ebb.worker_pods("cut")}, 120, "its pod is gone")

        try:
            fault = once(lambda: second.move("node-2", "node-0"), cut, back)
            under_faults(ebb, "cut", fault, count=200, after=120)
            assert not fault.left and left, "not all has happened"
            wait_for(second.node.is_ready, 60, "the node is ready")
        finally:
            os.kill(kubelet, signal.SIGCONT)
