#!/usr/bin/python3
"""ebb against a real PostgreSQL 15: the same SQL must give the same rows and the same errors.

    differential.py RUN_MANIFESTS [--seed N] [--expressions N] [--queries N] [--only WORD] [--show N]

The seed is printed; the same seed makes the same expressions, queries and data. For expressions and
for queries the last lines say what was compared, refused and empty, and what was used least; then
`N passed, N failed`. From FULL_EXPRESSIONS and FULL_QUERIES on, too many refused or empty ones or a
function that is used too seldom count as failures.
"""
import argparse
import random
import time

import compare
import queries
from ebb import Ebb
from postgres import Postgres, run
from tally import Stopped, Tally

FULL_EXPRESSIONS = 5000
FULL_QUERIES = 1000
MOST_REFUSED = 5  # per cent
MOST_EMPTY = 20   # per cent
LEAST_USES = 20


def report(tally, full, options):
    """Prints a part's counts; returns how many of its checks failed."""
    print(f"\n{tally.asked} {tally.what} asked: {tally.passed} equal ({tally.errors} with errors in rows, {tally.early} before "
          f"the first row, {tally.invalid} invalid in both), {tally.failed} different, {tally.refused} refused "
          f"({tally.share(tally.refused):.1f} %), {tally.empty} empty ({tally.share(tally.empty):.1f} %), "
          f"{tally.skipped} skipped")
    for reason, count in tally.reasons.most_common(10):
        print(f"refused {count}: {reason}")
    if options.uses:
        for name, count in sorted(tally.uses.items()):
            print(f"uses {count}: {name}")
    rare = sorted(tally.uses.items(), key=lambda use: (use[1], use[0]))
    if tally.types:
        print("types:", ", ".join(f"{name} {count}" for name, count in sorted(tally.types.items())))
    print(f"{len(rare)} kinds of calls; least used:", ", ".join(f"{name} {count}" for name, count in rare[:12]))
    if tally.asked < full or options.only:
        return 0
    few = [name for name, count in rare + list(tally.types.items()) if count < LEAST_USES]
    checks = 0
    for wrong, what in ((tally.share(tally.refused) > MOST_REFUSED, f"more than {MOST_REFUSED} % refused"),
                        (tally.share(tally.empty) > MOST_EMPTY, f"more than {MOST_EMPTY} % empty"),
                        (few, f"used less than {LEAST_USES} times: {', '.join(few)}")):
        if wrong:
            checks += 1
            print(f"FAILED: {what}")
    return checks


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--seed", type=int, default=None)
    arguments.add_argument("--expressions", type=int, default=FULL_EXPRESSIONS)
    arguments.add_argument("--queries", type=int, default=FULL_QUERIES)
    arguments.add_argument("--only", default="", help="expressions whose outermost call is one of these: `to_char,to_number`")
    arguments.add_argument("--show", type=int, default=20)
    arguments.add_argument("--stop", action="store_true", help="end at the first difference")
    arguments.add_argument("--uses", action="store_true", help="print the uses of each function")
    options = arguments.parse_args()
    if options.seed is None:
        options.seed = int(time.time())
    print(f"seed {options.seed}: differential.py {options.program} --seed {options.seed} "
          f"--expressions {options.expressions} --queries {options.queries}"
          + (f" --only '{options.only}'" if options.only else ""), flush=True)
    begin = time.monotonic()
    parts = ((Tally("expressions", options.show, options.stop), FULL_EXPRESSIONS),
             (Tally("queries", options.show, options.stop), FULL_QUERIES))
    (expressions, _), (whole, _) = parts
    with Postgres() as server, Ebb(options.program) as ebb:
        try:
            comparison = compare.Comparison(random.Random(options.seed), ebb, server, expressions, options.only)
            comparison.run(options.expressions)
            if options.expressions >= FULL_EXPRESSIONS and not options.only:
                comparison.fill(LEAST_USES)
            queries.compare_queries(random.Random(options.seed), options.queries, ebb, server.connect().cursor(), whole)
        except Stopped:
            pass
    passed = sum(tally.passed for tally, _ in parts)
    failed = sum(tally.failed + report(tally, full, options) for tally, full in parts if tally.asked)
    print(f"\n{time.monotonic() - begin:.0f} s\n{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    run(main)
