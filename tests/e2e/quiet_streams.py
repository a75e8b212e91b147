#!/usr/bin/env python3
"""quiet_streams.py EBB: event time of partitions and streams that bring no rows, in `ebb run` and in a service,
awake and asleep. Ends in `N passed, N failed`."""
import datetime
import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import e2e
from service import Service, wait_for

TOPICS = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: clicks}
spec: {schema: "at TIMESTAMP, account TEXT", partitions: 2, key: account}
---
apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: counts}
spec: {schema: "window_end TIMESTAMP, n BIGINT"}
---
"""
STREAM = """apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: s}
spec:
  sleep: SLEEP
  checkpoint: {interval: 200ms}
  sources:
    - name: src
      schema: at TIMESTAMP, account TEXT
      eventTime: EVENT
      SOURCE
  operators:
    - name: q
      sql: |
        SELECT window_end, count(*) AS n FROM tumble(src, at, INTERVAL 'SIZE')
        GROUP BY window_end
  sinks:
    - SINK
"""


def stream(sleep, size, event="{column: at}", source="topic: {name: clicks}", sink="topic: {name: counts}"):
    return (STREAM.replace("SLEEP", sleep).replace("SIZE", size).replace("EVENT", event)
            .replace("SOURCE", source).replace("SINK", sink))


def clicks(*seconds):
    return "".join(f'{{"at":"2024-01-01T00:00:{x:06.3f}","account":"a"}}\n' for x in seconds)


def send(service, *seconds):
    answer = service.ask("POST", "/v1/topics/clicks/messages", clicks(*seconds), Content_Type="application/x-ndjson")
    assert answer.status == 200, answer


def counts(service):
    return [(x["window_end"][-8:], x["n"]) for x in service.messages("counts")]


def late_rows(service):
    run = service.stream("s")["status"].get("run", {"operators": []})
    return sum(x["lateRows"] for x in run["operators"])


def next_wake(service):
    return service.stream("s")["status"].get("nextWake")


def test_windows_of_a_stream_that_sleeps_fire_and_it_sleeps_again():
    with Service() as service:
        answer = service.apply(TOPICS + stream("{idleAfter: 500ms, whenIdle: advance, advanceAfter: 1s}",
                                               "20 seconds"))
        assert answer.status == 200, answer
        begin = time.time()
        send(service, 2, 8, 9, 28)
        # The other partition has never had rows.
        wait_for(lambda: counts(service) == [("00:00:20", 3)])
        service.wait_phase("s", "Asleep")
        assert next_wake(service) is not None
        assert len(counts(service)) == 1
        # Another control process has the alarm as well.
        service.kill()
        service.start()
        wait_for(lambda: len(counts(service)) == 2, 30)
        assert counts(service)[1] == ("00:00:40", 1)
        took = time.time() - begin
        assert 11.5 < took < 25, took  # 12 s of event time
        service.wait_phase("s", "Asleep", 30)
        assert next_wake(service) is None, service.stream("s")
        wakes = service.ask("GET", "/v1/streams/s/wakes").json()["items"]
        assert any(x["cause"] == "AlarmDue" for x in wakes), wakes
        # What its windows have done counts across sleep.
        send(service, 30, 45)
        wait_for(lambda: late_rows(service) == 1)
        time.sleep(1)
        assert len(counts(service)) == 2
        why = service.ask("GET", "/v1/streams/s/why").json()["sentences"]
        assert why, why


def test_the_partition_that_holds_the_watermark_is_named():
    with Service() as service:
        assert service.apply(TOPICS + stream("{idleAfter: 60s}", "20 seconds")).status == 200
        send(service, 2, 50)
        service.wait_phase("s", "Running")
        said = wait_for(lambda: [x for x in service.ask("GET", "/v1/streams/s/why").json()["sentences"]
                                 if "which has had no rows" in x])
        assert re.search(r"partition [01] of source src", said[0]), said
        assert "partition" in service.stream("s")["status"]["run"]["heldBackBy"]
        assert counts(service) == []
        # The remedy that it names.
        changed = stream("{idleAfter: 60s}", "20 seconds", "{column: at, idleAfter: 1s}")
        assert service.apply(TOPICS + changed).status == 200
        wait_for(lambda: counts(service) == [("00:00:20", 1)])


def test_a_row_from_the_future_is_explained():
    with Service() as service:
        assert service.apply(TOPICS + stream("{idleAfter: 60s}", "20 seconds",
                                             "{column: at, idleAfter: 500ms}")).status == 200
        body = '{"at":"2199-01-01T00:00:00","account":"a"}'
        assert service.ask("POST", "/v1/topics/clicks/messages", body).status == 200
        said = wait_for(lambda: [x for x in service.ask("GET", "/v1/streams/s/why").json()["sentences"]
                                 if "ahead of the clock" in x])
        assert re.search(r"its event time is \d+ d ahead of the clock: a row from the future", said[0]), said


def test_an_idle_partition_of_a_sleeping_stream_lets_go():
    with Service() as service:
        assert service.apply(TOPICS + stream("{idleAfter: 500ms}", "20 seconds",
                                             "{column: at, idleAfter: 9s}")).status == 200
        send(service, 2, 50)
        service.wait_phase("s", "Asleep")
        assert counts(service) == [] and next_wake(service) is not None
        wait_for(lambda: counts(service) == [("00:00:20", 1)], 30)


def test_rows_that_follow_the_clock_are_never_late_whatever_dies():
    """A backlog is not silence: what waits while a worker is dead or starts is in its window, once."""
    dice = random.Random(5)
    with Service() as service:
        sleep = "{idleAfter: 300ms, whenIdle: advance, advanceAfter: 1s}"
        assert service.apply(TOPICS + stream(sleep, "2 seconds", "{column: at, maxDelay: 1s}")).status == 200
        sent = 0
        for turn in range(14):
            for _ in range(dice.randint(1, 4)):
                now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
                answer = service.ask("POST", "/v1/topics/clicks/messages",
                                     {"at": now, "account": dice.choice("abcdef")})
                assert answer.status == 200, answer
                sent += 1
            time.sleep(dice.choice((0.05, 0.4, 1.5, 3)))
            if turn % 4 == 1:
                service.kill()
                service.start()
            elif turn % 2 == 0:
                for worker in service.workers():
                    os.kill(worker, signal.SIGKILL)
        wait_for(lambda: sum(n for _, n in counts(service)) == sent, 60)
        ends = [end for end, _ in counts(service)]
        assert len(ends) == len(set(ends)), counts(service)
        wait_for(lambda: service.phase("s") == "Asleep" and next_wake(service) is None, 60)


class Run:
    """`ebb run --data` of m.yaml."""

    def __enter__(self):
        self.process = subprocess.Popen([e2e.EBB, "run", "m.yaml", "--data", "data", "--quiet"], cwd=e2e.FOLDER)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=30)

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=30)


def results():
    path = e2e.FOLDER / "out.ndjson"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [(x["window_end"][-8:], x["n"]) for x in map(json.loads, lines)]


FILES = "file: {path: 'in-*.ndjson', format: json, follow: true}"
OUT = "file: {path: out.ndjson, format: json}"


def test_an_empty_file_that_is_followed_lets_go():
    e2e.write("in-a.ndjson", clicks(2, 50))
    e2e.write("in-b.ndjson", "")
    e2e.write("m.yaml", stream("{}", "20 seconds", "{column: at, idleAfter: 1s}", FILES, OUT))
    with Run():
        wait_for(lambda: results() == [("00:00:20", 1)])
        # It is back, and late.
        e2e.write("in-b.ndjson", clicks(3, 55))
        time.sleep(0.5)
        with open(e2e.FOLDER / "in-a.ndjson", "a", encoding="utf-8") as more:
            more.write('{"at":"2024-01-01T00:01:10","account":"a"}\n')
        wait_for(lambda: results() == [("00:00:20", 1), ("00:01:00", 2)])
    e2e.write("m.yaml", stream("{}", "20 seconds", "{column: at}", FILES, "file: {path: held.ndjson, format: json}"))
    (e2e.FOLDER / "in-b.ndjson").write_text("", encoding="utf-8")
    process = subprocess.Popen([e2e.EBB, "run", "m.yaml", "--quiet"], cwd=e2e.FOLDER)
    time.sleep(2)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)
    assert (e2e.FOLDER / "held.ndjson").read_text(encoding="utf-8") == ""


def test_windows_of_a_quiet_run_fire_once_across_a_crash():
    e2e.write("in-a.ndjson", clicks(1, 2.5))
    e2e.write("m.yaml", stream("{whenIdle: advance, advanceAfter: 500ms}", "3 seconds", "{column: at}", FILES, OUT))
    with Run() as run:
        time.sleep(0.3)
        run.kill()
    with Run() as run:
        wait_for(lambda: results() == [("00:00:03", 2)])
        with open(e2e.FOLDER / "in-a.ndjson", "a", encoding="utf-8") as more:
            more.write(clicks(2.9, 59))  # the first is late
        wait_for(lambda: results() == [("00:00:03", 2), ("00:01:00", 1)])
        run.kill()
    with Run():
        time.sleep(1.5)
    assert results() == [("00:00:03", 2), ("00:01:00", 1)], results()


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
