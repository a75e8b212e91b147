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
# All but those of sessions (q11) and of processing time (q12).
QUERIES = ["q0", "q1", "q2", "q3", "q4", "q4_windowed", "q5", "q7", "q8", "q9", "q14", "q15", "q16", "q17", "q18", "q19", "q20",
           "q21", "q22"]


def for_postgres(sql):
    """The query with its window functions as joins with generate_series."""
    def windows(call):
        table, column, *spans = re.sub(r"INTERVAL '(\d+) seconds'", r"\1", call.group(2)).split(", ")
        slide, size = int(spans[0]), int(spans[-1])
        first = f"date_bin(INTERVAL '{slide} seconds', t.{column}, TIMESTAMP '1970-01-01')"
        return (f"(SELECT t.*, w AS window_start, w + INTERVAL '{size} seconds' AS window_end FROM {table} AS t "
                f"CROSS JOIN LATERAL generate_series({first} - INTERVAL '{size - slide} seconds', {first}, "
                f"INTERVAL '{slide} seconds') AS w) AS {table}")
    return re.sub(r"\b(tumble|hop)\(([^()]*)\)", windows, sql)


def source(table, events):
    # A hundred seconds of events: windows end, and auctions while bids still come.
    return {"name": table, "nexmark": {"table": table, "events": events, "eventsPerSecond": max(1000, events // 100)},
            "eventTime": {"column": "date_time"}}


def load(ebb, cursor, events):
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


def compare(ebb, cursor, name, options):
    """What differs, or None."""
    with open(os.path.join(EXAMPLES, f"{name}.sql"), encoding="utf-8") as file:
        sql = file.read()
    out = os.path.join(ebb.folder, "out.ndjson")
    begin = time.monotonic()
    problem = ebb.write_changes(sql, [source(table, options.events) for table in TABLES if table in sql], out,
                                options.parallelism)
    took = time.monotonic() - begin
    if problem is not None:
        return problem.text
    try:
        rows, ops = apply_changes(out, ebb.keys["q"])
    except Malformed as bad:
        return str(bad)
    os.remove(out)
    expected = expected_rows(cursor, for_postgres(sql))
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
