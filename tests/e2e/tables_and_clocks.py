#!/usr/bin/env python3
"""tables_and_clocks.py EBB: tables that are loaded before a stream is joined with them, and rows that come and go with
the clock, with kills in between, awake and asleep. Ends in `N passed, N failed`."""
import datetime
import json
import random
import signal
import subprocess
import sys
import time

import e2e
from service import Service, wait_for

LOOKUP = """apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: m}
spec:
  parallelism: PARALLEL
  checkpoint: {interval: 100ms}
  sources:
    - name: orders
      schema: at TIMESTAMP NOT NULL, id BIGINT, code BIGINT
      eventTime: {column: at}
      generator: {rows: 60000, rate: 40000, columns: {at: "TIMESTAMP '2024-01-01' + n * INTERVAL '1 second'", id: "n", code: "n % 7"}}
    - name: codes
      schema: code BIGINT, label TEXT
      file: {path: codes.csv, format: csv}
  operators:
    - name: priced
      sql: SELECT o.id, c.label, o.at FROM orders AS o LEFT JOIN codes AS c ON o.code = c.code
    - name: hours
      sql: SELECT window_end, count(*) AS n, count(label) AS labelled FROM tumble(priced, at, INTERVAL '1 hour') GROUP BY window_end
  sinks:
    - {from: priced, file: {path: out.ndjson, format: json}}
    - {name: hours, from: hours, file: {path: hours.ndjson, format: json}}
"""

LIVE = """apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: s}
spec:
  sleep: {idleAfter: 500ms}
  checkpoint: {interval: 200ms}
  sources:
    - name: src
      schema: at TIMESTAMP NOT NULL, account TEXT
      SOURCE
  operators:
    - name: q
      sql: SELECT account, at FROM src WHERE at > now() - INTERVAL 'SPAN'
  sinks:
    - file: {path: OUT, format: debezium}
"""


def lines(name):
    path = e2e.FOLDER / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


def row(account):
    return json.dumps({"at": now().isoformat(), "account": account}) + "\n"


def changes(name):
    return [(x["op"], (x["after"] or x["before"])["account"]) for x in lines(name)]


def ebb(*arguments):
    return subprocess.run([e2e.EBB, *arguments], cwd=e2e.FOLDER, capture_output=True, text=True, timeout=60)


def test_explain_says_what_is_loaded_first():
    e2e.write("codes.csv", "code,label\n1,one\n")
    e2e.write("m.yaml", LOOKUP.replace("PARALLEL", "2"))
    done = ebb("explain", "m.yaml")
    assert done.returncode == 0, done.stderr
    assert "lookup join" in done.stdout, done.stdout
    assert "codes ends and has no event time, so it is loaded first" in done.stdout, done.stdout
    assert "append" in done.stdout
    assert "for ever" not in done.stdout + ebb("validate", "m.yaml").stderr, done.stdout


def test_a_stream_meets_the_whole_table_whatever_dies_and_at_any_parallelism():
    chance = random.Random(7)
    e2e.write("codes.csv", "code,label\n" + "".join(f"{k % 5},{k}\n" for k in range(100)))
    for attempt in range(12):
        e2e.write("m.yaml", LOOKUP.replace("PARALLEL", str(chance.choice([1, 2, 3]))))
        process = subprocess.Popen([e2e.EBB, "run", "m.yaml", "--data", "data", "--quiet"], cwd=e2e.FOLDER)
        try:
            process.wait(timeout=60 if attempt == 11 else chance.uniform(0.1, 0.7))
            assert process.returncode == 0, process.returncode
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=30)
    found = lines("out.ndjson")
    seen = {}
    for x in found:
        seen.setdefault(x["id"], []).append(x["label"])
    assert len(seen) == 60000, len(seen)
    for number, labels in seen.items():
        code = number % 7
        wanted = sorted(str(k) for k in range(100) if k % 5 == code) if code < 5 else [None]
        assert sorted(labels, key=str) == sorted(wanted, key=str), (number, labels)
    # Event time goes on behind the join: every window comes once, and whole.
    hours = {x["window_end"]: (x["n"], x["labelled"]) for x in lines("hours.ndjson")}
    assert len(hours) == len(lines("hours.ndjson")) == 17, hours
    assert sum(n for n, _ in hours.values()) == len(found)
    assert sum(labelled for _, labelled in hours.values()) == sum(x["label"] is not None for x in found)


def test_rows_go_with_the_clock_across_a_crash():
    live = (LIVE.replace("SPAN", "3 seconds").replace("OUT", "out.ndjson")
            .replace("SOURCE", "file: {path: in.ndjson, format: json, follow: true}"))
    e2e.write("m.yaml", live)
    e2e.write("in.ndjson", json.dumps({"at": "2020-01-01T00:00:00", "account": "old"}) + "\n" + row("a"))
    process = subprocess.Popen([e2e.EBB, "run", "m.yaml", "--data", "data", "--quiet"], cwd=e2e.FOLDER)
    wait_for(lambda: changes("out.ndjson") == [("c", "a")])
    process.kill()
    process.wait(timeout=30)
    process = subprocess.Popen([e2e.EBB, "run", "m.yaml", "--data", "data", "--quiet"], cwd=e2e.FOLDER)
    try:
        with open(e2e.FOLDER / "in.ndjson", "a", encoding="utf-8") as more:
            more.write(row("b"))
        wait_for(lambda: changes("out.ndjson") == [("c", "a"), ("c", "b"), ("d", "a"), ("d", "b")], 20)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def test_a_sleeping_stream_is_woken_to_take_a_row_back():
    topic = ("apiVersion: ebb.dev/v1alpha1\nkind: Topic\nmetadata: {name: clicks}\n"
             'spec: {schema: "at TIMESTAMP NOT NULL, account TEXT"}\n---\n')
    (e2e.FOLDER / "files").mkdir(exist_ok=True)
    with Service("--files", "files") as service:
        answer = service.apply(topic + LIVE.replace("SPAN", "8 seconds").replace("OUT", "live.ndjson")
                               .replace("SOURCE", "topic: {name: clicks}"))
        assert answer.status == 200, answer
        begin = time.time()
        answer = service.ask("POST", "/v1/topics/clicks/messages", row("a"), Content_Type="application/x-ndjson")
        assert answer.status == 200, answer
        wait_for(lambda: changes("files/live.ndjson") == [("c", "a")], 20)
        service.wait_phase("s", "Asleep", 20)
        assert service.stream("s")["status"].get("nextWake") is not None
        wait_for(lambda: changes("files/live.ndjson") == [("c", "a"), ("d", "a")], 30)
        assert time.time() - begin > 7.5
        service.wait_phase("s", "Asleep", 20)
        assert service.stream("s")["status"].get("nextWake") is None
        wakes = service.ask("GET", "/v1/streams/s/wakes").json()["items"]
        assert any(x["cause"] == "AlarmDue" for x in wakes), wakes


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
