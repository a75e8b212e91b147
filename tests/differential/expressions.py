"""Random typed SQL expressions over table `t`, with every function, operator and cast in turn.

A production is (result type, template, argument types); `{0}` stands for the first argument. The
generator prefers productions that were used least, so that each is used often.
"""

INTS = ["smallint", "integer", "bigint"]
FLOATS = ["real", "double precision"]
NUMBERS = INTS + ["numeric"] + FLOATS
TIMES = ["date", "timestamp", "timestamptz"]
SCALARS = NUMBERS + ["boolean", "text"] + TIMES + ["interval"]

COLUMNS = {
    "smallint": ["s"], "integer": ["i", "j"], "bigint": ["l"], "numeric": ["n", "m"], "real": ["r"],
    "double precision": ["d"], "boolean": ["b", "c"], "text": ["x", "y"], "date": ["dt"],
    "timestamp": ["ts"], "timestamptz": ["tz"], "interval": ["iv"],
}

LITERALS = {
    "smallint": ["0::smallint", "7::smallint", "(-3)::smallint", "32767::smallint"],
    "integer": ["0", "1", "2", "-5", "10", "2147483647"],
    "bigint": ["0::bigint", "42::bigint", "(-7)::bigint", "9223372036854775807"],
    "numeric": ["0.0", "1.50", "-2.25", "100", "0.001", "12345678901234567890.5", "'NaN'::numeric"],
    "real": ["0::real", "1.5::real", "'-0'::real", "'Infinity'::real", "1e10::real"],
    "double precision": ["0::float8", "2.5::float8", "'-0'::float8", "'NaN'::float8",
                         "'-Infinity'::float8", "1e-7::float8", "1e300::float8"],
    "boolean": ["true", "false", "NULL::boolean"],
    "text": ["''", "'a'", "'Abc def'", "'éß€'", "'%'", "'a_b%c'", "'  pad '", "'12'", "'x,y,,z'",
             "NULL::text"],
    "date": ["DATE '2013-01-31'", "DATE '2000-02-29'", "DATE '1969-12-31'"],
    "timestamp": ["TIMESTAMP '2013-07-15 12:34:56.789'", "TIMESTAMP '1999-12-31 23:59:59'",
                  "TIMESTAMP '0044-03-15 00:00:00'"],
    "timestamptz": ["TIMESTAMPTZ '2013-07-15 12:34:56+02'", "TIMESTAMPTZ '1969-12-31 23:59:59.5Z'"],
    "interval": ["INTERVAL '1 day'", "INTERVAL '-3 hours 7 minutes'", "INTERVAL '1 year 2 months'",
                 "INTERVAL '90 seconds'"],
}

PATTERNS = ["'a%'", "'%b%'", "'_'", "'%é%'", "'A_c%'", "''", "'%'"]
REGEXES = ["'a+'", "'^[a-z]+$'", "'(a|b)c'", "'\\d+'", "'\\mA'", "'[[:alpha:]]+'", "'\\s'", "'x?y'",
           "'.*'", "'b{1,2}'", "'é'"]
FIELDS = ["year", "month", "day", "quarter", "week", "isodow", "dow", "doy", "isoyear", "decade",
          "century", "millennium", "epoch"]
CLOCK_FIELDS = FIELDS + ["hour", "minute", "second", "milliseconds", "microseconds"]
TRUNCATIONS = ["year", "month", "day", "hour", "minute", "second", "week", "quarter", "decade",
               "century", "millennium", "milliseconds"]
FORMATS = ["YYYY-MM-DD", "HH24:MI:SS", "Mon DD, YYYY", "FMDay FMDD FMMonth", "IYYY-IW-ID", "HH12:MI AM",
           "J", "Q", "YY MM DDD", "MS US", "DY dy Day"]


def productions():
    """All productions as (name, result, template, argument types, float result is inexact)."""
    out = []

    def add(name, result, template, *args, inexact=False):
        out.append((name, result, template, args, inexact))

    for t in NUMBERS:
        for op in "+-*/":
            add(op, t, f"({{0}} {op} {{1}})", t, t)
        add("unary -", t, "(- {0})", t)
        add("abs", t, "abs({0})", t)
    for a, b, r in (("smallint", "integer", "integer"), ("integer", "bigint", "bigint"),
                    ("bigint", "smallint", "bigint"), ("bigint", "numeric", "numeric"),
                    ("integer", "double precision", "double precision"),
                    ("real", "double precision", "double precision")):
        for op in "+-*/":
            add(op, r, f"({{0}} {op} {{1}})", a, b)
    for t in INTS + ["numeric"]:
        add("%", t, "({0} % {1})", t, t)
        add("mod", t, "mod({0}, {1})", t, t)
    for t in INTS:
        for op in "&|#":
            add(op, t, f"({{0}} {op} {{1}})", t, t)
        add("~ (bits)", t, "(~ {0})", t)
    for t in SCALARS:
        for op in ("=", "<>", "<", "<=", ">", ">="):
            add(op, "boolean", f"({{0}} {op} {{1}})", t, t)
        add("is distinct from", "boolean", "({0} IS DISTINCT FROM {1})", t, t)
        add("is not distinct from", "boolean", "({0} IS NOT DISTINCT FROM {1})", t, t)
        add("between", "boolean", "({0} BETWEEN {1} AND {2})", t, t, t)
        add("in", "boolean", "({0} IN ({1}, {2}))", t, t, t)
        add("not in", "boolean", "({0} NOT IN ({1}, {2}))", t, t, t)
        add("is null", "boolean", "({0} IS NULL)", t)
        add("is not null", "boolean", "({0} IS NOT NULL)", t)
        add("case", t, "CASE WHEN {0} THEN {1} WHEN {2} THEN {3} ELSE {4} END", "boolean", t,
            "boolean", t, t)
        add("case of", t, "CASE {0} WHEN {1} THEN {2} END", t, t, t)
        add("coalesce", t, "coalesce({0}, {1})", t, t)
        add("nullif", t, "nullif({0}, {1})", t, t)
        add("greatest", t, "greatest({0}, {1}, {2})", t, t, t)
        add("least", t, "least({0}, {1})", t, t)
    for op in ("AND", "OR"):
        add(op.lower(), "boolean", f"({{0}} {op} {{1}})", "boolean", "boolean")
    add("not", "boolean", "(NOT {0})", "boolean")
    for test in ("TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN", "NOT UNKNOWN"):
        add(f"is {test.lower()}", "boolean", f"({{0}} IS {test})", "boolean")

    for pattern in PATTERNS:
        add("like", "boolean", f"({{0}} LIKE {pattern})", "text")
        add("not like", "boolean", f"({{0}} NOT LIKE {pattern})", "text")
        add("ilike", "boolean", f"({{0}} ILIKE {pattern})", "text")
    for regex in REGEXES:
        add("~", "boolean", f"({{0}} ~ {regex})", "text")
        add("~*", "boolean", f"({{0}} ~* {regex})", "text")
        add("!~", "boolean", f"({{0}} !~ {regex})", "text")
        add("regexp_match", "text", f"(regexp_match({{0}}, {regex}))[1]", "text")
        add("regexp_replace", "text", f"regexp_replace({{0}}, {regex}, '<\\&>')", "text")
        add("regexp_replace g", "text", f"regexp_replace({{0}}, {regex}, '-', 'g')", "text")
    for name in ("lower", "upper", "initcap", "reverse", "md5", "trim", "ltrim", "rtrim", "btrim"):
        add(name, "text", f"{name}({{0}})", "text")
    for name in ("length", "char_length", "octet_length", "bit_length", "ascii"):
        add(name, "integer", f"{name}({{0}})", "text")
    for name in ("ltrim", "rtrim", "btrim"):
        add(f"{name} of", "text", f"{name}({{0}}, {{1}})", "text", "text")
    add("trim leading", "text", "trim(leading 'a ' from {0})", "text")
    add("trim trailing", "text", "trim(trailing 'c' from {0})", "text")
    add("substring", "text", "substring({0} from {1} for {2})", "text", "#small", "#small")
    add("substring from", "text", "substring({0} from {1})", "text", "#small")
    add("substr", "text", "substr({0}, {1}, {2})", "text", "#small", "#small")
    add("left", "text", "left({0}, {1})", "text", "#small")
    add("right", "text", "right({0}, {1})", "text", "#small")
    add("lpad", "text", "lpad({0}, {1}, {2})", "text", "#small", "text")
    add("rpad", "text", "rpad({0}, {1}, {2})", "text", "#small", "text")
    add("repeat", "text", "repeat({0}, {1})", "text", "#small")
    add("position", "integer", "position({0} in {1})", "text", "text")
    add("strpos", "integer", "strpos({0}, {1})", "text", "text")
    add("replace", "text", "replace({0}, {1}, {2})", "text", "text", "text")
    add("translate", "text", "translate({0}, 'abc', 'xé')", "text")
    add("split_part", "text", "split_part({0}, ',', {1})", "text", "#small")
    add("starts_with", "boolean", "starts_with({0}, {1})", "text", "text")
    add("||", "text", "({0} || {1})", "text", "text")
    add("|| with any", "text", "({0} || {1})", "text", "integer")
    add("concat", "text", "concat({0}, {1}, {2})", "text", "integer", "boolean")
    add("concat_ws", "text", "concat_ws('-', {0}, {1})", "text", "text")
    add("overlay", "text", "overlay({0} placing 'XX' from 2 for 1)", "text")
    add("chr", "text", "chr(64 + abs({0} % 50))", "#small")
    add("to_hex", "text", "to_hex({0})", "integer")

    for t in ("numeric", "double precision"):
        for name in ("floor", "ceil", "ceiling", "round", "trunc", "sign"):
            add(name, t, f"{name}({{0}})", t)
        for name in ("sqrt", "exp", "ln", "log"):
            add(name, t, f"{name}({{0}})", t, inexact=t != "numeric")
        add("power", t, "power({0}, {1})", t, t, inexact=t != "numeric")
    add("round to", "numeric", "round({0}, {1})", "numeric", "#small")
    add("trunc to", "numeric", "trunc({0}, {1})", "numeric", "#small")
    add("cbrt", "double precision", "cbrt({0})", "double precision", inexact=True)
    for name in ("sin", "cos", "atan", "degrees", "radians"):
        add(name, "double precision", f"{name}({{0}})", "double precision", inexact=True)
    add("pi", "double precision", "pi()", inexact=True)
    add("div", "numeric", "div({0}, {1})", "numeric", "numeric")
    add("gcd", "bigint", "gcd({0}, {1})", "bigint", "bigint")
    add("lcm", "integer", "lcm({0}, {1})", "integer", "integer")

    for t in ("timestamp", "timestamptz"):
        for f in CLOCK_FIELDS:
            add(f"extract {f}", "numeric", f"extract({f} from {{0}})", t)
        add("date_part", "double precision", "date_part('hour', {0})", t)
        for f in TRUNCATIONS:
            add(f"date_trunc {f}", t, f"date_trunc('{f}', {{0}})", t)
        add("date_bin", t, "date_bin(INTERVAL '15 minutes', {0}, '2001-01-01')", t)
        for f in FORMATS:
            add("to_char", "text", f"to_char({{0}}, '{f}')", t)
        add("time + interval", t, "({0} + {1})", t, "interval")
        add("time - interval", t, "({0} - {1})", t, "interval")
        add("time - time", "interval", "({0} - {1})", t, t)
    for f in FIELDS:
        add(f"extract {f} of date", "numeric", f"extract({f} from {{0}})", "date")
    for f in ("year", "month", "day", "hour", "minute", "second", "epoch"):
        add(f"extract {f} of interval", "numeric", f"extract({f} from {{0}})", "interval")
    add("date + integer", "date", "({0} + {1})", "date", "#small")
    add("date - integer", "date", "({0} - {1})", "date", "#small")
    add("date - date", "integer", "({0} - {1})", "date", "date")
    add("date + interval", "timestamp", "({0} + {1})", "date", "interval")
    for op in "+-":
        add(f"interval {op} interval", "interval", f"({{0}} {op} {{1}})", "interval", "interval")
    add("interval * number", "interval", "({0} * 1.5)", "interval")
    add("interval / number", "interval", "({0} / 3)", "interval")
    add("- interval", "interval", "(- {0})", "interval")
    for name in ("justify_days", "justify_hours", "justify_interval"):
        add(name, "interval", f"{name}({{0}})", "interval")
    add("to_timestamp", "timestamptz", "to_timestamp({0})", "double precision")
    add("to_date", "date", "to_date('2013-02-' || abs({0} % 28 + 1), 'YYYY-MM-DD')", "#small")
    add("to_char number", "text", "to_char({0}, 'FM999990.099')", "numeric")
    add("to_char integer", "text", "to_char({0}, '999,999S')", "integer")
    add("at time zone", "timestamptz", "({0} AT TIME ZONE 'UTC')", "timestamp")
    add("make_date", "date", "make_date(2013, 1 + abs({0} % 12), 1)", "#small")

    for a in NUMBERS:
        for b in NUMBERS:
            if a != b:
                add(f"cast {a} to {b}", b, f"({{0}}::{b})", a)
        add(f"cast {a} to numeric(12,2)", "numeric", "({0}::numeric(12,2))", a)
    for t in SCALARS:
        if t != "text":
            add(f"cast {t} to text", "text", "({0}::text)", t)
            add(f"cast text to {t}", t, f"({{0}}::text::{t})", t)
    for a, b in (("date", "timestamp"), ("date", "timestamptz"), ("timestamp", "date"),
                 ("timestamp", "timestamptz"), ("timestamptz", "date"), ("timestamptz", "timestamp"),
                 ("boolean", "integer"), ("integer", "boolean")):
        add(f"cast {a} to {b}", b, f"({{0}}::{b})", a)
    add("cast to varchar", "text", "({0}::varchar(3))", "text")
    add("cast bad text", "integer", "({0}::integer)", "text")
    return out


class Generator:
    """Makes expressions; `uses` counts productions by name."""

    def __init__(self, random):
        self.random = random
        self.all = productions()
        self.uses = {}
        self.counts = [0] * len(self.all)
        self.by_result = {}
        for k, (_, result, _, _, _) in enumerate(self.all):
            self.by_result.setdefault(result, []).append(k)

    def leaf(self, kind):
        if kind == "#small":
            return self.random.choice(["i % 7", "0", "1", "2", "3", "-1", "5"])
        if self.random.random() < 0.7:
            return self.random.choice(COLUMNS[kind])
        return self.random.choice(LITERALS[kind])

    def expression(self, kind, depth):
        """(SQL, inexact)"""
        if depth == 0 or kind not in self.by_result or self.random.random() < 0.15:
            return self.leaf(kind), False
        candidates = self.random.sample(self.by_result[kind], min(4, len(self.by_result[kind])))
        return self.apply(min(candidates, key=self.counts.__getitem__), depth)

    def apply(self, k, depth):
        name, _, template, args, inexact = self.all[k]
        self.counts[k] += 1
        self.uses[name] = self.uses.get(name, 0) + 1
        parts = []
        for arg in args:
            sql, loose = self.expression(arg, depth - 1)
            parts.append(sql)
            inexact = inexact or loose
        return template.format(*parts), inexact

    def next(self):
        """One expression whose root is the production used least."""
        least = min(self.counts)
        k = self.random.choice([k for k, n in enumerate(self.counts) if n == least])
        return self.apply(k, self.random.choice([1, 2, 2, 3]))
