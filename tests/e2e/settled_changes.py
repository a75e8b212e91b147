#!/usr/bin/env python3
"""settled_changes.py EBB: results that are told apart by a primary key whose rows are joined, counted or ranked by another
column. Who reads their changes by the key has the right rows at any parallelism, from a file and from a topic of changes with that
PRIMARY KEY, across kills and other parallelisms. Ends in `N passed, N failed`."""
import json
import os
import random
import signal
import sys

import e2e
from service import Service, wait_for

ORDERS, CUSTOMERS, CHANGES = 30, 8, 6000
QUERIES = {
    "inner": "SELECT o.id, c.name FROM orders AS o JOIN cust AS c ON c.id = o.cust",
    "left": "SELECT o.id, o.cust, c.name FROM orders AS o LEFT JOIN cust AS c ON c.id = o.cust",
    "over": "SELECT id, cust, count(*) OVER (PARTITION BY cust) AS n FROM orders",
    "scalar": "SELECT o.id, (SELECT c.name FROM cust AS c WHERE c.id = o.cust) AS name FROM orders AS o",
    "second": "SELECT id, cust FROM (SELECT id, cust, row_number() OVER (PARTITION BY cust ORDER BY id) AS place FROM orders) AS x "
              "WHERE place <= 2",
}


class Table:
    """Orders that change hands all the time."""

    def __init__(self, seed):
        self.random, self.rows = random.Random(seed), {}

    def changes(self, count):
        records = []
        for _ in range(count):
            number, row = self.random.randint(1, ORDERS), {"cust": self.random.randint(1, CUSTOMERS + 1)}
            after, before = {"id": number, **row}, self.rows.get(number)
            if before is not None and self.random.random() < 0.1:
                records.append({"op": "d", "before": self.rows.pop(number), "after": None})
                continue
            records.append({"op": "u" if before else "c", "before": before, "after": after})
            self.rows[number] = after
        return "".join(json.dumps(x) + "\n" for x in records)

    def answers(self):
        name = {c: f"n{c}" for c in range(1, CUSTOMERS + 1)}
        by_customer = {}
        for number in sorted(self.rows):
            by_customer.setdefault(self.rows[number]["cust"], []).append(number)
        rows = sorted(self.rows.values(), key=lambda x: x["id"])
        return {
            "inner": {x["id"]: {"id": x["id"], "name": name[x["cust"]]} for x in rows if x["cust"] in name},
            "left": {x["id"]: {**x, "name": name.get(x["cust"])} for x in rows},
            "over": {x["id"]: {**x, "n": len(by_customer[x["cust"]])} for x in rows},
            "scalar": {x["id"]: {"id": x["id"], "name": name.get(x["cust"])} for x in rows},
            "second": {x["id"]: x for x in rows if x["id"] in by_customer[x["cust"]][:2]},
        }


def customers():
    return "".join(json.dumps({"op": "c", "before": None, "after": {"id": c, "name": f"n{c}"}}) + "\n"
                   for c in range(1, CUSTOMERS + 1))


def by_key(lines):
    """The rows for a reader who knows the key alone; and the first change that is none of such a table."""
    rows, wrong = {}, None
    for number, line in enumerate(lines, 1):
        change = json.loads(line) if isinstance(line, str) else line
        before, after = change["before"], change["after"]
        if before is not None and rows.pop(before["id"], None) != before:
            wrong = wrong or f"line {number} takes back what is not there: {line}"
        if after is not None:
            if after["id"] in rows:
                wrong = wrong or f"line {number} is a second row: {line}"
            rows[after["id"]] = after
    return rows, wrong


def test_files_that_are_read_by_the_key():
    table, folder = Table(1), e2e.FOLDER
    (folder / "orders.ndjson").write_text(table.changes(CHANGES))
    (folder / "cust.ndjson").write_text(customers())
    (folder / "m.yaml").write_text(
        "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: m}\nspec:\n  sources:\n"
        "    - {name: orders, schema: \"id BIGINT NOT NULL, cust BIGINT, PRIMARY KEY (id)\", file: {path: orders.ndjson, format: debezium}}\n"
        "    - {name: cust, schema: \"id BIGINT NOT NULL, name TEXT, PRIMARY KEY (id)\", file: {path: cust.ndjson, format: debezium}}\n"
        "  operators:\n" + "".join(f"    - {{name: {n}, sql: {json.dumps(sql)}}}\n" for n, sql in QUERIES.items())
        + "  sinks:\n" + "".join(f"    - {{name: {n}, from: {n}, file: {{path: {n}.out, format: debezium}}}}\n" for n in QUERIES))
    for parallelism in (1, 2, 5):
        for name in QUERIES:
            (folder / f"{name}.out").unlink(missing_ok=True)
        done = e2e.ebb("run", "m.yaml", "--parallelism", parallelism)
        assert done.returncode == 0, done
        for name, answer in table.answers().items():
            rows, wrong = by_key((folder / f"{name}.out").read_text().splitlines())
            assert wrong is None and rows == answer, (name, parallelism, wrong, len(rows), len(answer))

    said = e2e.ebb("explain", "m.yaml")
    assert ("inner: changes of one (id) come from several subtasks and are put in order, since join inner has rows meet by (cust)"
            in said.stdout and said.stdout.count("\n  settle ") == len(QUERIES)), said


NAMED = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: orders}
spec: {schema: "id BIGINT, cust BIGINT, PRIMARY KEY (id)", partitions: 2, key: id, format: debezium}
---
apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: cust}
spec: {schema: "id BIGINT, name TEXT, PRIMARY KEY (id)", format: debezium}
---
apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: named}
spec: {schema: "id BIGINT, name TEXT, PRIMARY KEY (id)", format: debezium}
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: namer}
spec:
  parallelism: 2
  checkpoint: {interval: 100ms}
  sources:
    - {name: orders, schema: "id BIGINT, cust BIGINT, PRIMARY KEY (id)", topic: {name: orders, format: debezium}}
    - {name: cust, schema: "id BIGINT, name TEXT, PRIMARY KEY (id)", topic: {name: cust, format: debezium}}
  operators:
    - {name: named, sql: "SELECT o.id, c.name FROM orders AS o JOIN cust AS c ON c.id = o.cust"}
  sinks:
    - topic: {name: named, format: debezium}
"""


def test_a_topic_with_that_primary_key():
    table = Table(2)
    with Service() as service:
        applied = service.apply(NAMED)
        assert applied.status == 200, applied
        service.post("cust", customers())
        for parallelism in (2, 3, 1):
            if parallelism != 2:
                answer = service.ask("POST", f"/v1/streams/namer:scale?parallelism={parallelism}", "")
                assert answer.status in (202, 409), answer
            service.post("orders", table.changes(1500))
            if parallelism == 3:
                for pid in service.workers():
                    os.kill(pid, signal.SIGKILL)
            answer = table.answers()["inner"]

            def is_right():
                rows, wrong = by_key(service.messages("named"))
                assert wrong is None, wrong
                return rows == answer
            wait_for(is_right, 60)


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
