#!/usr/bin/env python3
"""Results that update, as a person meets them: `ebb run`, `validate` and `explain` on small manifests.

    updating_results.py EBB

Ends in `N passed, N failed`.
"""
import json
import pathlib
import subprocess
import sys
import tempfile
import time

CHANGES = [
    {"op": "c", "before": None, "after": {"article": 1, "place": "a", "pieces": 5}},
    {"op": "c", "before": None, "after": {"article": 2, "place": "a", "pieces": 7}},
    {"op": "u", "before": {"article": 1, "place": "a", "pieces": 5}, "after": {"article": 1, "place": "b", "pieces": 4}},
    {"op": "d", "before": {"article": 2, "place": "a", "pieces": 7}, "after": None},
]
STOCK = ("    - {name: stock, schema: \"article BIGINT NOT NULL, place TEXT, pieces BIGINT, PRIMARY KEY (article)\", "
         "file: {path: stock, format: debezium}}\n")
PLAIN = ("    - {name: stock, schema: \"article BIGINT, place TEXT, pieces BIGINT\", "
         "file: {path: stock, format: debezium}}\n")


class Checks:
    def __init__(self, ebb, folder):
        self.ebb, self.folder = ebb, folder
        self.passed = self.failed = 0

    def check(self, name, right, what=""):
        self.passed += bool(right)
        self.failed += not right
        if not right:
            print(f"FAILED {name}: {str(what)[:1500]}", flush=True)

    def manifest(self, sql, sinks, sources=STOCK):
        (self.folder / "m.yaml").write_text(
            "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: m}\nspec:\n  sources:\n" + sources
            + f"  operators:\n    - name: totals\n      sql: {json.dumps(sql)}\n  sinks:\n    - {sinks}\n")

    def ebb_does(self, *arguments):
        done = subprocess.run([self.ebb, *arguments, "m.yaml"], cwd=self.folder, capture_output=True, text=True, timeout=60)
        return done.returncode, done.stdout, done.stderr

    def changes(self, records, parts=4):
        """Each part makes a batch of its own."""
        stock = self.folder / "stock"
        stock.mkdir(exist_ok=True)
        for old in stock.iterdir():
            old.unlink()
        for part in range(parts):
            (stock / f"{part}.ndjson").write_text("".join(json.dumps(x) + "\n" for x in records[part::parts]))

    def written(self):
        return [json.loads(line) for line in (self.folder / "out.ndjson").read_text().splitlines()]

    def left_of(self, name):
        """Counts by what they are of, after all changes in the file; a change of what is not there shows as such."""
        rows = {}
        at = self.folder / name
        whole = at.read_text().rpartition("\n")[0] if at.exists() else ""  # a line may be under way
        for line in whole.splitlines():
            change = json.loads(line)
            if change["before"] is not None and rows.pop(change["before"]["what"], None) != change["before"]["n"]:
                rows["not there"] = change["before"]["n"]
            if change["after"] is not None:
                rows[change["after"]["what"]] = change["after"]["n"]
        return rows


SUMS = "SELECT place, sum(pieces) AS pieces FROM stock GROUP BY place"
DEBEZIUM = "file: {path: out.ndjson, format: debezium}"


def run_checks(x):
    x.changes(CHANGES)
    x.manifest(SUMS, DEBEZIUM)
    code, out, err = x.ebb_does("run")
    x.check("debezium to debezium", code == 0, err)
    x.check("its records", x.written() == [
        {"op": "c", "before": None, "after": {"place": "a", "pieces": 5}},
        {"op": "u", "before": {"place": "a", "pieces": 5}, "after": {"place": "a", "pieces": 12}},
        {"op": "u", "before": {"place": "a", "pieces": 12}, "after": {"place": "a", "pieces": 7}},
        {"op": "c", "before": None, "after": {"place": "b", "pieces": 4}},
        {"op": "d", "before": {"place": "a", "pieces": 7}, "after": None}], x.written())
    code, out, err = x.ebb_does("validate")
    x.check("validate names what grows", code == 0 and "GROUP BY without a window keeps one entry for ever for each distinct (place)"
            in out + err, out + err)
    code, out, err = x.ebb_does("explain")
    x.check("explain says what updates", code == 0 and "changes: updating, unique key place" in out
            and "totals: updating: GROUP BY without a window" in out, out)
    x.manifest(SUMS, "stdout: {}")
    code, out, err = x.ebb_does("run")
    x.check("stdout as a table", code == 0 and out.splitlines()[0].split() == ["op", "|", "place", "|", "pieces"]
            and " -  | a" in out and " +  | b" in out, out + err)
    x.manifest(SUMS, "stdout: {format: json}")
    code, out, err = x.ebb_does("run")
    x.check("stdout as JSON", code == 0 and '{"op":"d","before":{"place":"a","pieces":7},"after":null}' in out, out + err)
    x.manifest(SUMS, "stdout: {format: csv}")
    code, out, err = x.ebb_does("run")
    x.check("stdout as CSV", code == 0 and out.startswith("op,place,pieces\n+,a,5\n"), out + err)
    x.manifest(SUMS, "file: {path: out.json, format: json}")
    code, out, err = x.ebb_does("run")
    x.check("an append-only sink is refused", code != 0 and "sink sink only adds rows, but the result of totals updates because of "
            "stock: its records are changes" in err and "write the changes: format: debezium, or stdout" in err, err)
    x.manifest(SUMS, "file: {path: out.json, format: json}", STOCK.replace("debezium", "json").replace(", PRIMARY KEY (article)", ""))
    code, out, err = x.ebb_does("validate")
    x.check("the other way out is a window", code != 0 and "the result of totals updates: GROUP BY without a window revises" in err
            and "or make the result append-only: group by window_start and window_end" in err, err)
    x.manifest(SUMS, DEBEZIUM, PLAIN)
    x.changes([CHANGES[0], {"op": "d", "before": {"article": 1, "place": "a", "pieces": 6}, "after": None},
               {"op": "d", "before": {"article": 1, "place": "a", "pieces": 6}, "after": None}], 3)
    code, out, err = x.ebb_does("run")
    x.check("changes without a key are warned of", "m.yaml:6:" in err and "source stock reads changes without a PRIMARY KEY" in err
            and "add PRIMARY KEY" in err, err)
    for parallelism in ("1", "3"):
        for sql in (SUMS, "SELECT place, max(pieces) AS most FROM stock GROUP BY place"):
            x.manifest(sql, DEBEZIUM, PLAIN)
            code, out, err = x.ebb_does("run", "--parallelism", parallelism)
            x.check(f"a wrong before is an error while it runs, parallelism {parallelism}", code == 1 and "operator totals" in err
                    and "a row is deleted that is not there: its key is (a)" in err and "look at source stock: " in err, (code, err))
    x.changes([{"op": "x"}], 1)
    code, out, err = x.ebb_does("run")
    x.check("a record that is no change is an error with its place",
            code != 0 and 'op "x" is not supported' in err and "0.ndjson:1" in err, err)
    upserts = ("    - {name: stock, schema: \"article BIGINT NOT NULL, place TEXT, pieces BIGINT, PRIMARY KEY (article)\", "
               "onConflict: replace, file: {path: stock.csv}}\n")
    (x.folder / "stock.csv").write_text("article,place,pieces\n1,a,5\n2,a,7\n1,b,9\n")
    x.manifest("SELECT * FROM stock", DEBEZIUM, upserts)
    code, out, err = x.ebb_does("run")
    x.check("upserts", code == 0 and {json.dumps(c["after"]) for c in x.written()} == {
        '{"article": 1, "place": "b", "pieces": 9}', '{"article": 2, "place": "a", "pieces": 7}'}, err)
    x.manifest(SUMS, DEBEZIUM, upserts.replace("onConflict: replace, ", "").replace("BIGINT NOT NULL", "BIGINT").replace(
        ", PRIMARY KEY (article)", "").replace("file:", "onConflict: replace, file:"))
    code, out, err = x.ebb_does("validate")
    x.check("replace needs a key", code != 0 and "onConflict: replace needs a PRIMARY KEY" in err, err)
    x.manifest("SELECT count(*) AS n FROM tumble(stock, at, INTERVAL '1 hour') GROUP BY window_end", DEBEZIUM,
               STOCK.replace("pieces BIGINT", "pieces BIGINT, at TIMESTAMP").replace(
                   "file:", "eventTime: {column: at}, file:"))
    code, out, err = x.ebb_does("validate")
    x.check("windows over rows that update are refused", code != 0 and "its rows update" in err, err)


def unbounded_state(x):
    """State that nothing bounds is warned of, with the operator and what it grows by."""
    x.changes(CHANGES)
    x.manifest("SELECT place FROM stock", DEBEZIUM)
    code, out, err = x.ebb_does("validate")
    x.check("a source of changes says what it keeps", code == 0 and "m.yaml:6:" in err and "a row that is deleted (op d) is let go" in err
            and "source stock keeps the last row of each distinct (article) for ever" in err, err)
    plain = ("    - {name: a, schema: \"id BIGINT, v BIGINT\", file: {path: a.csv}}\n"
             "    - {name: b, schema: \"id BIGINT, w BIGINT\", file: {path: b.csv}}\n")
    (x.folder / "a.csv").write_text("id,v\n1,2\n")
    (x.folder / "b.csv").write_text("id,w\n1,5\n")
    cost = "every row of both is kept for ever and compared with every row of the other, in one subtask"
    for sql, says in (
            ("SELECT a.id, b.w FROM a JOIN b ON a.v < b.w", "no equality between its sides: " + cost),
            ("SELECT a.id, b.w FROM a LEFT JOIN b ON a.v < b.w", "no equality between its sides: " + cost),
            ("SELECT a.id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.w > a.v)", "no equality with the rows around it: " + cost),
            ("SELECT a.id FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.id = a.id)", "keeps every row of both sides for ever"),
            ("SELECT DISTINCT v FROM a", "keeps one entry for ever for each distinct (v)"),
            ("SELECT v, count(*) AS n FROM a GROUP BY v", "keeps one entry for ever for each distinct (v)")):
        x.manifest(sql, DEBEZIUM, plain)
        for command in ("validate", "run", "explain"):
            code, _, err = x.ebb_does(command)
            x.check(f"{command} warns of {sql}", code == 0 and "warning: m.yaml:10:" in err and "spec.operators[0].sql" in err and says in err
                    and "hint: " in err, err)
    for sql, says in (("SELECT sum(place) AS s FROM stock", ("function sum(text) does not exist", "sum takes", "numeric")),
                      ("SELECT max(place = 'a') AS s FROM stock", ("function max(boolean) does not exist", "max takes", "bigint")),
                      ("SELECT string_agg(pieces, ',') AS s FROM stock", ("function string_agg(bigint, unknown) does not exist", "(text, text)"))):
        x.manifest(sql, DEBEZIUM)
        code, _, err = x.ebb_does("validate")
        x.check(f"an aggregate says what it takes: {sql}", code == 2 and "m.yaml:9:" in err and all(y in err for y in says), err)


def other_parallelisms(x):
    """Two counts of one operator keep what is theirs when a stream goes on with another parallelism."""
    orders, sales = x.folder / "orders.ndjson", x.folder / "sales.ndjson"
    orders.write_text('{"k":1}\n' * 300)
    sales.write_text('{"op":"c","before":null,"after":{"k":1}}\n' * 7)
    x.manifest("SELECT 'orders' AS what, count(k) AS n FROM orders UNION ALL SELECT 'sales', count(k) FROM sales",
               "file: {path: counts.ndjson, format: debezium}",
               "    - {name: orders, schema: k BIGINT, file: {path: orders.ndjson, format: json, follow: true}}\n"
               "    - {name: sales, schema: k BIGINT, file: {path: sales.ndjson, format: debezium, follow: true}}\n")

    def run_until(count, *options):
        """Until the changes written so far leave `count` rows of input; what they leave."""
        run = subprocess.Popen([x.ebb, "run", "m.yaml", "--data", "counts", *options], cwd=x.folder, stderr=subprocess.PIPE, text=True)
        try:
            rows = {}
            deadline = time.monotonic() + 30
            while sum(rows.values()) != count and time.monotonic() < deadline and run.poll() is None:
                time.sleep(0.05)
                rows = x.left_of("counts.ndjson")
        finally:
            run.terminate()
            _, err = run.communicate(timeout=30)
        return x.left_of("counts.ndjson"), err

    for step, parallelism in enumerate(("1", "3", "1", "2")):
        if step:
            with orders.open("a") as more_orders, sales.open("a") as more_sales:
                more_orders.write('{"k":1}\n')
                more_sales.write('{"op":"c","before":null,"after":{"k":1}}\n')
        left, err = run_until(307 + 2 * step, "--parallelism", parallelism)
        x.check(f"two counts, parallelism {parallelism}", left == {"orders": 300 + step, "sales": 7 + step}, (left, err))


NOTHING = {  # over `t` with the row 1, 5 and `em` without rows; then with the row 9, 7; then without it again
    "totals": ("SELECT count(*) AS n, max(v) AS most, string_agg(v::text, '+' ORDER BY v) AS all_of_them FROM em",
               [{"n": 0, "most": None, "all_of_them": None}], [{"n": 1, "most": 7, "all_of_them": "7"}]),
    "scalar": ("SELECT id, (SELECT count(*) FROM em) AS n FROM t", [{"id": 1, "n": 0}], [{"id": 1, "n": 1}]),
    "compared": ("SELECT id FROM t WHERE v > (SELECT coalesce(max(v), 0) FROM em)", [{"id": 1}], []),
    "having": ("SELECT count(*) AS n FROM em HAVING count(*) < 1", [{"n": 0}], []),
    "crossed": ("SELECT a.n, b.n AS m FROM (SELECT count(*) AS n FROM t) AS a CROSS JOIN (SELECT count(*) AS n FROM em) AS b",
                [{"n": 1, "m": 0}], [{"n": 1, "m": 1}]),
}


def rows_of_nothing(x):
    """An aggregate without GROUP BY has a row before its first input, of an input that does not end; it is written once."""
    t, em = x.folder / "t.ndjson", x.folder / "em.ndjson"
    change = '{"op":"%s","before":%s,"after":%s}\n'
    parallelism = None

    def left(name):
        rows, records = [], 0
        at = x.folder / f"{name}.out"
        for line in (at.read_text().rpartition("\n")[0] if at.exists() else "").splitlines():
            made = json.loads(line)
            records += 1
            if made["before"] is not None:
                rows.remove(made["before"])
            if made["after"] is not None:
                rows.append(made["after"])
        return rows, records

    def run_until(expected, stop):
        run = subprocess.Popen([x.ebb, "run", "nothing.yaml", "--data", f"nothing-{parallelism[0]}", "--parallelism", parallelism[len(seen)]],
                               cwd=x.folder, stderr=subprocess.PIPE, text=True)
        try:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline and run.poll() is None and any(left(n)[0] != rows for n, rows in expected.items()):
                time.sleep(0.05)
            time.sleep(0.3)  # what was written again would show now
        finally:
            stop(run)
            _, err = run.communicate(timeout=30)
        seen.append({n: left(n)[1] for n in expected})
        for n, rows in expected.items():
            x.check(f"a row of nothing: {n}, parallelism {parallelism}, step {len(seen)}", left(n)[0] == rows, (left(n), err))

    (x.folder / "nothing.yaml").write_text(
        "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: nothing}\nspec:\n  checkpoint: {interval: 50ms}\n  sources:\n" + "".join(
            f"    - {{name: {n}, schema: \"id BIGINT NOT NULL, v BIGINT, PRIMARY KEY (id)\", "
            f"file: {{path: {n}.ndjson, format: debezium, follow: true}}}}\n" for n in ("t", "em"))
        + "  operators:\n" + "".join(f"    - {{name: {n}, sql: {json.dumps(sql)}}}\n" for n, (sql, _, _) in NOTHING.items())
        + "  sinks:\n" + "".join(f"    - {{name: {n}, from: {n}, file: {{path: {n}.out, format: debezium}}}}\n" for n in NOTHING))
    without = {n: rows for n, (_, rows, _) in NOTHING.items()}
    with_row = {n: rows for n, (_, _, rows) in NOTHING.items()}
    for parallelism in (("1", "5", "2", "1"), ("2", "1", "1", "5"), ("5", "2", "5", "2")):
        t.write_text(change % ("c", "null", '{"id":1,"v":5}'))
        em.write_text("")
        for n in NOTHING:
            (x.folder / f"{n}.out").unlink(missing_ok=True)
        seen = []
        run_until(without, subprocess.Popen.kill)
        run_until(without, subprocess.Popen.terminate)
        x.check(f"not written again after a restore, parallelism {parallelism}", seen[0] == seen[1], seen)
        with em.open("a") as more:
            more.write(change % ("c", "null", '{"id":9,"v":7}'))
        run_until(with_row, subprocess.Popen.terminate)
        with em.open("a") as more:
            more.write(change % ("d", '{"id":9}', "null"))
        run_until(without, subprocess.Popen.terminate)
        x.check(f"revised, never only deleted, parallelism {parallelism}",
                [json.loads(line)["op"] for line in (x.folder / "totals.out").read_text().splitlines()] == ["c", "u", "u"],
                (x.folder / "totals.out").read_text())


def main():
    ebb = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="ebb-updating-") as folder:
        x = Checks(ebb, pathlib.Path(folder))
        run_checks(x)
        unbounded_state(x)
        other_parallelisms(x)
        rows_of_nothing(x)
    print(f"{x.passed} passed, {x.failed} failed")
    return 1 if x.failed else 0


if __name__ == "__main__":
    sys.exit(main())
