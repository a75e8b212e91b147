"""Compares ebb with PostgreSQL on generated expressions."""
import collections
import re

import expressions
import table
from oracle import Oracle, plain_type

CHUNK = 8
ROWS_OF_AN_ERROR = 4 # how many failing rows with one text are tried alone
EXPRESSIONS_A_TABLE = 800
NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|Infinity|NaN)")
TOLERANCE = 1e-12
# A zone that a row names: ebb knows none by name, and says so where the row is read.
NAMED_ZONE = r'time zone "[^"]*" not recognized'


def close(a, b, tolerance, near_zero=0):
    """Equal but for the last digits of numbers; those less than `near_zero` apart are equal, too."""
    if a is None or b is None:
        return a is b
    if NUMBER.sub("#", a) != NUMBER.sub("#", b):
        return False
    for p, q in zip(NUMBER.findall(a), NUMBER.findall(b)):
        if p != q and not abs(float(p) - float(q)) <= max(near_zero, tolerance * max(abs(float(p)), abs(float(q)))):
            return False
    return True


def same(got, wanted, tolerance, near_zero=0):
    if got == wanted:
        return True
    return tolerance and len(got) == len(wanted) and all(
        len(g) == len(w) and all(close(p, q, tolerance, near_zero) for p, q in zip(g, w))
        for g, w in zip(got, wanted))


class Comparison:
    """Each expression gives a value or an error for each row of `t`, and a type; all must agree."""

    def __init__(self, rnd, ebb, server, tally, only=""):
        self.rnd = rnd
        self.ebb = ebb
        self.tally = tally
        connection = server.connect()
        self.cursor = connection.cursor()
        self.oracle = Oracle(connection)
        self.generator = expressions.Generator(rnd, only)
        tally.uses.update({p.name: 0 for p in self.generator.all})
        tally.types.update({p.result: 0 for p in self.generator.all})

    def run(self, count):
        for start in range(0, count, EXPRESSIONS_A_TABLE):
            table.create(self.rnd, self.ebb, self.cursor)
            end = min(count, start + EXPRESSIONS_A_TABLE)
            for at in range(start, end, CHUNK):
                self.chunk([self.generator.next() for _ in range(min(CHUNK, end - at))])

    def fill(self, least):
        """More expressions of what chance, or ebb's refusals, left with fewer than `least` uses; not without end."""
        for _ in range(least):
            few = [name for name in self.generator.names if self.tally.uses[name] < least]
            if not few:
                return
            for name in few:
                self.chunk([self.generator.of(name)])

    def chunk(self, items):
        self.tally.asked += len(items)
        verdicts = self.oracle.ask([item.sql for item in items])
        # Before ebb answers: what is generated next must not depend on ebb.
        for item, verdict in zip(items, verdicts):
            compared = not verdict.slow and not verdict.invalid and not verdict.folded
            if compared and any(value is not None for value in verdict.values.values()):
                self.generator.credit(item)
        sound = [n for n, verdict in enumerate(verdicts) if not verdict.errors and not verdict.invalid]
        together = self.values([items[n].sql for n in sound]) if sound else None
        for n, (item, verdict) in enumerate(zip(items, verdicts)):
            if verdict.slow:
                self.tally.skip(item.sql, verdict.invalid)
            elif verdict.invalid:
                self.invalid(item, verdict)
            elif verdict.errors:
                self.failing(item, verdict)
            elif together is not None:
                self.judge(item, verdict, *together[sound.index(n)])
            else:
                self.sound(item, verdict, "")

    def values(self, chunk, where=""):
        """(values by row, type) for each text, or None when ebb refuses or fails for one."""
        raw = ", ".join(f"({sql}) AS v{n}" for n, sql in enumerate(chunk))
        text = ", ".join(f"v{n}::text AS v{n}" for n in range(len(chunk)))
        rows, self.problem = self.ebb.query({"raw": f"SELECT id, {raw} FROM t{where}",
                                             "q": f"SELECT id, {text} FROM raw"})
        if self.problem is not None:
            return None
        types = self.ebb.types["raw"]
        return [({int(row[0]): row[n + 1] for row in rows}, plain_type(types[n + 1]))
                for n in range(len(chunk))]

    def sound(self, item, verdict, where):
        answers = self.values([item.sql], where)
        if answers is not None:
            self.judge(item, verdict, *answers[0])
        elif self.problem.refused or re.fullmatch(NAMED_ZONE, self.problem.said):
            self.tally.refuse(item.sql, self.problem)
        elif self.problem.said == "interval out of range" and "::interval(" in item.sql:
            self.tally.skip(item.sql, "PostgreSQL 15 does not see that rounding leaves the range")
        else:
            self.tally.fail(item.sql, f"PostgreSQL gives rows; ebb: {self.problem.text.splitlines()[0]}")

    def judge(self, item, verdict, got, kind):
        """Every row without an error, and the type."""
        wanted_type = plain_type(verdict.type)
        if verdict.type and kind != wanted_type:
            self.tally.fail(item.sql, f"type: PostgreSQL {wanted_type}, ebb {kind}")
            return
        tolerance = TOLERANCE if item.inexact else 0
        for row, wanted in verdict.values.items():
            if row not in got:
                self.tally.fail(item.sql, f"row {row}: none from ebb")
                return
            if got[row] != wanted and not (tolerance and close(got[row], wanted, tolerance)):
                self.tally.fail(item.sql, f"row {row}: PostgreSQL {wanted!r}, ebb {got[row]!r}")
                return
        if len(got) != len(verdict.values):
            self.tally.fail(item.sql, f"PostgreSQL {len(verdict.values)} rows, ebb {len(got)}")
            return
        if wanted_type == "boolean" and not self.holds(item, verdict):
            return
        self.tally.passed += 1
        if any(value is not None for value in verdict.values.values()):
            for k in item.productions:
                production = self.generator.all[k]
                self.tally.uses[production.name] += 1
                self.tally.types[production.result] += 1
        else:
            self.tally.empty += 1

    def holds(self, item, verdict):
        """The same as a condition of WHERE."""
        ids = f" AND id IN ({', '.join(map(str, verdict.values))})" if verdict.errors else ""
        rows, problem = self.ebb.query(f"SELECT id FROM t WHERE ({item.sql}){ids}" if not ids else
                                       f"SELECT id FROM t WHERE CASE WHEN {ids[5:]} THEN ({item.sql}) END")
        wanted = [row for row, value in verdict.values.items() if value == "true"]
        if problem is not None:
            self.tally.fail(item.sql, f"as a condition, ebb: {problem.text.splitlines()[0]}")
            return False
        got = sorted(int(row[0]) for row in rows)
        if got != sorted(wanted):
            self.tally.fail(item.sql, f"as a condition: PostgreSQL {sorted(wanted)}, ebb {got}")
            return False
        return True

    def invalid(self, item, verdict):
        """PostgreSQL does not plan it: neither may ebb, for the same reason."""
        if "character varying[]" in verdict.invalid:
            # To ebb VARCHAR is TEXT, so arrays of both are of one type.
            self.tally.skip(item.sql, verdict.invalid)
        elif self.values([item.sql]) is not None:
            self.tally.fail(item.sql, f"PostgreSQL: {verdict.invalid}; ebb gives rows")
        elif self.problem.refused:
            self.tally.refuse(item.sql, self.problem)
        elif self.problem.said != verdict.invalid:
            self.tally.fail(item.sql, f"PostgreSQL: {verdict.invalid}; ebb: {self.problem.said}")
        else:
            self.tally.passed += 1
            self.tally.invalid += 1

    def failing(self, item, verdict):
        """Rows that fail must fail with the same text, alone and among the others."""
        answers = self.values([item.sql])
        if verdict.folded and (answers is not None or self.problem.said != verdict.folded):
            # ebb fails where a row meets the constant part, if one does.
            self.tally.skip(item.sql, verdict.folded)
            return
        self.tally.errors += 1
        if answers is not None:
            row, text = next(iter(verdict.errors.items()))
            self.tally.fail(item.sql, f"row {row}: PostgreSQL: {text}; ebb gives rows")
            return
        if self.problem.refused:
            self.tally.refuse(item.sql, self.problem)
            return
        if self.problem.early and self.problem.said in verdict.errors.values():
            # A constant that is wrong for every row is refused before the first one.
            self.tally.passed += 1
            self.tally.early += 1
            return
        if self.problem.record is not None and self.problem.record - 1 not in verdict.errors:
            self.tally.fail(item.sql, f"PostgreSQL: {sorted(set(verdict.errors.values()))[:3]}; "
                            f"ebb: {self.problem.message}")
            return
        rows_by_text = collections.defaultdict(list)
        for row, text in verdict.errors.items():
            rows_by_text[text].append(row)
        for text, rows in rows_by_text.items():
            for row in rows[:ROWS_OF_AN_ERROR]:
                if self.values([item.sql], f" WHERE id = {row}") is not None:
                    self.tally.fail(item.sql, f"row {row}: PostgreSQL: {text}; ebb gives a value")
                    return
                if self.problem.refused:
                    self.tally.refuse(item.sql, self.problem)
                    return
                if self.problem.said != text:
                    self.tally.fail(item.sql, f"row {row}: PostgreSQL: {text}; ebb: {self.problem.said}")
                    return
        if verdict.values:
            self.sound(item, verdict, f" WHERE id IN ({', '.join(map(str, verdict.values))})")
        else:
            self.tally.passed += 1
            self.tally.empty += 1
