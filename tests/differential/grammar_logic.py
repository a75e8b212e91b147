"""Productions for comparison, boolean logic and choice among values."""
from grammar_types import COLUMNS, INTS, NUMBERS, SCALARS, TIMES, common_type, nullif_type

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=", "!=")


def productions(add):
    for op in ("AND", "OR"):
        for _ in range(2):
            add(op, "boolean", f"({{0}} {op} {{1}})", "boolean", "boolean")
    add("AND", "boolean", "({0} AND {1} AND {2})", "boolean", "boolean", "boolean")
    add("NOT", "boolean", "(NOT {0})", "boolean")
    for test in ("TRUE", "NOT TRUE", "FALSE", "NOT FALSE", "UNKNOWN", "NOT UNKNOWN"):
        add(f"IS {test}", "boolean", f"({{0}} IS {test})", "boolean")
    for t in SCALARS:
        same_type(add, t)
        edges(add, t)
    for order in (NUMBERS, TIMES):
        for a in order:
            for b in order:
                if a != b:
                    mixed(add, a, b)
    add("IN", "boolean", "({0} IN ('1', 2, {1}))", "integer", "bigint")
    # Literals without a type are texts where a text will do.
    for op in ("=", "<", ">="):
        add("literals compared", "boolean", f"({{0}} AND {{1}} {op} {{2}})", "boolean", "'text", "'text")
    for name in ("length", "bit_length", "octet_length"):
        add("literal as argument", "integer", f"({{0}} % 9 + {name}({{1}}))", "integer", "'text")
    for name in ("md5", "reverse", "quote_literal"):
        add("literal as argument", "text", f"({{0}} || {name}({{1}}))", "text", "'text")
    # One constant beside a column is compared by the operator of both types, not by a common type.
    add("IN of one constant", "boolean", "(CASE WHEN {0} THEN 0.1::real ELSE {1} END IN (0.1, {2}))", "boolean", "real", "real")
    add("CASE", "text", "CASE WHEN {0} THEN 'yes' ELSE {1} END", "boolean", "text")
    add("CASE", "numeric", "CASE WHEN {0} THEN 1 WHEN {1} THEN 2.5 ELSE {2} END", "boolean", "boolean",
        "smallint")
    add("COALESCE", "text", "coalesce({0}, 'none')", "text")
    add("COALESCE", "date", "coalesce({0}, '2013-01-31')", "date")
    add("COALESCE", "numeric", "coalesce({0}, {1}, {2}, 0)", "numeric", "integer", "bigint")
    add("||", "boolean", "({0} || 'x' = {1} || 'x')", "text", "text")
    add("= ANY", "boolean", "({0} = ANY (ARRAY[{1}, 1, NULL]))", "integer", "integer")
    add("= ANY", "boolean", "({0} = ANY ({1}))", "integer", "integer[]")
    add("<> ALL", "boolean", "({0} <> ALL (ARRAY[{1}, 'a']))", "text", "text")


def same_type(add, t):
    for op in COMPARISONS:
        add(op, "boolean", f"({{0}} {op} {{1}})", t, t)
    for op in ("=", "<", ">="):
        add(f"{op} unknown", "boolean", f"({{0}} {op} {{1}})", t, "'" + t)
    add("IS DISTINCT FROM", "boolean", "({0} IS DISTINCT FROM {1})", t, t)
    add("IS NOT DISTINCT FROM", "boolean", "({0} IS NOT DISTINCT FROM {1})", t, t)
    add("BETWEEN", "boolean", "({0} BETWEEN {1} AND {2})", t, t, t)
    add("NOT BETWEEN", "boolean", "({0} NOT BETWEEN {1} AND {2})", t, t, "'" + t)
    add("BETWEEN SYMMETRIC", "boolean", "({0} BETWEEN SYMMETRIC {1} AND {2})", t, t, t)
    add("IN", "boolean", "({0} IN ({1}, {2}, NULL))", t, t, "'" + t)
    add("IN", "boolean", "({0} IN ({1}, {2}, {3}, {4}))", t, "=" + t, "=" + t, "'" + t, "=" + t)
    add("NOT IN", "boolean", "({0} NOT IN ({1}, {2}))", t, t, "=" + t)
    add("IS NULL", "boolean", "({0} IS NULL)", t)
    add("IS NOT NULL", "boolean", "({0} IS NOT NULL)", t)
    add("CASE", t, "CASE WHEN {0} THEN {1} WHEN {2} THEN {3} ELSE {4} END", "boolean", t, "boolean", t, t)
    add("CASE", t, "CASE WHEN {0} THEN NULL ELSE {1} END", "boolean", t)
    add("CASE of", t, "CASE {0} WHEN {1} THEN {2} WHEN {3} THEN {4} END", t, t, t, "'" + t, t)
    add("COALESCE", t, "coalesce({0}, {1})", t, t)
    add("COALESCE", t, "coalesce({0}, {1}, {2})", t, t, "'" + t)
    add("NULLIF", t, "nullif({0}, {1})", t, t)
    add("GREATEST", t, "greatest({0}, {1}, {2})", t, t, t)
    add("LEAST", t, "least({0}, {1})", t, t)
    add("LEAST", t, "least({0}, {1}, NULL)", t, "'" + t)


def edges(add, t):
    """The two columns in which the table has edges that meet (table.EDGES)."""
    first, second = ("$n", "$o") if t == "numeric" else ("$" + name for name in COLUMNS[t][:2])
    operators = "/%+-*" if t in INTS else "+-*/" if t in NUMBERS else ""
    for op in operators:
        add(f"edges of {t}", t, f"({{0}} {op} {{1}})", first, second)
    for op in ("=", "<", ">", "IS DISTINCT FROM"):
        add(f"edges of {t}", "boolean", f"({{0}} {op} {{1}})", first, second)
    add(f"edges of {t}", t, "greatest({0}, {1})", first, second)
    if t in INTS:
        add(f"edges of {t}", t, "abs({0})", first)
        add(f"edges of {t}", t, "(- {0})", first)


def mixed(add, a, b):
    """Implicit casts between different types of one family."""
    both = common_type(a, b)
    for op in ("=", "<", ">="):
        add(op, "boolean", f"({{0}} {op} {{1}})", a, b)
    add("IN", "boolean", "({0} IN ({1}, {2}, NULL))", a, b, a)
    add("BETWEEN", "boolean", "({0} BETWEEN {1} AND {2})", a, b, a)
    add("IS DISTINCT FROM", "boolean", "({0} IS DISTINCT FROM {1})", a, b)
    add("CASE", both, "CASE WHEN {0} THEN {1} ELSE {2} END", "boolean", a, b)
    add("COALESCE", both, "coalesce({0}, {1})", a, b)
    add("GREATEST", both, "greatest({0}, {1})", a, b)
    add("LEAST", both, "least({0}, {1}, {2})", a, b, a)
    add("NULLIF", nullif_type(a, b), "nullif({0}, {1})", a, b)
