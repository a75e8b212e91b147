#!/usr/bin/python3
"""Updating results against a real PostgreSQL 15: random queries of up to four operators over tables
of which rows come and go; the rows that the changelog leaves must be PostgreSQL's, and no record may
take back what is not there.

    updating.py RUN_MANIFESTS [--seed N] [--queries N] [--rows N] [--show N] [--sql TEXT]

The seed is printed; the same seed makes the same tables and queries. Ends in `N passed, N failed`.
"""
import argparse
import collections
import json
import os
import random
import time

from changes import Malformed, Table, apply_changes
from ebb import Ebb
from postgres import Postgres, run
from updating_queries import Queries

TABLES = (("events", "append"), ("facts", "append"), ("stock", "changes"), ("people", "keyed"), ("prices", "upsert"))
MOST_REFUSED = 5  # per cent
NEW_TABLES = 40   # queries


def as_rows(cursor, sql):
    cursor.execute(f"SELECT row_to_json(r)::text FROM ({sql}) AS r")
    return collections.Counter(json.dumps(json.loads(text, parse_float=str, parse_int=str), ensure_ascii=False)
                               for (text,) in cursor.fetchall())


class Comparison:
    def __init__(self, options, server, ebb):
        self.options, self.ebb = options, ebb
        self.random = random.Random(options.seed)
        self.cursor = server.connect().cursor()
        self.tables = []
        self.counts = collections.Counter()
        self.kinds = collections.Counter()
        self.reasons = collections.Counter()

    def new_tables(self):
        self.tables = [Table(name, kind, self.random, self.random.randrange(self.options.rows // 4, self.options.rows + 1),
                             self.ebb.folder) for name, kind in TABLES]
        for table in self.tables:
            table.load(self.cursor)

    def difference(self, sql, parallelism):
        """None where both agree, else what differs."""
        # Values that only differ in how a NUMERIC was written would be a tie for PostgreSQL as well.
        expected = as_rows(self.cursor, sql)
        out = os.path.join(self.ebb.folder, "out.ndjson")
        problem = self.ebb.write_changes(sql, [table.source for table in self.tables if table.name in sql], out,
                                         parallelism)
        if problem is not None:
            if problem.refused:
                self.counts["refused"] += 1
                self.reasons[problem.message] += 1
                return None
            return f"ebb: {problem.text}"
        try:
            rows, ops = apply_changes(out, self.ebb.keys["q"])
            self.counts["keyed"] += self.ebb.keys["q"] is not None
        except Malformed as bad:
            return str(bad)
        self.counts["taken back"] += ops["u"] + ops["d"]
        if rows == dict(expected):
            self.counts["passed"] += 1
            self.counts["empty"] += not rows
            return None
        missing = expected - collections.Counter(rows)
        extra = collections.Counter(rows) - expected
        return f"missing {list(missing.items())[:4]}, too many {list(extra.items())[:4]}"

    def run(self):
        queries = Queries(self.random, [name for name, _ in TABLES])
        for number in range(self.options.queries):
            if number % NEW_TABLES == 0:
                self.new_tables()
            sql, _ = queries.make(self.random.randrange(1, 5)) if not self.options.sql else (self.options.sql, None)
            parallelism = self.random.randrange(1, 6)
            self.kinds.update(queries.kinds)
            found = self.difference(sql, parallelism)
            if found is not None:
                self.counts["failed"] += 1
                if self.counts["failed"] <= self.options.show:
                    print(f"\nDIFFERENT, query {number}, parallelism {parallelism}: {sql}\n  {found[:1500]}", flush=True)
        return self.report()

    def report(self):
        counts = self.counts
        print(f"\n{self.options.queries} queries: {counts['passed']} equal ({counts['empty']} empty, "
              f"{counts['taken back']} rows taken back, {counts['keyed']} with a unique key), {counts['failed']} different, {counts['refused']} refused")
        for reason, count in self.reasons.most_common(10):
            print(f"refused {count}: {reason}")
        print("kinds:", ", ".join(f"{kind} {count}" for kind, count in sorted(self.kinds.items())))
        if counts["refused"] * 100 > MOST_REFUSED * self.options.queries:
            print(f"FAILED: more than {MOST_REFUSED} % refused")
            counts["failed"] += 1
        return counts["passed"], counts["failed"]


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--seed", type=int, default=None)
    arguments.add_argument("--queries", type=int, default=400)
    arguments.add_argument("--rows", type=int, default=120)
    arguments.add_argument("--show", type=int, default=10)
    arguments.add_argument("--sql", default="", help="this query alone")
    options = arguments.parse_args()
    if options.seed is None:
        options.seed = int(time.time())
    print(f"seed {options.seed}: updating.py {options.program} --seed {options.seed} --queries {options.queries} "
          f"--rows {options.rows}", flush=True)
    begin = time.monotonic()
    with Postgres() as server, Ebb(options.program) as ebb:
        passed, failed = Comparison(options, server, ebb).run()
    print(f"\n{time.monotonic() - begin:.0f} s\n{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    run(main)
