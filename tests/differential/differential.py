#!/usr/bin/python3
"""ebb against a real PostgreSQL 15: the same SQL must give the same rows and the same errors.

    differential.py RUN_MANIFESTS [--seed N] [--expressions N] [--queries N] [--show N]

The seed is printed; the same seed makes the same expressions, queries and data. The last lines say
what was compared, refused and empty, the least used productions, and `N passed, N failed`.
"""
import argparse
import collections
import random
import re
import sys
import time

import psycopg2

import expressions
import queries
from ebb import Ebb
from postgres import Postgres

NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|Infinity|NaN)")

T_COLUMNS = ["id INTEGER", "b BOOLEAN", "c BOOLEAN", "s SMALLINT", "i INTEGER", "j INTEGER",
             "l BIGINT", "r REAL", "d DOUBLE PRECISION", "n NUMERIC", "m NUMERIC(12,3)", "x TEXT",
             "y TEXT", "dt DATE", "ts TIMESTAMP", "tz TIMESTAMPTZ", "iv INTERVAL"]


def table_rows(rnd, count=24):
    def pick(values):
        return None if rnd.random() < 0.12 else str(rnd.choice(values))

    texts = ["", "a", "abc", "Abc", "ABC def", "é", "ß", "straße", "€uro", "x,y,z", "12", "-7", "3.5",
             "a_b%c", "  pad ", "true", "2013-01-31", "aaab", "bcbc", "A A"]
    rows = []
    for k in range(count):
        rows.append([
            str(k), pick(["true", "false"]), pick(["true", "false"]),
            pick([0, 1, -1, 7, 32767, -32768, 100]),
            pick([0, 1, -1, 2, 10, 46341, 2147483647, -2147483648, 12345]),
            pick([0, 1, 3, -4, 1000]),
            pick([0, 1, -1, 9223372036854775807, -9223372036854775808, 3000000000, 123456789012]),
            pick(["0", "-0", "1.5", "-2.25", "NaN", "Infinity", "1e-30", "3.4e38", "0.1"]),
            pick(["0", "-0", "1.5", "-2.25", "NaN", "-Infinity", "1e-300", "1.7e308", "0.1", "123456.789"]),
            pick(["0", "1.50", "-2.25", "NaN", "0.000001", "12345678901234567890.123456789", "-99.99", "1e30"]),
            pick(["0", "1.5", "-2.255", "999999999.999", "0.001"]),
            pick(texts), pick(texts),
            pick(["2013-01-31", "2000-02-29", "1969-12-31", "1999-12-31", "2012-12-30", "0001-01-01"]),
            pick(["2013-01-31 05:06:07.891", "2000-02-29 23:59:59.999999", "1969-12-31 12:00:00",
                  "2012-12-30 00:00:00", "1582-10-15 01:02:03"]),
            pick(["2013-06-30 10:00:00+00", "1970-01-01 00:00:00+00", "2024-02-29 12:34:56.7+00"]),
            pick(["1 day", "-1 mons 3 days", "04:05:06.789", "1 year 2 mons -3 days", "00:00:00",
                  "36:00:00"]),
        ])
    return rows


def close(a, b, tolerance):
    """Equal but for the last digits of numbers."""
    if a is None or b is None:
        return a is b
    if NUMBER.sub("#", a) != NUMBER.sub("#", b):
        return False
    for p, q in zip(NUMBER.findall(a), NUMBER.findall(b)):
        if p == q:
            continue
        try:
            p, q = float(p), float(q)
        except ValueError:
            return False
        if not abs(p - q) <= tolerance * max(abs(p), abs(q), 1e-300):
            return False
    return True


def same(got, wanted, tolerance):
    if got == wanted:
        return True
    return tolerance and len(got) == len(wanted) and all(
        len(g) == len(w) and all(close(p, q, tolerance) for p, q in zip(g, w))
        for g, w in zip(got, wanted))


class Tally:
    def __init__(self, show):
        self.passed = self.failed = self.refused = self.empty = self.errors = 0
        self.show = show
        self.reasons = collections.Counter()

    def fail(self, sql, what):
        self.failed += 1
        if self.failed <= self.show:
            print(f"DIFFERENT {sql}\n  {what}", flush=True)

    def refuse(self, sql, why):
        self.refused += 1
        reason = why.split("\n")[0]
        reason = re.sub(r"^[^ ]*: ", "", reason)
        if self.reasons[reason] == 0 and len(self.reasons) <= self.show:
            print(f"REFUSED {sql}\n  {why.splitlines()[0]}", flush=True)
        self.reasons[reason] += 1


PER_ROW = """
CREATE FUNCTION try_row(expression text, row_id int) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE answer text;
BEGIN
  EXECUTE 'SELECT (' || expression || ')::text FROM t WHERE id = ' || row_id INTO answer;
  RETURN ARRAY['ok', answer];
EXCEPTION WHEN OTHERS THEN
  RETURN ARRAY['error', SQLERRM];
END $$
"""


def refused(problem):
    """ebb said that it does not do this, which is allowed; anything else must agree."""
    return "not supported" in problem or "is refused" in problem or "does not " in problem and \
        "ebb" in problem


def compare_expressions(rnd, count, ebb, cursor, tally):
    rows = table_rows(rnd)
    names = [c.split()[0] for c in T_COLUMNS]
    ebb.add_table("t", T_COLUMNS, rows)
    cursor.execute(f"CREATE TABLE t ({', '.join(T_COLUMNS)})")
    for row in rows:
        cursor.execute(f"INSERT INTO t VALUES ({', '.join(['%s'] * len(names))})", row)
    cursor.execute(PER_ROW)
    generator = expressions.Generator(rnd)
    for _ in range(count):
        sql, inexact = generator.next()
        compare_expression(sql, inexact, ebb, cursor, tally, len(rows))
    return generator


def compare_expression(sql, inexact, ebb, cursor, tally, count):
    cursor.execute("SELECT id, try_row(%s, id) FROM t ORDER BY id", (sql,))
    answers = dict(cursor.fetchall())
    bad = {k: v[1] for k, v in answers.items() if v[0] == "error"}
    tolerance = 1e-12 if inexact else 0
    if "::real" in sql or " r " in f" {sql} " or re.search(r"\br\b", sql):
        tolerance = 1e-5 if inexact else 0
    if len(set(bad.values())) == 1 and len(bad) == count and \
            re.search(r"does not exist|is not unique|syntax error|cannot cast", next(iter(bad.values()))):
        tally.empty += 1  # not SQL for PostgreSQL either: a fault of the generator
        return
    statement = f"SELECT id, ({sql})::text AS v FROM t"
    if bad:
        tally.errors += 1
        got, problem = ebb.query(statement)
        if problem is None:
            tally.fail(sql, f"PostgreSQL fails: {next(iter(bad.values()))}; ebb gives rows")
            return
        if problem.startswith("CRASH"):
            tally.fail(sql, problem)
            return
        if refused(problem):
            tally.refuse(sql, problem)
            return
        if not any(text in problem for text in bad.values()):
            tally.fail(sql, f"PostgreSQL: {sorted(set(bad.values()))[:2]}; ebb: {problem.splitlines()[0]}")
            return
        good = [k for k in answers if k not in bad]
        if not good:
            tally.passed += 1
            return
        statement += f" WHERE id IN ({', '.join(map(str, good))})"
    got, problem = ebb.query(statement)
    if problem is not None:
        if refused(problem):
            tally.refuse(sql, problem)
        else:
            tally.fail(sql, f"ebb fails: {problem.splitlines()[0]}")
        return
    wanted = [[str(k), v[1]] for k, v in sorted(answers.items()) if v[0] == "ok"]
    got.sort(key=lambda row: int(row[0]))
    if not same(got, wanted, tolerance):
        different = next(((g, w) for g, w in zip(got, wanted) if g != w), (got[:1], wanted[:1]))
        row_id = different[1][0] if isinstance(different[1][0], str) else "?"
        tally.fail(sql, f"row {row_id}: PostgreSQL {different[1][1:]}, ebb {different[0][1:]}")
        return
    if all(row[1] is None for row in wanted):
        tally.empty += 1
    tally.passed += 1


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--seed", type=int, default=int(time.time()))
    arguments.add_argument("--expressions", type=int, default=5000)
    arguments.add_argument("--queries", type=int, default=500)
    arguments.add_argument("--show", type=int, default=20)
    options = arguments.parse_args()
    print(f"seed {options.seed}: differential.py {options.program} --seed {options.seed} "
          f"--expressions {options.expressions} --queries {options.queries}", flush=True)
    rnd = random.Random(options.seed)
    total = Tally(options.show)
    with Postgres() as server, Ebb(options.program) as ebb:
        cursor = server.connect().cursor()
        generator = compare_expressions(rnd, options.expressions, ebb, cursor, total)
        queries.compare_queries(rnd, options.queries, ebb, cursor, total)
    uses = sorted(generator.uses.items(), key=lambda item: item[1])
    asked = options.expressions + options.queries
    print(f"\n{asked} asked: {total.passed} equal ({total.errors} with errors), {total.failed} different, "
          f"{total.refused} refused ({100 * total.refused / max(1, asked):.1f} %), "
          f"{total.empty} empty ({100 * total.empty / max(1, asked):.1f} %)")
    print("least used:", ", ".join(f"{name} {n}" for name, n in uses[:6]))
    for reason, n in total.reasons.most_common(10):
        print(f"refused {n}: {reason}")
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except psycopg2.Error as problem:
        print(f"PostgreSQL: {problem}", file=sys.stderr)
        sys.exit(1)
