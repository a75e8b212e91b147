#!/usr/bin/env python3
"""topic_changes.py EBB: topics of changes (format debezium) of a service: a stream that updates writes one, another
reads it, across kills, sleep and another parallelism; and what is refused. Ends in `N passed, N failed`."""
import json
import os
import random
import signal
import subprocess
import sys

import e2e
from service import Service, wait_for

STOCK = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: stock}
spec: {schema: "article BIGINT, place TEXT, pieces BIGINT, PRIMARY KEY (article)", partitions: 3, key: article, format: debezium}
---
apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: by-place}
spec: {schema: "place TEXT, pieces BIGINT, PRIMARY KEY (place)", partitions: 2, key: place, format: debezium}
---
apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: sizes}
spec: {schema: "pieces BIGINT, places BIGINT", format: debezium}
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: places}
spec:
  checkpoint: {interval: 100ms}
  sleep: {idleAfter: IDLE}
  parallelism: PARALLEL
  sources:
    - name: stock
      schema: article BIGINT, place TEXT, pieces BIGINT, PRIMARY KEY (article)
      topic: {name: stock, format: debezium}
  operators:
    - name: by_place
      sql: SELECT place, sum(pieces)::BIGINT AS pieces FROM stock GROUP BY place
  sinks:
    - topic: {name: by-place, format: debezium}
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: sizes}
spec:
  checkpoint: {interval: 100ms}
  sleep: {idleAfter: IDLE}
  parallelism: PARALLEL
  sources:
    - name: places
      schema: place TEXT, pieces BIGINT, PRIMARY KEY (place)
      topic: {name: by-place, format: debezium}
  operators:
    - name: sizes
      sql: SELECT pieces, count(*) AS places FROM places GROUP BY pieces
  sinks:
    - topic: {name: sizes, format: debezium}
"""


def manifest(idle="60s", parallel=1):
    return STOCK.replace("IDLE", idle).replace("PARALLEL", str(parallel))


def table(changes, columns):
    """The rows that are left after the changes. Each must fit what there is."""
    rows = {}
    for change in changes:
        before, after = change["before"], change["after"]
        assert set(change) == {"op", "before", "after"}, change
        assert (before is None) == (change["op"] in "cr") and (after is None) == (change["op"] == "d"), change
        for row, count in ((before, -1), (after, 1)):
            if row is not None:
                assert list(row) == columns, row
                key = tuple(row.values())
                rows[key] = rows.get(key, 0) + count
                assert rows[key] in (0, 1), f"{key} comes or goes twice: {change}"
    return {key for key, count in rows.items() if count}


class Stock:
    """What is in the places; makes changes of it."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.rows = {}

    def change(self):
        article = self.dice.randrange(12)
        old = self.rows.get(article)
        before = old and {"article": article, "place": old[0], "pieces": old[1]}
        if old and self.dice.random() < 0.3:
            del self.rows[article]
            if self.dice.random() < 0.5:
                before = {"article": article}
            return {"op": "d", "before": before, "after": None}
        new = (self.dice.choice(["berlin", "paris", "rome"]), self.dice.randrange(5))
        self.rows[article] = new
        after = {"article": article, "place": new[0], "pieces": new[1]}
        if not old:
            return {"op": self.dice.choice("cr"), "before": None, "after": after}
        form = self.dice.randrange(3)
        if form == 0:
            return {"op": "u", "after": after}
        return {"op": "u", "before": before if form == 1 else {"article": article}, "after": after}

    def send(self, service, count):
        service.post("stock", "".join(json.dumps(self.change()) + "\n" for _ in range(count)))

    def by_place(self):
        places = {}
        for place, pieces in self.rows.values():
            places[place] = places.get(place, 0) + pieces
        return set(places.items())

    def sizes(self):
        sizes = {}
        for _, pieces in self.by_place():
            sizes[pieces] = sizes.get(pieces, 0) + 1
        return set(sizes.items())

    def wait(self, service, seconds=30):
        def there():
            first = table_or_none(service, "by-place", ["place", "pieces"])
            second = table_or_none(service, "sizes", ["pieces", "places"])
            return first == self.by_place() and second == self.sizes()
        try:
            wait_for(there, seconds)
        except AssertionError:
            for topic in ("stock", "by-place", "sizes"):
                print(topic, *service.messages(topic), sep="\n  ")
            print("wanted", self.by_place(), self.sizes())
            raise


def table_or_none(service, topic, columns):
    return table(in_order(service, topic), columns)


def in_order(service, topic):
    """Partition after partition: changes of a row lie in one of them, in their order."""
    partitions = {"by-place": 2, "sizes": 1}[topic]
    found = []
    for p in range(partitions):
        answer = service.ask("GET", f"/v1/topics/{topic}/messages?partition={p}")
        assert answer.status == 200, answer
        found += [json.loads(line) for line in answer.body.splitlines()]
    return found


def test_changes_go_from_stream_to_stream():
    stock = Stock(1)
    with Service() as service:
        assert service.apply(manifest()).status == 200
        service.post("stock", '{"op":"c","after":{"article":1,"place":"rome","pieces":3}}\n')
        stock.rows[1] = ("rome", 3)
        stock.wait(service)
        assert in_order(service, "by-place") == [
            {"op": "c", "before": None, "after": {"place": "rome", "pieces": 3}}]
        service.post("stock", '{"op":"u","before":{"article":1},"after":{"article":1,"place":"rome","pieces":5}}\n')
        stock.rows[1] = ("rome", 5)
        stock.wait(service)
        # An update stays one: the plan knows that a place has one row.
        assert in_order(service, "by-place")[1:] == [
            {"op": "u", "before": {"place": "rome", "pieces": 3}, "after": {"place": "rome", "pieces": 5}}]
        for _ in range(20):
            stock.send(service, 17)
        stock.wait(service)
        for op in ("tail", "inspect"):
            arguments = ["stock", "--from", "earliest", "--limit", "1"] if op == "tail" else ["places", "by_place"]
            said = subprocess.run([e2e.EBB, op, *arguments], capture_output=True, text=True, timeout=30, check=False)
            assert said.returncode == 0 and said.stdout, said


def test_nothing_is_lost_or_doubled_whatever_dies():
    dice = random.Random(3)
    stock = Stock(2)
    with Service() as service:
        assert service.apply(manifest("300ms", 2)).status == 200
        for turn in range(14):
            stock.send(service, 1 + dice.randrange(40))
            fault = turn % 7
            if fault in (1, 4):
                for pid in service.workers():
                    os.kill(pid, signal.SIGKILL)
            elif fault == 2:
                service.kill()
                service.start()
            elif fault == 3:
                for name in ("places", "sizes"):
                    answer = service.ask("POST", f"/v1/streams/{name}:scale?parallelism={1 + dice.randrange(4)}", "")
                    assert answer.status in (202, 409), answer
            elif fault == 5:
                stock.wait(service)
                service.wait_phase("sizes", "Asleep", 70)
        stock.wait(service, 60)
        for name in ("places", "sizes"):
            assert service.stream(name)["status"]["phase"] != "Failed"


TOTALS = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: clicks}
spec: {schema: "account TEXT"}
---
apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: totals}
spec: {schema: "clicks BIGINT, last TEXT", format: debezium}
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: s}
spec:
  checkpoint: {interval: 100ms}
  sleep: {idleAfter: 300ms}
  parallelism: 2
  sources:
    - {name: src, schema: account TEXT, topic: {name: clicks}}
  operators:
    - {name: q, sql: "SELECT count(*) AS clicks, max(account) AS last FROM src"}
  sinks:
    - topic: {name: totals, format: debezium}
"""


def test_the_row_of_no_rows_comes_once():
    nothing, one = {"clicks": 0, "last": None}, {"clicks": 1, "last": "a"}
    with Service() as service:
        assert service.apply(TOTALS).status == 200
        begun = [{"op": "c", "before": None, "after": nothing}]
        wait_for(lambda: service.messages("totals") == begun)
        service.wait_phase("s", "Asleep", 70)
        for order in ("wake", "scale?parallelism=5", "wake"):
            answer = service.ask("POST", f"/v1/streams/s:{order}", "")
            assert answer.status == 202, answer
            service.wait_phase("s", "Asleep", 70)
            assert service.messages("totals") == begun
        service.ask("POST", "/v1/streams/s:wake", "")
        service.kill()
        service.start()
        service.post("clicks", '{"account":"a"}\n')
        wait_for(lambda: service.messages("totals")[1:] == [{"op": "u", "before": nothing, "after": one}])


def refusal(service, text):
    answer = service.apply(text)
    assert answer.status == 400, answer
    problem = answer.json()
    return problem.get("field", ""), problem["detail"], problem.get("hint", "")


def test_what_does_not_fit_is_refused():
    with Service() as service:
        topics, places, _ = manifest().rsplit("---\n", 2)
        assert service.apply(topics).status == 200
        cases = [
            ("topic: {name: stock, format: debezium}", "topic: {name: stock}", "topic.format", "holds changes"),
            (", PRIMARY KEY (article)\n", "\n", "topic.format", "told apart by PRIMARY KEY (article)"),
            ("topic: {name: by-place, format: debezium}", "topic: {name: by-place}", "topic.format", "takes changes"),
            ("topic: {name: by-place, format: debezium}", "topic: {name: by-place, format: avro}", "topic.format",
             "expected json or debezium"),
            ("SELECT place, sum(pieces)::BIGINT AS pieces FROM stock GROUP BY place",
             "SELECT place, pieces FROM stock", "sinks[0]", "told apart by PRIMARY KEY (place)"),
        ]
        for old, new, field, said in cases:
            assert old in places, old
            got = refusal(service, places.replace(old, new))
            assert field in got[0] and said in got[1] and got[2], (old, got)
        # A topic keeps its format.
        changed = topics.replace("PRIMARY KEY (place)\", partitions: 2, key: place", "PRIMARY KEY (pieces)\", partitions: 2, key: pieces")
        assert changed != topics
        assert service.apply(changed).status == 409
        for line, said in (('{"op":"c"}', "without \"after\""), ('{"article":1}', "has no \"op\""),
                           ('{"op":"u","before":{"article":1},"after":{"article":2}}', "chooses the partition")):
            good = '{"op":"c","after":{"article":1,"pieces":1}}'
            answer = service.ask("POST", "/v1/topics/stock/messages", f"{good}\n{line}\n{good}\n",
                                 Content_Type="application/x-ndjson")
            assert answer.status == 400 and answer.json()["line"] == 2 and said in answer.json()["detail"], answer
        assert service.messages("stock") == []


AHEAD = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: clicks}
spec: {schema: "at TIMESTAMP, account TEXT"}
---
apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: counts}
spec: {schema: "window_end TIMESTAMP, n BIGINT"}
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: s}
spec:
  checkpoint: {interval: 100ms}
  sources:
    - name: src
      schema: at TIMESTAMP, account TEXT
      eventTime: {column: at, maxAhead: 1h}
      onBadRecord: POLICY
      topic: {name: clicks}
  operators:
    - name: q
      sql: SELECT window_end, count(*) AS n FROM tumble(src, at, INTERVAL '20 seconds') GROUP BY window_end
  sinks:
    - topic: {name: counts}
"""


def click(second, year=2024):
    return f'{{"at":"{year}-01-01T00:00:{second:02}","account":"a"}}\n'


def test_a_row_from_the_future_is_a_bad_record():
    with Service() as service:
        assert service.apply(AHEAD.replace("POLICY", "skip")).status == 200
        service.post("clicks", click(1) + click(2, 2199) + click(3) + click(30))
        wait_for(lambda: service.messages("counts") == [{"window_end": "2024-01-01T00:00:20", "n": 2}])
        wait_for(lambda: '"badRows":1' in service.ask("GET", "/v1/streams/s").body.decode().replace(" ", ""))
        service.post("clicks", click(31) + click(50))
        wait_for(lambda: service.messages("counts")[1:] == [{"window_end": "2024-01-01T00:00:40", "n": 2}])


def test_a_row_from_the_future_fails_the_stream_where_it_says_so():
    with Service() as service:
        assert service.apply(AHEAD.replace("POLICY", "fail")).status == 200
        service.post("clicks", click(1) + click(2, 2199) + click(30))
        service.wait_phase("s", "Failed")
        status = service.stream("s")["status"]
        assert "2199-01-01T00:00:02 is further ahead of the clock than maxAhead allows" in status["message"], status
        assert "record 1" in status["message"], status


def test_files_know_the_bound_as_well():
    (e2e.FOLDER / "clicks.ndjson").write_text(click(1) + click(2, 2199) + click(3) + click(30), encoding="utf-8")
    for policy, code in (("quarantine", 0), ("skip", 0), ("fail", 1)):
        text = AHEAD.split("---\n")[2].replace("POLICY", policy)
        text = text.replace("    - topic: {name: counts}", "    - file: {path: out.ndjson, format: json}")
        text = text.replace("topic: {name: clicks}", "file: {path: clicks.ndjson, format: json}")
        (e2e.FOLDER / "ahead.yaml").write_text(text, encoding="utf-8")
        run = subprocess.run([e2e.EBB, "run", "ahead.yaml", "--data", "data-" + policy], cwd=e2e.FOLDER,
                             capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == code, run
        if code == 0:
            rows = [json.loads(x) for x in (e2e.FOLDER / "out.ndjson").read_text(encoding="utf-8").splitlines()]
            assert rows == [{"window_end": "2024-01-01T00:00:20", "n": 2},
                            {"window_end": "2024-01-01T00:00:40", "n": 1}], rows
        else:
            assert "clicks.ndjson:2" in run.stderr and "maxAhead" in run.stderr, run.stderr
    kept = (e2e.FOLDER / "data-quarantine" / "quarantine" / "s-src.ndjson").read_text(encoding="utf-8").splitlines()
    assert len(kept) == 1 and json.loads(kept[0])["raw"] == click(2, 2199).strip(), kept


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
