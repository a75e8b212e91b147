"""Wakes into pods that wait: a message to its first result, with so much state. A pod that waits has no copy of a stream's state: what
the wake needs of it crosses the link from control, or is on the node, where pods share a volume for copies."""
import json
import pathlib
import socket
import ssl
import sys
import time

from installation import NAMESPACE, ROOT, wait_for

sys.path.insert(0, str(ROOT / "tests" / "service" / "bench"))
from service_bench import STATE, TOPIC, Lines  # noqa: E402  pylint: disable=wrong-import-position

TEXT = 2000  # bytes of a key's text; its state has 60 more
AT_ONCE = 2000  # rows of a request
ARGUMENTS = "/spec/template/spec/containers/0/args"


def connect(ebb):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    plain = socket.create_connection(ebb.address)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(plain)


def request(connection, ebb, method, target, body=b"", kind="application/json"):
    connection.sendall(f"{method} {target} HTTP/1.1\r\nHost: ebb\r\nAuthorization: Bearer {ebb.token}\r\nContent-Type: {kind}\r\n"
                       f"Content-Length: {len(body)}\r\n\r\n".encode() + body)


class Results(Lines):
    """Follows a topic over TLS."""

    def __init__(self, ebb, topic):  # pylint: disable=super-init-not-called
        self.socket = connect(ebb)
        request(self.socket, ebb, "GET", f"/v1/topics/{topic}/messages?follow=true&from=latest")
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.socket.recv(65536)
        self.buffer = self.buffer.split(b"\r\n\r\n", 1)[1]


def fill(ebb, mebibytes):
    connection = connect(ebb)
    rows, text = mebibytes * (1 << 20) // (TEXT + 60), "x" * TEXT
    for first in range(0, rows, AT_ONCE):
        body = "".join(f'{{"k":{i},"at":"2026-01-01T00:00:00","text":"{text}"}}\n'
                       for i in range(first, min(rows, first + AT_ONCE))).encode()
        request(connection, ebb, "POST", "/v1/topics/in/messages", body, "application/x-ndjson")
        answer = connection.recv(65536)
        assert b" 200 " in answer.split(b"\r\n")[0], answer
    connection.close()


CLAIM = """apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {0}, namespace: {1}}}
spec:
  accessModes: [ReadWriteOnce]
  resources: {{requests: {{storage: 10Gi}}}}
"""
COPIES = "ebb-copies"


def claim_copies(ebb):
    """Makes a claim that pods can share for copies of state; what --cache-volume says."""
    ebb.cluster.apply(CLAIM.format(COPIES, NAMESPACE))
    return f"claim:{COPIES}"


def set_warm(ebb, count, volume=""):
    """So many pods wait. `volume`: that pods share for copies of state."""
    options = ([f"--warm={count}"] if count else []) + ([f"--cache-volume={volume}"] if volume else [])
    now = ebb.cluster.get("statefulset", "ebb", "-n", NAMESPACE)["spec"]["template"]["spec"]["containers"][0]["args"]
    wanted = [x for x in now if not x.startswith(("--warm=", "--cache-volume="))] + options
    ebb.cluster.kubectl("patch", "statefulset", "ebb", "-n", NAMESPACE, "--type=json", "-p",
                        json.dumps([{"op": "replace", "path": ARGUMENTS, "value": wanted}]))
    ebb.cluster.kubectl("rollout", "status", "statefulset/ebb", "-n", NAMESPACE, "--timeout=90s", timeout=100)
    wait_for(ebb.is_served, 60, "control serves")


def spare(ebb):
    return [x["metadata"]["name"] for x in ebb.worker_pods() if x["status"]["phase"] == "Running"
            and "ebb.dev/stream" not in x["metadata"]["labels"] and "deletionTimestamp" not in x["metadata"]]


def medians(wakes):
    """Of each phase's moment."""
    return {x: sorted(y.get(x, 0) for y in wakes)[len(wakes) // 2] for x in wakes[-1]}


def state_mebibytes(ebb):
    data = next(x for x in (ebb.cluster.nodes[0].home / "volumes").iterdir() if (x / "streams").exists())
    return sum(x.stat().st_size for x in pathlib.Path(data, "streams").rglob("*.seg")) / (1 << 20)


def wait_asleep(ebb, seconds):
    """Asked over HTTP, and seldom: the machine is for the stream."""
    def sleeps():
        time.sleep(0.5)
        return ebb.ask("GET", "/v1/streams/windows").json()["status"]["phase"] == "Asleep"

    wait_for(sleeps, seconds, "it sleeps")


def warm_wakes(ebb, mebibytes, rounds):
    """MiB of state that there are, seconds of each wake, and when its phases were over."""
    ebb.cluster.apply(TOPIC.format("in", "k BIGINT, at TIMESTAMP, text TEXT") + TOPIC.format("out", "k BIGINT") + STATE.format())
    ebb.cluster.kubectl("wait", "--for=condition=Ready", "stream/windows", "topic/in", "--timeout=30s")
    fill(ebb, mebibytes)
    wait_asleep(ebb, 900)
    size, took, used, moments = state_mebibytes(ebb), [], set(), []
    for i in range(rounds + 1):
        wait_for(lambda: len(set(spare(ebb)) - used) >= 1, 120, "a pod that waits")
        used |= set(spare(ebb))
        time.sleep(2)  # it has joined, and has given memory back
        results, sender = Results(ebb, "out"), connect(ebb)
        begun = time.perf_counter()
        request(sender, ebb, "POST", "/v1/topics/in/messages", json.dumps({"k": 7, "at": "2026-01-01T00:00:01", "text": "now"}).encode())
        results.next()
        if i:  # the first one is for files that are read for the first time
            took.append(time.perf_counter() - begun)
        wait_for(lambda: ebb.ask("POST", "/v1/streams/windows:sleep").status in (200, 202), 60, "sleep is asked for")
        wait_asleep(ebb, 300)
        moments.append(ebb.ask("GET", "/v1/streams/windows/wakes").json()["items"][0]["millisAfterTrigger"])
    ebb.cluster.kubectl("delete", "stream", "windows")
    ebb.cluster.kubectl("delete", "topic", "in", "out")
    for path in ("streams/windows", "topics/in", "topics/out"):
        wait_for(lambda at=path: ebb.ask("GET", "/v1/" + at).status == 404, 60, f"{path} is gone")
    return size, took, medians(moments[1:] or moments)
