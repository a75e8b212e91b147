#!/usr/bin/python3
"""Lookup joins, unnest, generate_series, JSONB and `op ANY/ALL (array)` against a real PostgreSQL 15: random queries
over rows that come and go; the rows that the changelog leaves must be PostgreSQL's.

    expanding.py RUN_MANIFESTS [--seed N] [--queries N] [--show N] [--sql TEXT]

The seed is printed; the same seed makes the same tables and queries. Ends in `N passed, N failed`.
"""
import argparse
import collections
import json
import os
import random
import shutil
import time

from changes import Malformed, apply_changes
from ebb import Ebb
from postgres import Postgres, run

COLUMNS = {"id": "INTEGER NOT NULL", "k": "INTEGER", "n": "INTEGER", "tags": "TEXT", "j": "JSONB", "at": "TIMESTAMP NOT NULL"}


class Source:
    """`changes`: Debezium, of which rows go; `table`: without event time, so that it is loaded first."""

    def __init__(self, name, chance, folder, changes, table, count):
        self.name, self.chance, self.changes, self.table = name, chance, changes, table
        self.rows, lines = [], []
        for number in range(count):
            row = self.row(number)
            if changes and self.rows and chance.random() < 0.4:
                old = self.rows.pop(chance.randrange(len(self.rows)))
                if chance.random() < 0.5:
                    lines.append(self.change("d", old, None))
                    continue
                lines.append(self.change("u", old, row))
            else:
                lines.append(self.change("c", None, row) if changes else json.dumps(self.as_json(row)))
            self.rows.append(row)
        # Every file makes a batch of its own, so that rows are taken back that have gone on.
        self.path = os.path.join(folder, name)
        shutil.rmtree(self.path, ignore_errors=True)
        os.mkdir(self.path)
        number = 0
        while lines:
            some = chance.randrange(1, max(2, count // 4))
            part, lines = lines[:some], lines[some:]
            with open(os.path.join(self.path, f"{number:04}"), "w", encoding="utf-8") as out:
                out.write("".join(line + "\n" for line in part))
            number += 1

    def value(self, depth=0):
        pick = self.chance.choice
        kind = self.chance.randrange(9 if depth < 2 else 6)
        if kind < 6:
            return [None, True, pick([0, 1, 2, 10, -3]), pick([1.5, 0.25, -2.75]), pick(["", "a", "b", "é\"\\", "1"]), False][kind]
        if kind == 6:
            return {pick(["a", "b", "bb", "é"]): self.value(depth + 1) for _ in range(self.chance.randrange(3))}
        return [self.value(depth + 1) for _ in range(self.chance.randrange(4))]

    def row(self, number):
        chance = self.chance

        def maybe(value):
            return None if chance.random() < 0.12 else value
        tags = [chance.choice(["a", "b", "7", "12", "-1", "é"]) for _ in range(chance.randrange(4))]
        json_value = self.value() if chance.random() < 0.3 else {
            "a": [self.value(1) for _ in range(chance.randrange(4))], "b": chance.choice([1, 2, None, "x"]),
            "c": {"d": chance.choice([1, "y", [1, 2]])}}
        return {"id": number, "k": maybe(chance.randrange(5)), "n": maybe(chance.randrange(-2, 6)),
                "tags": maybe(",".join(tags)), "j": None if json_value is None else json_value,
                "at": f"2024-01-0{chance.randrange(1, 5)}T{chance.randrange(24):02}:00:00"}

    @staticmethod
    def as_json(row):
        return row

    @staticmethod
    def change(op, before, after):
        return json.dumps({"op": op, "before": before, "after": after}, ensure_ascii=False)

    @property
    def source(self):
        source = {"name": self.name, "schema": ", ".join(f"{n} {t}" for n, t in COLUMNS.items()),
                  "file": {"path": self.path, "format": "debezium" if self.changes else "json"}}
        if not self.table:
            source["eventTime"] = {"column": "at", "maxDelay": "10d"}
        return source

    def load(self, cursor):
        cursor.execute(f"DROP TABLE IF EXISTS {self.name}; "
                       f"CREATE TABLE {self.name} ({', '.join(f'{n} {t}' for n, t in COLUMNS.items())})")
        for row in self.rows:
            values = [None if row[n] is None else json.dumps(row[n], ensure_ascii=False) if n == "j" else row[n] for n in COLUMNS]
            cursor.execute(f"INSERT INTO {self.name} VALUES (%s, %s, %s, %s, %s, %s)", values)


class Queries:
    def __init__(self, chance):
        self.chance = chance
        self.kinds = set()

    def pick(self, *items):
        return self.chance.choice(items)

    def table(self):
        return self.pick("events", "moves", "prices", "stock")

    def make(self):
        self.kinds = set()
        kind = self.pick("lookup", "lookup", "elements", "series", "listed", "json", "json_elements", "json_group", "quantified")
        self.kinds.add(kind)
        sql = getattr(self, kind)()
        if self.chance.random() < 0.3:
            self.kinds.add("counted")
            return f"SELECT c1, count(*) AS c2, min(c0) AS c3 FROM ({sql}) AS q GROUP BY c1"
        return sql

    def stream(self):
        return self.pick("events", "moves")

    def lookup(self):
        stream = self.stream()
        static = self.pick("prices", "stock", "(SELECT k, count(*) AS n, min(id) AS id FROM stock GROUP BY k)",
                           "(SELECT DISTINCT k, n, id FROM prices WHERE id < 20)",
                           "(SELECT 1 AS k, count(*) AS n, max(id) AS id FROM prices WHERE id < 0)",
                           "(SELECT p.k, s.n, p.id FROM prices AS p JOIN stock AS s ON p.id = s.id)")
        on = self.pick("s.k = t.k", "s.k = t.k AND s.n > t.n", "s.k = t.k AND s.n IS NOT DISTINCT FROM 1", "s.k = t.n AND s.n = t.k",
                       "s.id = t.id")
        columns = "s.id AS c0, t.n AS c1, t.id AS c4, s.at AS c5"
        where = self.pick("", "", " WHERE s.n > 0", " WHERE t.n IS NULL", " WHERE t.n > 1")
        if self.chance.random() < 0.25:
            return f"SELECT {columns} FROM {static} AS t {self.pick('JOIN', 'RIGHT JOIN')} {stream} AS s ON {on}{where}"
        return f"SELECT {columns} FROM {stream} AS s {self.pick('JOIN', 'LEFT JOIN', 'LEFT JOIN')} {static} AS t ON {on}{where}"

    def elements(self):
        array = self.pick("string_to_array(t.tags, ',')", "ARRAY[t.k, t.n, NULL, 3]", "ARRAY[t.at, t.at]", "string_to_array(t.tags, ',', 'a')")
        item = self.pick("AS x(e)", "WITH ORDINALITY AS x(e, o)")
        more = ", x.o AS c4" if "ORDINALITY" in item else ""
        join = self.pick(", ", " CROSS JOIN ", " LEFT JOIN ", " JOIN ")
        on = " ON true" if "LEFT" in join else " ON x.e IS NOT NULL" if join == " JOIN " else ""
        where = self.pick("", " WHERE t.n > 0", " WHERE x.e IS NOT NULL")
        return f"SELECT t.id AS c0, x.e AS c1{more} FROM {self.table()} AS t{join}unnest({array}) {item}{on}{where}"

    def series(self):
        call = self.pick("generate_series(1, t.n)", "generate_series(t.k, t.n, -1)", "generate_series(t.n::bigint, 4, 2)",
                         "generate_series(t.at, t.at + INTERVAL '5 hours', INTERVAL '90 minutes')",
                         "generate_series(t.at, TIMESTAMP '2024-03-31', INTERVAL '1 month')",
                         "generate_series(TIMESTAMP '2024-01-05', t.at, INTERVAL '-1 day')")
        return f"SELECT t.id AS c0, g AS c1 FROM {self.table()} AS t, {call} AS g"

    def listed(self):
        call = self.pick("unnest(string_to_array(tags, ','))", "generate_series(k, n)", "string_to_table(tags, ',')",
                         "regexp_split_to_table(tags, ',')", "jsonb_array_elements(j -> 'a')")
        where = " WHERE jsonb_typeof(j -> 'a') = 'array'" if "jsonb" in call else self.pick("", " WHERE n > 1")
        return f"SELECT id AS c0, {call} AS c1, k AS c4 FROM {self.table()}{where}"

    def expression(self):
        return self.pick("j -> 'a'", "j ->> 'b'", "j -> 'a' -> 1", "j -> 'a' ->> -1", "j #> '{c,d}'", "j #>> '{c,d}'", "j #>> '{a,0}'",
                         "jsonb_typeof(j)", "jsonb_typeof(j -> 'c' -> 'd')", "j @> '{\"b\": 1}'", "'[1, 2, \"a\", null]' @> (j -> 'a')",
                         "j ? 'b'", "j ?| ARRAY['x', 'a']", "j ?& ARRAY['a', 'b']", "j::text", "(j ->> 'b')::text", "j = '{\"b\": 1}'",
                         "j < '[1]'", "j > '{}'", "to_jsonb(n)", "to_jsonb(tags)", "to_jsonb(at)", "to_jsonb(string_to_array(tags, ','))",
                         "jsonb_build_object('k', k, 'a', n, 'j', j -> 'b')", "jsonb_build_array(k, tags, j -> 'a')",
                         "jsonb_extract_path(j, 'c', 'd')", "jsonb_extract_path_text(j, 'a', '0')",
                         "CASE WHEN jsonb_typeof(j -> 'a') = 'array' THEN jsonb_array_length(j -> 'a') END",
                         "CASE WHEN jsonb_typeof(j -> 'b') = 'number' THEN (j -> 'b')::int END", "j -> n", "j",
                         "j || '{\"z\": 1}'", "j || (j -> 'a')", "(j -> 'a') || to_jsonb(n)", "j || tags",
                         "CASE WHEN jsonb_typeof(j) = 'object' THEN j - 'a' END",
                         "CASE WHEN jsonb_typeof(j -> 'a') = 'array' THEN (j -> 'a') - 1 END",
                         "CASE WHEN jsonb_typeof(j) = 'object' THEN j - ARRAY['b', 'x'] END",
                         "CASE WHEN jsonb_typeof(j) = 'object' THEN j #- '{c,d}' END",
                         "CASE WHEN jsonb_typeof(j) = 'object' THEN jsonb_set(j, '{c,d}', to_jsonb(n)) END",
                         "CASE WHEN jsonb_typeof(j) = 'object' THEN jsonb_set(j, '{e}', '[1]', n > 1) END")

    def json(self):
        where = self.pick("", " WHERE j IS NOT NULL", " WHERE j ? 'a'", " WHERE (j -> 'b') IS NULL", " WHERE j ->> 'b' = 'x'",
                          " WHERE j -> 'b' IN ('1', '\"x\"')")
        return f"SELECT id AS c0, {self.expression()} AS c1, {self.expression()} AS c4 FROM {self.table()}{where}"

    def json_elements(self):
        call, column = self.pick(("jsonb_array_elements(t.j -> 'a')", "value"), ("jsonb_array_elements_text(t.j -> 'a')", "value"),
                                 ("jsonb_array_elements(t.j -> 'a') WITH ORDINALITY", "value"))
        kept = "(SELECT id, j FROM {} WHERE jsonb_typeof(j -> 'a') = 'array')".format(self.table())
        if self.chance.random() < 0.3:
            call, column = "jsonb_object_keys(t.j)", "x"
            kept = kept.replace("j -> 'a'", "j").replace("'array'", "'object'")
        return f"SELECT t.id AS c0, x.{column} AS c1 FROM {kept} AS t, {call} AS x"

    def json_group(self):
        table = self.table()
        return self.pick(f"SELECT DISTINCT n AS c0, j -> 'b' AS c1 FROM {table}",
                         f"SELECT count(DISTINCT j -> 'a') AS c0, k AS c1 FROM {table} GROUP BY k",
                         f"SELECT a.id AS c0, b.id AS c1 FROM {table} AS a JOIN {self.table()} AS b ON a.j -> 'b' = b.j -> 'b' AND a.id < b.id",
                         f"SELECT min(id) AS c0, j -> 'c' AS c1 FROM {table} GROUP BY j -> 'c'",
                         f"SELECT id AS c0, place AS c1 FROM (SELECT id, row_number() OVER (PARTITION BY k ORDER BY j, id) AS place FROM {table}) "
                         "AS r WHERE place <= 3")

    def quantified(self):
        array = self.pick("ARRAY[k, 2, NULL]", "ARRAY[k, n]", "string_to_array(tags, ',')", "NULL::integer[]")
        left = self.pick("tags", "'a'", "'b'") if "string" in array else self.pick("n", "id", "3")
        op = self.pick("=", "<>", "<", "<=", ">", ">=")
        test = f"{left} {op} {self.pick('ANY', 'ALL')} ({array})"
        return self.pick(f"SELECT id AS c0, {test} AS c1 FROM {self.table()}", f"SELECT id AS c0, k AS c1 FROM {self.table()} WHERE {test}",
                         f"SELECT id AS c0, k AS c1 FROM {self.table()} WHERE NOT {test}")


def as_rows(cursor, sql):
    cursor.execute(f"SELECT row_to_json(r)::text FROM ({sql}) AS r")
    return collections.Counter(json.dumps(json.loads(text, parse_float=str, parse_int=str), ensure_ascii=False)
                               for (text,) in cursor.fetchall())


def difference(ebb, cursor, tables, sql, parallelism, counts):
    """None where both agree, else what differs."""
    expected = as_rows(cursor, sql)
    out = os.path.join(ebb.folder, "out.ndjson")
    problem = ebb.write_changes(sql, [x.source for x in tables if x.name in sql], out, parallelism)
    if problem is not None:
        return f"ebb: {problem.text}"
    # NULL and JSON's null, 1 and "1" look alike in a key that is read from JSON.
    keys = None if any("jsonb" in str(x) for x in ebb.types["q"]) else ebb.keys["q"]
    try:
        rows, ops = apply_changes(out, keys)
    except Malformed as bad:
        return str(bad)
    counts["taken back"] += ops["u"] + ops["d"]
    counts["rows"] += sum(rows.values())
    counts["empty"] += not rows
    if rows == dict(expected):
        return None
    missing = expected - collections.Counter(rows)
    extra = collections.Counter(rows) - expected
    return f"missing {list(missing.items())[:4]}, too many {list(extra.items())[:4]}"


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--seed", type=int, default=None)
    arguments.add_argument("--queries", type=int, default=300)
    arguments.add_argument("--show", type=int, default=10)
    arguments.add_argument("--sql", default="", help="this query alone")
    options = arguments.parse_args()
    if options.seed is None:
        options.seed = int(time.time())
    print(f"seed {options.seed}: expanding.py {options.program} --seed {options.seed} --queries {options.queries}", flush=True)
    chance = random.Random(options.seed)
    queries = Queries(chance)
    counts, kinds = collections.Counter(), collections.Counter()
    passed = failed = 0
    with Postgres() as server, Ebb(options.program) as ebb:
        cursor = server.connect().cursor()
        tables = []
        for number in range(options.queries):
            if number % 60 == 0:
                count = chance.randrange(10, 60)
                tables = [Source(name, chance, ebb.folder, changes, table, count) for name, changes, table in
                          (("events", False, False), ("moves", True, False), ("prices", False, True), ("stock", True, True))]
                for table in tables:
                    table.load(cursor)
            sql = options.sql or queries.make()
            parallelism = chance.randrange(1, 6)
            kinds.update(queries.kinds)
            found = difference(ebb, cursor, tables, sql, parallelism, counts)
            passed += found is None
            failed += found is not None
            if found is not None and failed <= options.show:
                print(f"\nDIFFERENT, query {number}, parallelism {parallelism}: {sql}\n  {found[:1500]}", flush=True)
    print(f"{counts['rows']} rows, {counts['taken back']} taken back, {counts['empty']} queries without rows")
    print("kinds:", ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    if not options.sql and counts["empty"] * 3 > options.queries:
        print("FAILED: too many queries without rows")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    run(main)
