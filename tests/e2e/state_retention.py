#!/usr/bin/env python3
"""`stateRetention` and OVER over rows that update, as a person meets them: `ebb run`, `validate` and `explain`.

    state_retention.py EBB

Ends in `N passed, N failed`.
"""
import json
import pathlib
import sys
import tempfile

from updating_results import CHANGES, DEBEZIUM, Checks

# Of a second each: `a` at the beginning and at the end, `b` between.
ROWS, A_UNTIL, A_FROM = 20_000, 100, 16_000
COLUMNS = {"k": f"CASE WHEN n < {A_UNTIL} OR n >= {A_FROM} THEN 'a' ELSE 'b' END",
           "at": "TIMESTAMP '2024-01-01' + n * INTERVAL '1 second'", "v": "n"}


class Retention(Checks):
    def stream(self, sql, retention="", event_time=True, sinks=DEBEZIUM):
        time = ", eventTime: {column: at}" if event_time else ""
        (self.folder / "m.yaml").write_text(
            "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: m}\nspec:\n  sources:\n"
            f"    - {{name: t, schema: \"k TEXT, at TIMESTAMP NOT NULL, v BIGINT\"{time}, "
            f"generator: {{rows: {ROWS}, columns: {json.dumps(COLUMNS)}}}}}\n"
            f"  operators:\n    - name: totals\n      sql: {json.dumps(sql)}\n"
            + (f"      stateRetention: {retention}\n" if retention else "") + f"  sinks:\n    - {sinks}\n")

    def written_by(self, *arguments):
        """The operations and new values of the changes."""
        code, _, err = self.ebb_does("run", *arguments)
        self.check(f"runs {arguments}", code == 0, err)
        return [(x["op"], tuple((x["after"] or x["before"]).values())) for x in self.written()]


def of_a(changes):
    return [x for x in changes if x[1][0] == "a"]


def dropping(x):
    counts = "SELECT k, count(*) AS n FROM t GROUP BY k"
    x.stream(counts)
    changes = of_a(x.written_by())
    x.check("without retention", changes[-1] == ("u", ("a", A_UNTIL + ROWS - A_FROM)), changes)
    # What is left alone for longer than an hour begins anew.
    for arguments in ((), ("--data", "state")):
        x.stream(counts, "1h")
        changes = of_a(x.written_by(*arguments))
        x.check(f"groups are dropped {arguments}", changes[-1][1] == ("a", ROWS - A_FROM) and [op for op, _ in changes].count("c") == 2
                and ("c", ("a", A_UNTIL)) in changes, changes)
    x.stream(counts, "10h")
    x.check("what is written in time is not", of_a(x.written_by())[-1] == ("u", ("a", A_UNTIL + ROWS - A_FROM)))
    x.stream("SELECT DISTINCT k FROM t", "1h")
    x.check("distinct rows are dropped", x.written_by() == [("c", ("a",)), ("c", ("b",)), ("c", ("a",))], x.written())
    x.stream("SELECT k, v FROM (SELECT k, v, row_number() OVER (PARTITION BY k ORDER BY v) AS n FROM t) AS r WHERE n <= 1", "1h")
    x.check("partitions of a top-N are dropped", of_a(x.written_by()) == [("c", ("a", 0)), ("c", ("a", A_FROM))], x.written())
    x.stream("SELECT k, v, lag(v) OVER (PARTITION BY k ORDER BY v) AS last FROM t", "1h")
    x.check("partitions of OVER are dropped", ("c", ("a", A_FROM, None)) in of_a(x.written_by()), x.written()[-3:])
    x.stream("SELECT l.k, l.v FROM t AS l JOIN (SELECT k FROM t WHERE v = 50) AS r ON l.k = r.k", "1h")
    x.check("rows of a join are dropped", len(x.written_by()) == A_UNTIL, x.written()[-3:])


def saying(x):
    counts = "SELECT k, count(*) AS n FROM t GROUP BY k"
    x.stream(counts)
    code, _, err = x.ebb_does("validate")
    x.check("the warning names the way out", code == 0 and "for each distinct (k)" in err and "stateRetention of operator totals" in err, err)
    x.stream(counts, "36h")
    code, out, err = x.ebb_does("explain")
    x.check("explain says how long", code == 0 and "accumulators per key, dropped by key when not written for 129600 s of event time" in out,
            out)
    x.check("no warning is left", "warning" not in err, err)
    x.stream(counts, "36h", event_time=False)
    code, out, err = x.ebb_does("explain")
    x.check("by the clock", code == 0 and "for 129600 s of processing time" in out, out + err)
    code, _, err = x.ebb_does("run")
    x.check("it runs by the clock", code == 0, err)
    x.stream("SELECT k, v FROM t", "36h")
    code, _, err = x.ebb_does("validate")
    x.check("nothing to drop", code == 0 and "stateRetention of operator totals has no effect" in err
            and "spec.operators[0].stateRetention" in err, err)
    x.stream("SELECT l.k FROM t AS l JOIN t AS r ON l.v < r.v", "36h")
    code, _, err = x.ebb_does("validate")
    x.check("a join without equality is not helped", code == 0 and "no equality between its sides" in err, err)


def over(x):
    x.changes(CHANGES)
    sums = "SELECT article, place, sum(pieces) OVER (PARTITION BY place ORDER BY article DESC) AS so_far FROM stock"
    x.manifest(sums, DEBEZIUM)
    code, out, err = x.ebb_does("run")
    x.check("OVER over changes", code == 0, err)
    rows = {}
    for change in x.written():
        if change["before"]:
            rows.pop(json.dumps(change["before"]))
        if change["after"]:
            rows[json.dumps(change["after"])] = 1
    x.check("its rows", [json.loads(r) for r in rows] == [{"article": 1, "place": "b", "so_far": 4}], rows)
    code, out, err = x.ebb_does("explain")
    x.check("explain of OVER", code == 0 and "all rows per partition, kept for ever" in out and "changes: updating" in out
            and "OVER without a window keeps rows for ever for each distinct (place)" in err, out + err)
    x.manifest(sums.replace("PARTITION BY place ", ""), DEBEZIUM)
    code, out, err = x.ebb_does("explain")
    x.check("all rows in one partition", code == 0 and "OVER without PARTITION BY keeps every row for ever, in one subtask" in err, err)
    x.stream("SELECT k, lead(v) OVER (PARTITION BY k ORDER BY at) AS next FROM t", sinks="file: {path: out.json, format: json}")
    code, _, err = x.ebb_does("validate")
    x.check("an append-only sink is refused", code == 2 and "a later row changes the results of rows around it" in err
            and "order by event time, ascending, over frames that end at the current row" in err, err)
    x.stream("SELECT k, lag(v) OVER (PARTITION BY k ORDER BY at) AS last FROM t", sinks="file: {path: out.json, format: json}")
    code, _, err = x.ebb_does("validate")
    x.check("in the order of event time it only adds rows", code == 0 and "warning" not in err, err)
    for call, says in (("sum(v) OVER (ORDER BY k RANGE BETWEEN 1 PRECEDING AND CURRENT ROW)",
                        "RANGE with offset PRECEDING/FOLLOWING is not supported for column type text"),
                       ("sum(v) OVER (ORDER BY k GROUPS 2 PRECEDING)", "a GROUPS frame is not supported"),
                       ("nth_value(v, 0) OVER (ORDER BY k)", "argument of nth_value must be greater than zero"),
                       ("ntile(0) OVER (ORDER BY k)", "argument of ntile must be greater than zero"),
                       ("sum(v) OVER (ORDER BY k ROWS -1 PRECEDING)", "frame starting offset must not be negative"),
                       ("count(DISTINCT v) OVER (ORDER BY k)", "DISTINCT is not implemented for window functions"),
                       ("lag(v) FILTER (WHERE v > 1) OVER (ORDER BY k)",
                        "FILTER is not implemented for non-aggregate window functions")):
        x.stream(f"SELECT {call} AS x FROM t")
        code, _, err = x.ebb_does("validate")
        x.check(f"refused: {call}", code == 2 and says in err, err)


def main():
    ebb = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="ebb-retention-") as folder:
        x = Retention(ebb, pathlib.Path(folder))
        dropping(x)
        saying(x)
        over(x)
    print(f"{x.passed} passed, {x.failed} failed")
    return 1 if x.failed else 0


if __name__ == "__main__":
    sys.exit(main())
