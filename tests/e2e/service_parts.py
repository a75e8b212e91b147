#!/usr/bin/env python3
"""service_parts.py EBB: streams that are spread over several workers. Ends in `N passed, N failed`."""
import collections
import datetime
import json
import os
import signal
import sys

import e2e
from service import Service, wait_for

BASE = datetime.datetime(2026, 1, 1)

MANIFEST = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: in}
spec: {schema: "k TEXT NOT NULL, v BIGINT, at TIMESTAMP NOT NULL", partitions: 4, key: k}
---
apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: out}
spec: {schema: "window_start TIMESTAMP, k TEXT, n BIGINT, total NUMERIC", partitions: 2}
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: counts}
spec:
  parallelism: 4
  workers: 3
  sleep: {idleAfter: IDLE}
  checkpoint: {interval: 100ms}
  sources:
    - name: s
      schema: k TEXT NOT NULL, v BIGINT, at TIMESTAMP NOT NULL
      eventTime: {column: at}
      topic: {name: in}
  operators:
    - name: counted
      sql: |
        SELECT window_start, k, count(*) AS n, sum(v) AS total
        FROM tumble(s, at, INTERVAL '1 second') GROUP BY window_start, k
  sinks:
    - topic: {name: out}
"""
KEYS = [f"key-{i}" for i in range(23)]


class Rows:
    """Sends rows of rising time; knows what comes out."""

    def __init__(self, service):
        self.service = service
        self.next = 0
        self.counts = collections.Counter()
        self.totals = collections.Counter()

    def at(self, number):
        return BASE + datetime.timedelta(milliseconds=number)

    def send(self, count):
        lines = []
        for number in range(self.next, self.next + count):
            key = KEYS[number % len(KEYS)]
            at = self.at(number)
            window = at.replace(microsecond=0).isoformat()
            self.counts[window, key] += 1
            self.totals[window, key] += number
            lines.append(json.dumps({"k": key, "v": number, "at": at.isoformat()}) + "\n")
        self.next += count
        self.service.post("in", "".join(lines))

    def close(self):
        """Ends all windows: each partition gets a row that lies far behind them."""
        later = (BASE + datetime.timedelta(days=1)).isoformat()
        self.service.post("in", "".join(f'{{"k":"{key}","v":0,"at":"{later}"}}\n' for key in KEYS))

    def check(self):
        wait_for(lambda: len(self.service.messages("out")) >= len(self.counts), 60)
        rows = self.service.messages("out")
        found = {(x["window_start"], x["k"]): (x["n"], x["total"]) for x in rows}
        assert len(rows) == len(found), "a window came twice"
        assert found == {x: (n, self.totals[x]) for x, n in self.counts.items()}


def workers(service):
    return service.stream("counts")["status"].get("workers", [])


def pid_of(service, worker):
    for pid in service.workers():
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if f"worker-{worker}".encode() in file.read().split(b"\0"):
                return pid
    raise AssertionError(f"worker {worker} does not run")


def running(service):
    wait_for(lambda: service.phase("counts") == "Running" and len(workers(service)) == 3, 30)


def three_workers(*arguments):
    with Service(*arguments) as service:
        assert service.apply(MANIFEST.replace("IDLE", "1h")).status == 200
        running(service)
        assert len(set(workers(service))) == 3, workers(service)
        rows = Rows(service)
        rows.send(5000)
        rows.close()
        rows.check()


def test_subtasks_lie_in_three_workers():
    three_workers()


def test_subtasks_lie_in_three_workers_over_tls():
    three_workers("--links", "tls")


def test_any_part_may_die():
    with Service() as service:
        assert service.apply(MANIFEST.replace("IDLE", "1h")).status == 200
        rows = Rows(service)
        for part in (0, 1, 2, 0, 2):
            running(service)
            rows.send(700)
            generation = service.stream("counts")["status"]["generation"]
            os.kill(pid_of(service, workers(service)[part]), signal.SIGKILL)
            rows.send(700)
            wait_for(lambda: service.stream("counts")["status"]["generation"] > generation, 30)
        # Frozen: the others must not wait for it for ever.
        running(service)
        os.kill(pid_of(service, workers(service)[1]), signal.SIGSTOP)
        rows.send(700)
        rows.close()
        rows.check()


def test_the_control_process_may_die():
    with Service() as service:
        assert service.apply(MANIFEST.replace("IDLE", "1h")).status == 200
        rows = Rows(service)
        running(service)
        rows.send(1000)
        before = workers(service)
        service.kill()
        service.start()
        running(service)
        status = service.stream("counts")["status"]
        assert status["reason"] == "Adopted" and workers(service) == before, status
        rows.send(1000)
        rows.close()
        rows.check()


def test_it_sleeps_with_all_parts_and_wakes():
    with Service("--warm", "0") as service:
        assert service.apply(MANIFEST.replace("IDLE", "300ms")).status == 200
        rows = Rows(service)
        for _ in range(3):
            rows.send(800)
            service.wait_phase("counts", "Asleep", 30)
        rows.close()
        rows.check()
        service.wait_phase("counts", "Asleep", 30)
        # More parts than subtasks: some have nothing to do.
        answer = service.ask("POST", "/v1/streams/counts:scale?parallelism=2", "")
        assert answer.status == 202, answer
        wake = service.ask("POST", "/v1/streams/counts:wake", "")
        assert wake.status == 202, wake
        wait_for(lambda: service.phase("counts") in ("Running", "Asleep"), 30)


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
