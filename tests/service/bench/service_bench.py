#!/usr/bin/env python3
"""Measures a service on this machine, clients included: latencies, wakes, what it takes at rest.

    service_bench.py EBB [--only NAME…] [--folder DIR] [--sleepers N] [--state-mib N]

messages  requests a second through HTTP, durable (build/tests/service/topics/measure_messages)
latency   a message to its result, topic -> filter -> topic, 500 messages one after the other
wake      a message to a sleeping stream with a window state of so many MiB, to the first result
rest      control process and worker without anything to do, and with N sleeping streams
idle      a client's requests alone, beside N idle connections, and beside slow readers and senders as well
"""
import argparse
import json
import os
import pathlib
import shutil
import resource
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request


def share(values, part):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * part))]


def status(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {x: int(fields[x].split()[0]) / 1024 for x in ("VmRSS", "RssAnon")}


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Service:
    def __init__(self, ebb, folder, *options):
        self.ebb, self.folder, self.options = ebb, folder, options
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.start()

    def start(self):
        self.log = open(os.path.join(self.folder, "log"), "a")
        begun = time.time()
        self.process = subprocess.Popen([self.ebb, "up", "--data", os.path.join(self.folder, "data"), "--listen",
                                         f"127.0.0.1:{self.port}", *self.options], stderr=self.log)
        while True:
            try:
                if urllib.request.urlopen(self.url("/readyz")).status == 200:
                    break
            except OSError:
                time.sleep(0.002)
        self.started_in = time.time() - begun

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def get(self, path):
        return json.loads(urllib.request.urlopen(self.url(path)).read())

    def post(self, path, body, kind):
        request = urllib.request.Request(self.url(path), data=body.encode(), headers={"Content-Type": kind},
                                         method="POST")
        return json.loads(urllib.request.urlopen(request).read())

    def apply(self, text):
        self.post("/v1/apply", text, "application/yaml")

    def phase(self, stream):
        return self.get(f"/v1/streams/{stream}")["status"]["phase"]

    def wait_for(self, stream, phase, patience=120):
        end = time.time() + patience
        while self.phase(stream) != phase:
            if time.time() > end:
                raise SystemExit(f"stream {stream} does not get to {phase}: {self.get(f'/v1/streams/{stream}')}")
            time.sleep(0.02)

    def workers(self):
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    words = (entry / "cmdline").read_bytes().split(b"\0")
                except OSError:
                    continue
                if b"worker" in words and any(self.folder.encode() in x for x in words):
                    found.append(int(entry.name))
        return found


class Lines:
    """Follows a topic; gives its lines as they come."""

    def __init__(self, service, topic):
        self.socket = socket.create_connection(("127.0.0.1", service.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(f"GET /v1/topics/{topic}/messages?follow=true&from=latest HTTP/1.1\r\n"
                            "Host: localhost\r\n\r\n".encode())
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            self.buffer += self.socket.recv(65536)
        self.buffer = self.buffer.split(b"\r\n\r\n", 1)[1]

    def next(self, patience=60):
        self.socket.settimeout(patience)
        while b"}" not in self.buffer:
            self.buffer += self.socket.recv(65536)
        line, self.buffer = self.buffer.split(b"}", 1)
        return json.loads(line[line.index(b"{"):] + b"}")


class Sender:
    """Keep-alive requests of one message."""

    def __init__(self, service, topic):
        self.socket = socket.create_connection(("127.0.0.1", service.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.topic = topic

    def send(self, row):
        body = json.dumps(row).encode()
        self.socket.sendall(f"POST /v1/topics/{self.topic}/messages HTTP/1.1\r\nHost: localhost\r\n"
                            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def answer(self):
        text = b""
        while b"\r\n\r\n" not in text:
            text += self.socket.recv(65536)
        head, body = text.split(b"\r\n\r\n", 1)
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self.socket.recv(65536)
        if b" 200 " not in head.split(b"\r\n")[0]:
            raise SystemExit(body.decode())


TOPIC = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {{name: {0}}}
spec: {{schema: "{1}"}}
---
"""

FILTER = """apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {{name: filter}}
spec:
  checkpoint: {{interval: 100ms, mode: {0}}}
  sources:
    - name: c
      schema: id BIGINT
      topic: {{name: in}}
  operators:
    - name: f
      sql: SELECT id FROM c WHERE id >= 0
  sinks:
    - topic: {{name: out}}
"""


def measure_messages(arguments, folder):
    program = pathlib.Path(arguments.ebb).resolve().parents[1] / "tests/service/topics/measure_messages"
    subprocess.run([program, "--random=0", "--", "5", folder], check=True)


def measure_latency(arguments, folder):
    for mode in ("at-least-once", "exactly-once"):
        service = Service(arguments.ebb, tempfile.mkdtemp(dir=folder))
        service.apply(TOPIC.format("in", "id BIGINT") + TOPIC.format("out", "id BIGINT") + FILTER.format(mode))
        service.wait_for("filter", "Running")
        lines, sender = Lines(service, "out"), Sender(service, "in")
        acknowledged, results = [], []
        for i in range(550):
            begun = time.perf_counter()
            sender.send({"id": i})
            sender.answer()
            acknowledged.append(time.perf_counter() - begun)
            assert lines.next() == {"id": i}
            results.append(time.perf_counter() - begun)
            time.sleep(0.002)
        for what, values in (("acknowledged", acknowledged[50:]), ("result", results[50:])):
            print(f"message, {mode}: {what:<13} p50 {share(values, .5) * 1000:7.2f} ms, "
                  f"p99 {share(values, .99) * 1000:7.2f} ms")
        service.stop()


STATE = """apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {{name: windows}}
spec:
  sleep: {{idleAfter: 2s}}
  checkpoint: {{interval: 10s, mode: at-least-once}}
  sources:
    - name: c
      schema: k BIGINT, at TIMESTAMP, text TEXT
      eventTime: {{column: at}}
      topic: {{name: in}}
  operators:
    - name: w
      sql: |
        SELECT window_start, k, count(*) AS n, max(text) AS longest
        FROM tumble(c, at, INTERVAL '1 day') GROUP BY window_start, k
    - name: seen
      sql: SELECT k FROM c WHERE text = 'now'
  sinks:
    - name: counts
      from: w
      discard: {{}}
    - name: echo
      from: seen
      topic: {{name: out}}
"""


def fill(service, rows, at, text, topic="in"):
    sender = socket.create_connection(("127.0.0.1", service.port))
    for first in range(0, rows, 10_000):
        body = "".join(f'{{"k":{i},"at":"{at}","text":"{text}"}}\n'
                       for i in range(first, min(rows, first + 10_000))).encode()
        sender.sendall(f"POST /v1/topics/{topic}/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n"
                       f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        text_of_answer = sender.recv(65536)
        if b" 200 " not in text_of_answer.split(b"\r\n")[0]:
            raise SystemExit(text_of_answer.decode())
    sender.close()


def wake_windows(service):
    """Wakes the stream of large state and lets it sleep again: milliseconds from the message to its result, and the wake's phases."""
    lines, sender = Lines(service, "out"), Sender(service, "in")
    begun = time.perf_counter()
    # It goes into a window of the large state, and is a result of another sink at once.
    sender.send({"k": 7, "at": "2026-01-01T00:00:01", "text": "now"})
    lines.next()
    result = (time.perf_counter() - begun) * 1000
    service.wait_for("windows", "Asleep", 600)
    wake = service.get("/v1/streams/windows/wakes")["items"][0]["millisAfterTrigger"]
    return result, ", ".join(f"{x} {y:.1f} ms" for x, y in wake.items())


def measure_wake(arguments, folder):
    service = Service(arguments.ebb, tempfile.mkdtemp(dir=folder))
    service.apply(TOPIC.format("in", "k BIGINT, at TIMESTAMP, text TEXT")
                  + TOPIC.format("out", "k BIGINT") + STATE.format())
    text = "x" * 60
    fill(service, arguments.state_mib * (1 << 20) // 128, "2026-01-01T00:00:00", text)
    service.wait_for("windows", "Asleep", 600)
    data = pathlib.Path(service.folder, "data", "streams")
    size = sum(x.stat().st_size for x in data.rglob("*.seg"))
    print(f"wake: {size / (1 << 20):.0f} MiB of state")
    for name, drop in (("page cache warm", False), ("page cache dropped", True), ("page cache warm", False)):
        if drop:
            os.sync()
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("1")
        result, phases = wake_windows(service)
        print(f"wake, {name}: message to result {result:.1f} ms; {phases}")
    service.stop()


def measure_fetch(arguments, folder):
    """Wakes of workers that share no folder with the control process: all copies gone, and there."""
    for mib in (10, arguments.state_mib):
        service = Service(arguments.ebb, tempfile.mkdtemp(dir=folder), "--store", "link")
        service.apply(TOPIC.format("in", "k BIGINT, at TIMESTAMP, text TEXT") + TOPIC.format("out", "k BIGINT") + STATE.format())
        begun = time.perf_counter()
        fill(service, mib * (1 << 20) // 128, "2026-01-01T00:00:00", "x" * 60)
        service.wait_for("windows", "Asleep", 600)
        data = pathlib.Path(service.folder, "data")
        size = sum(x.stat().st_size for x in (data / "streams").rglob("*.seg")) / (1 << 20)
        print(f"fetch: {size:.0f} MiB of state, written and kept in {time.perf_counter() - begun:.1f} s")
        for name, drop in (("no copies", True), ("copies", False), ("no copies", True)):
            if drop:
                for copy in (data / "cache").rglob("*.seg"):
                    copy.unlink()
            result, phases = wake_windows(service)
            fetched = sum(x.stat().st_blocks * 512 for x in (data / "cache").rglob("*.seg")) / (1 << 20)
            print(f"fetch, {name}: message to result {result:.1f} ms ({fetched:.1f} MiB copied until it slept again); {phases}", flush=True)
        service.stop()


SLEEPER = """apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {{name: s{0}}}
spec:
  sleep: {{idleAfter: 1s}}
  sources:
    - name: c
      schema: id BIGINT
      topic: {{name: in}}
  sinks:
    - discard: {{}}
---
"""


def measure_rest(arguments, folder):
    def per_stream(used, empty, what):
        return (used[what] - empty[what]) * (1 << 20) / arguments.sleepers

    service = Service(arguments.ebb, tempfile.mkdtemp(dir=folder), "--max-workers", "4")
    time.sleep(8)
    empty = status(service.process.pid)
    print(f"rest: control process {empty['VmRSS']:.1f} MiB ({empty['RssAnon']:.1f} of its own)")
    for worker in service.workers():
        used = status(worker)
        print(f"rest: worker {used['VmRSS']:.1f} MiB ({used['RssAnon']:.1f} of its own)")
    service.apply(TOPIC.format("in", "id BIGINT"))
    for first in range(0, arguments.sleepers, 500):
        service.apply("".join(SLEEPER.format(i) for i in range(first, min(arguments.sleepers, first + 500))))
    begun = time.time()
    while f'ebb_streams{{phase="Asleep"}} {arguments.sleepers}' not in urllib.request.urlopen(
            service.url("/metrics")).read().decode():
        time.sleep(0.5)
        if time.time() - begun > 1800:
            raise SystemExit("the streams do not fall asleep")
    print(f"rest: {arguments.sleepers} streams were created, ran and fell asleep in {time.time() - begun:.0f} s")
    service.stop()
    service.start()
    # Memory is given back when nothing has happened for a few seconds.
    time.sleep(8)
    used = status(service.process.pid)
    before = cpu_seconds(service.process.pid)
    time.sleep(60)
    print(f"rest: {arguments.sleepers} sleeping streams: started in {service.started_in * 1000:.0f} ms, "
          f"{used['VmRSS']:.1f} MiB ({used['RssAnon']:.1f} of its own, {per_stream(used, empty, 'RssAnon'):.0f} bytes a "
          f"stream; with pages of files {per_stream(used, empty, 'VmRSS'):.0f}), "
          f"{cpu_seconds(service.process.pid) - before:.2f} CPU s in 60 s")
    service.stop()


class Crowd:
    """Connections that have asked once and then only stay."""

    def __init__(self, service, count):
        self.sockets = []
        for first in range(0, count, 500):
            some = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(min(500, count - first))]
            for x in some:
                x.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            for x in some:
                if b" 200 " not in x.recv(4096):
                    raise SystemExit("a connection is refused")
            self.sockets += some

    def closed(self):
        """How many the service has given up."""
        count = 0
        for x in self.sockets:
            x.setblocking(False)
            try:
                count += x.recv(1) == b""
            except BlockingIOError:
                pass
        return count

    def close(self):
        for x in self.sockets:
            x.close()


class Slow:
    """Readers of a large topic and senders of large bodies, each at 10 KB a second."""

    def __init__(self, service, count):
        self.sockets, self.going, self.lost = [], True, 0
        for _ in range(count):
            reader = socket.socket()
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect(("127.0.0.1", service.port))
            reader.sendall(b"GET /v1/topics/large/messages HTTP/1.1\r\nHost: localhost\r\n\r\n")
            sender = socket.create_connection(("127.0.0.1", service.port))
            sender.sendall(b"POST /v1/topics/in/messages HTTP/1.1\r\nHost: localhost\r\n"
                           b"Content-Type: application/x-ndjson\r\nContent-Length: 10000000\r\n\r\n")
            self.sockets.append((reader, sender))
        self.thread = threading.Thread(target=self.work)
        self.thread.start()

    def work(self):
        while self.going:
            for reader, sender in self.sockets:
                try:
                    self.lost += reader.recv(1000) == b""
                    sender.sendall(b'{"id":1}\n' * 111)
                except OSError:
                    self.lost += 1
            time.sleep(0.1)

    def close(self):
        self.going = False
        self.thread.join()
        for pair in self.sockets:
            for x in pair:
                x.close()


def measure_idle(arguments, folder):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    service = Service(arguments.ebb, tempfile.mkdtemp(dir=folder))
    service.apply(TOPIC.format("in", "id BIGINT") + TOPIC.format("large", "k BIGINT, at TIMESTAMP, text TEXT"))
    fill(service, 500_000, "2026-01-01T00:00:00", "x" * 60, "large")
    sender = Sender(service, "in")

    def requests(name, count=4000):
        took = []
        for i in range(count):
            begun = time.perf_counter()
            sender.send({"id": i})
            sender.answer()
            took.append(time.perf_counter() - begun)
        print(f"idle: {name:<44} p50 {share(took, .5) * 1000:6.2f} ms, p99 {share(took, .99) * 1000:6.2f} ms")
        return share(took, .99)

    requests("warming up")
    alone, beside, crowded = [], [], []
    for _ in range(3):
        alone.append(requests("alone"))
        before = status(service.process.pid)
        crowd = Crowd(service, arguments.connections)
        cpu = cpu_seconds(service.process.pid)
        time.sleep(10)
        spent, used = cpu_seconds(service.process.pid) - cpu, status(service.process.pid)
        print(f"idle: {arguments.connections} connections take {spent:.2f} CPU s in 10 s and "
              f"{(used['RssAnon'] - before['RssAnon']) * 1024 / arguments.connections:.1f} KiB each")
        beside.append(requests(f"beside {arguments.connections} idle connections"))
        slow = Slow(service, 50)
        crowded.append(requests("and 50 slow readers, 50 slow senders"))
        lost = slow.lost
        slow.close()
        print(f"idle: given up by the service: {crowd.closed()} idle, {lost} slow")
        crowd.close()
    def middle(values):
        return sorted(values)[len(values) // 2]

    print(f"idle: p99, middle of 3: beside idle connections {middle(beside) / middle(alone):.2f} times that alone, "
          f"with slow clients {middle(crowded) / middle(alone):.2f} times")
    service.stop()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


Q5 = """apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {{name: q5-{0}-{1}}}
spec:
  parallelism: 2
  workers: {0}
  sleep: {{idleAfter: never}}
  checkpoint: {{interval: 1s}}
  sources:
    - name: bid
      eventTime: {{column: date_time}}
      nexmark: {{table: bid, events: {2}}}
  operators:
    - name: q5
      sql: |
        {3}
  sinks:
    - discard: {{}}
"""


def measure_spread(arguments, folder):
    """Nexmark's q5 in one worker and over two, in turns."""
    query = pathlib.Path(arguments.ebb).resolve().parents[2] / "deployments/examples/nexmark/q5.sql"
    sql = query.read_text().strip().replace("\n", "\n        ")
    service = Service(arguments.ebb, tempfile.mkdtemp(dir=folder), "--warm", "2")
    took = {1: [], 2: []}
    for turn in range(3):
        for workers in took:
            name = f"q5-{workers}-{turn}"
            before = {x: cpu_seconds(x) for x in service.workers()}
            begun = time.perf_counter()
            service.apply(Q5.format(workers, turn, arguments.events, sql))
            service.wait_for(name, "Stopped", 600)
            wall = time.perf_counter() - begun
            cpu = sum(cpu_seconds(x) - before.get(x, 0) for x in service.workers())
            took[workers].append((wall, cpu))
    for workers, all_of in took.items():
        wall, cpu = min(all_of)
        print(f"q5, parallelism 2, {arguments.events / 1e6:.0f} M events, {workers} worker(s): best of three {wall:.2f} s, "
              f"{cpu:.2f} CPU s (start and end included)")
    print(f"two workers to one: {min(took[2])[0] / min(took[1])[0]:.2f}")
    service.stop()


def measure_scale(arguments, folder):
    """How long a stream with state gives no results while its parallelism changes."""
    service = Service(arguments.ebb, tempfile.mkdtemp(dir=folder))
    service.apply(TOPIC.format("in", "k BIGINT, at TIMESTAMP, text TEXT")
                  + TOPIC.format("out", "k BIGINT") + STATE.format().replace("idleAfter: 2s", "idleAfter: 1h"))
    fill(service, arguments.state_mib * (1 << 20) // 128, "2026-01-01T00:00:00", "x" * 60)
    lines, stop, came = Lines(service, "out"), threading.Event(), []

    def send():
        sender = Sender(service, "in")
        while not stop.is_set():
            sender.send({"k": 7, "at": "2026-01-01T00:00:01", "text": "now"})
            sender.answer()
            time.sleep(0.002)

    def read():
        while not stop.is_set():
            lines.next(600)
            came.append(time.perf_counter())

    threads = [threading.Thread(target=x, daemon=True) for x in (send, read)]
    for thread in threads:
        thread.start()
    while not came:
        time.sleep(0.1)
    # Checkpoints that have all of it: the last one before a restart is small then.
    epochs = set()
    while len(epochs) < 4:
        epochs.add(service.get("/v1/streams/windows")["status"].get("checkpoint", {}).get("epoch"))
        time.sleep(0.5)
    for parallelism in (2, 1, 2):
        asked = time.perf_counter()
        service.post(f"/v1/streams/windows:scale?parallelism={parallelism}", "", "application/json")
        time.sleep(6)
        near = [x for x in came if x > asked - 1]
        gap = max((b - a for a, b in zip(near, near[1:])), default=float("nan"))
        print(f"scale to {parallelism}: no results for {gap * 1000:.0f} ms")
    size = sum(x.stat().st_size for x in pathlib.Path(service.folder, "data", "streams").rglob("*.seg"))
    print(f"scale: {size / (1 << 20):.0f} MiB of state")
    stop.set()
    service.stop()


def main():
    parser = argparse.ArgumentParser(description="Measures a service on this machine, clients included.")
    parser.add_argument("ebb")
    parser.add_argument("--only", nargs="*", default=["messages", "latency", "wake", "fetch", "rest", "idle", "spread",
                                                           "scale"])
    parser.add_argument("--folder", help="where the data lies; a temporary one if absent")
    parser.add_argument("--sleepers", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--state-mib", type=int, default=1024)
    parser.add_argument("--events", type=int, default=50_000_000, help="of q5")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="ebb-service-", dir=arguments.folder)
    try:
        for name in arguments.only:
            {"messages": measure_messages, "latency": measure_latency, "wake": measure_wake, "fetch": measure_fetch, "rest": measure_rest,
             "idle": measure_idle, "spread": measure_spread, "scale": measure_scale}[name](arguments, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
