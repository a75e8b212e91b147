#!/usr/bin/python3
"""The Nexmark queries of deployments/examples against a real PostgreSQL 15 on the same events: the rows
that each changelog leaves must be PostgreSQL's, and no record may take back what is not there.

    nexmark.py RUN_MANIFESTS [--events N] [--only q4,q9] [--parallelism N]

Ends in `N passed, N failed`. A million events take a few minutes.
"""
import argparse
import collections
import json
import os
import re
import time

from changes import Malformed, apply_changes
from ebb import Ebb
from postgres import Postgres, run

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../deployments/examples/nexmark")
TABLES = {
    "person": "id BIGINT, name TEXT, email_address TEXT, credit_card TEXT, city TEXT, state TEXT, date_time TIMESTAMP, extra TEXT",
    "auction": "id BIGINT, item_name TEXT, description TEXT, initial_bid BIGINT, reserve BIGINT, date_time TIMESTAMP, "
               "expires TIMESTAMP, seller BIGINT, category BIGINT, extra TEXT",
    "bid": "auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMP, extra TEXT",
}
QUERIES = ["q0", "q1", "q2", "q3", "q4", "q4_windowed", "q5", "q6", "q7", "q8", "q9", "q10", "q11", "q12", "q13", "q14", "q15", "q16", "q17",
           "q18", "q19", "q20", "q21", "q22"]
# What q13 looks up.
SIDE_INPUT = os.path.abspath(os.path.join(EXAMPLES, "side_input.csv"))
# Which bids fall into the same ten seconds of the clock is not to be known, but how many there are of each bidder is:
# both sides are added up.
ADDED_UP = {"q12": ("SELECT bidder, sum(bid_count)::bigint AS bids FROM ({}) AS counts GROUP BY bidder",
                    "SELECT bidder, count(*) AS bids FROM bid GROUP BY bidder")}
CREATED = b'{"op":"c","before":null,"after":'


def for_postgres(sql):
    """The query with its window functions as joins with generate_series, sessions as gaps and islands."""
    def windows(call):
        table, column, *spans = re.sub(r"INTERVAL '(\d+) seconds'", r"\1", call.group(2)).split(", ")
        slide, size = int(spans[0]), int(spans[-1])
        first = f"date_bin(INTERVAL '{slide} seconds', t.{column}, TIMESTAMP '1970-01-01')"
        return (f"(SELECT t.*, w AS window_start, w + INTERVAL '{size} seconds' AS window_end FROM {table} AS t "
                f"CROSS JOIN LATERAL generate_series({first} - INTERVAL '{size - slide} seconds', {first}, "
                f"INTERVAL '{slide} seconds') AS w) AS {table}")

    def session(call):
        table, column, gap = call.group(1).split(", ")
        keys = call.group(2)
        return (f"FROM (SELECT t.*, min({column}) OVER one AS window_start, max({column}) OVER one + {gap} AS window_end "
                f"FROM (SELECT t.*, count(*) FILTER (WHERE begins) OVER by_time AS number "
                f"FROM (SELECT t.*, coalesce({column} - lag({column}) OVER by_time > {gap}, true) AS begins FROM {table} AS t "
                f"WINDOW by_time AS (PARTITION BY {keys} ORDER BY {column})) AS t "
                f"WINDOW by_time AS (PARTITION BY {keys} ORDER BY {column})) AS t "
                f"WINDOW one AS (PARTITION BY {keys}, number)) AS {table} GROUP BY {keys}, window_start, window_end")
    sql = re.sub(r"FROM session\(([^()]*)\)\s+GROUP BY (.*?), window_start, window_end", session, sql)
    # Rows that an OVER clause does not tell apart go by their columns; PostgreSQL leaves it open.
    sql = sql.replace("ORDER BY date_time ROWS", "ORDER BY date_time, final ROWS")
    return re.sub(r"\b(tumble|hop)\(([^()]*)\)", windows, sql)


def source(table, events):
    # A hundred seconds of events: windows end, and auctions while bids still come.
    return {"name": table, "nexmark": {"table": table, "events": events, "eventsPerSecond": max(1000, events // 100)},
            "eventTime": {"column": "date_time"}}


def sources(sql, events):
    found = [source(table, events) for table in TABLES if table in sql]
    if "side_input" in sql:
        found.append({"name": "side_input", "schema": "key BIGINT NOT NULL, value TEXT, PRIMARY KEY (key)",
                      "file": {"path": SIDE_INPUT, "format": "csv"}})
    return found


def load(ebb, cursor, events):
    cursor.execute("CREATE TABLE side_input (key BIGINT PRIMARY KEY, value TEXT)")
    with open(SIDE_INPUT, encoding="utf-8") as rows:
        cursor.copy_expert("COPY side_input FROM STDIN (FORMAT csv, HEADER)", rows)
    for table, columns in TABLES.items():
        path = os.path.join(ebb.folder, f"{table}.csv")
        problem = ebb.write(f"SELECT * FROM {table}", [source(table, events)], {"path": path, "format": "csv"})
        if problem is not None:
            raise SystemExit(problem.text)
        cursor.execute(f"CREATE TABLE {table} ({columns})")
        with open(path, encoding="utf-8") as rows:
            cursor.copy_expert(f"COPY {table} FROM STDIN (FORMAT csv, HEADER)", rows)
        os.remove(path)
    cursor.execute("ANALYZE")


def expected_rows(cursor, sql):
    cursor.execute(f"SELECT row_to_json(r)::text FROM ({sql}) AS r")
    return collections.Counter(json.dumps(json.loads(text, parse_float=str, parse_int=str), ensure_ascii=False)
                               for (text,) in cursor)


class Fingerprint:
    """Of a multiset of rows; `write` takes what COPY sends, a row a call."""

    def __init__(self):
        self.count = self.sum = 0

    def write(self, line):
        self.count += 1
        self.sum += hash(line.rstrip(b"\n"))


def same_text(cursor, path, sql):
    """How many rows a file has that holds new rows alone, to the letter those of PostgreSQL; None where this cannot be
    told. A million rows take seconds this way."""
    wrote, answered = Fingerprint(), Fingerprint()
    with open(path, "rb") as lines:
        for line in lines:
            if not line.startswith(CREATED):
                return None
            wrote.write(line[len(CREATED):-2])
    cursor.copy_expert(f"COPY (SELECT row_to_json(r) FROM ({sql}) AS r) TO STDOUT", answered)
    return wrote.count if (wrote.count, wrote.sum) == (answered.count, answered.sum) else None


def compare(ebb, cursor, name, options):
    """What differs, or None."""
    with open(os.path.join(EXAMPLES, f"{name}.sql"), encoding="utf-8") as file:
        sql = re.sub(r"--.*", "", file.read()).strip()
    if name in ADDED_UP:
        sql = ADDED_UP[name][0].format(sql)
    out = os.path.join(ebb.folder, "out.ndjson")
    begin = time.monotonic()
    problem = ebb.write_changes(sql, sources(sql, options.events), out,
                                options.parallelism)
    took = time.monotonic() - begin
    if problem is not None:
        return problem.text
    asked = ADDED_UP[name][1] if name in ADDED_UP else for_postgres(sql)
    count = same_text(cursor, out, asked) if ebb.keys["q"] is None else None
    if count is not None:
        os.remove(out)
        print(f"{name}: {count} rows, all c, {took:.1f} s", flush=True)
        return None
    try:
        rows, ops = apply_changes(out, ebb.keys["q"])
    except Malformed as bad:
        return str(bad)
    finally:
        os.remove(out)
    expected = expected_rows(cursor, asked)
    if rows != dict(expected):
        missing = expected - collections.Counter(rows)
        extra = collections.Counter(rows) - expected
        return f"missing {sum(missing.values())}: {list(missing)[:2]}, too many {sum(extra.values())}: {list(extra)[:2]}"
    print(f"{name}: {sum(rows.values())} rows, {ops['c']} c, {ops['u']} u, {ops['d']} d, {took:.1f} s", flush=True)
    return None


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--events", type=int, default=100_000)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--parallelism", type=int, default=2)
    options = arguments.parse_args()
    names = options.only.split(",") if options.only else QUERIES
    passed = failed = 0
    with Postgres() as server, Ebb(options.program) as ebb:
        cursor = server.connect().cursor()
        load(ebb, cursor, options.events)
        for name in names:
            found = compare(ebb, cursor, name, options)
            if found is None:
                passed += 1
            else:
                failed += 1
                print(f"DIFFERENT {name}: {found[:2000]}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    run(main)
