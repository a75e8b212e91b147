#!/usr/bin/python3
"""ebb against a real PostgreSQL 15: the same SQL must give the same rows and the same errors.

    differential.py RUN_MANIFESTS [--seed N] [--expressions N] [--queries N] [--show N]

The seed is printed; the same seed makes the same expressions, queries and data. The last lines say
what was compared, refused and empty, the least used functions, operators and types, and
`N passed, N failed`. From FULL expressions on, too many refused or empty ones or a function that is
used too seldom count as failures.
"""
import argparse
import random
import sys
import time

import psycopg2

import compare
import queries
from ebb import Ebb
from postgres import Postgres
from tally import Stopped, Tally

FULL = 5000
MOST_REFUSED = 5  # per cent
MOST_EMPTY = 20   # per cent
LEAST_USES = 20


def report(options, total, comparison, seconds):
    print(f"\n{total.asked} asked in {seconds:.0f} s: {total.passed} equal ({total.errors} with errors in rows, "
          f"{total.early} before the first row, {total.invalid} invalid in both), {total.failed} different, {total.refused} refused "
          f"({total.share(total.refused):.1f} %), {total.empty} empty ({total.share(total.empty):.1f} %), "
          f"{total.skipped} skipped")
    for reason, count in total.reasons.most_common(10):
        print(f"refused {count}: {reason}")
    if options.uses:
        for name, count in sorted(comparison.uses.items()):
            print(f"uses {count}: {name}")
    rare = sorted(comparison.uses.items(), key=lambda use: (use[1], use[0]))
    print("types:", ", ".join(f"{name} {count}" for name, count in sorted(comparison.types.items())))
    print(f"{len(rare)} functions, operators and casts; least used:",
          ", ".join(f"{name} {count}" for name, count in rare[:12]))
    checks = 0
    if options.expressions >= FULL:
        few = [name for name, count in rare if count < LEAST_USES]
        few += [name for name, count in comparison.types.items() if count < LEAST_USES]
        for wrong, what in ((total.share(total.refused) > MOST_REFUSED, f"more than {MOST_REFUSED} % refused"),
                            (total.share(total.empty) > MOST_EMPTY, f"more than {MOST_EMPTY} % empty"),
                            (few, f"used less than {LEAST_USES} times: {', '.join(few)}")):
            if wrong:
                checks += 1
                print(f"FAILED: {what}")
    return checks


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--seed", type=int, default=None)
    arguments.add_argument("--expressions", type=int, default=FULL)
    arguments.add_argument("--queries", type=int, default=500)
    arguments.add_argument("--show", type=int, default=20)
    arguments.add_argument("--stop", action="store_true", help="end at the first difference")
    arguments.add_argument("--uses", action="store_true", help="print the uses of each function")
    options = arguments.parse_args()
    if options.seed is None:
        options.seed = int(time.time())
    print(f"seed {options.seed}: differential.py {options.program} --seed {options.seed} "
          f"--expressions {options.expressions} --queries {options.queries}", flush=True)
    begin = time.monotonic()
    total = Tally(options.show, options.stop)
    with Postgres() as server, Ebb(options.program) as ebb:
        comparison = compare.Comparison(random.Random(options.seed), ebb, server, total)
        try:
            comparison.run(options.expressions)
            queries.compare_queries(random.Random(options.seed), options.queries, ebb, server.connect().cursor(), total)
        except Stopped:
            pass
    failed = total.failed + report(options, total, comparison, time.monotonic() - begin)
    print(f"{total.passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except psycopg2.Error as problem:
        print(f"PostgreSQL: {problem}", file=sys.stderr)
        sys.exit(1)
