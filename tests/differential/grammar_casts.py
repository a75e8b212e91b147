"""Productions for casts among all types, with type modifiers."""
from grammar_types import NUMBERS, SCALARS, SPELLED

TEXT_NAME = {"smallint": "int2", "integer": "int", "bigint": "int8", "real": "float4",
             "double precision": "float8", "boolean": "bool", "timestamptz": "timestamp with time zone",
             "timestamp": "timestamp without time zone", "numeric": "decimal"}


def productions(add):
    for a in NUMBERS:
        for b in NUMBERS:
            if a != b:
                add(f"cast {a} to {b}", b, f"({{0}}::{b})", a)
        for modifier in ("12,2", "5", "10,4", "38,10", "20,7", "3,3"):
            add(f"cast {a} to numeric(p,s)", "numeric", f"({{0}}::numeric({modifier}))", a)
        if a not in ("smallint", "numeric", "real", "double precision", "bigint"):
            add(f"cast {a} to boolean", "boolean", f"({{0}}::boolean)", a)
            add(f"cast boolean to {a}", a, f"({{0}}::{a})", "boolean")
    for t in SCALARS:
        if t != "text":
            add(f"cast {t} to text", "text", "({0}::text)", t)
            add(f"cast text to {t}", t, f"({{0}}::{t})", "@" + t)
            add(f"cast text to {t}", t, f"CAST({{0}} AS {TEXT_NAME.get(t, t)})", "@" + t)
            add("cast to text and back", t, f"({{0}}::text::{t})", t)
            add("literal", t, "coalesce({0}, {1})", t, "'@" + t)
            add("literal", t, f"CASE WHEN {{0}} THEN {{1}}::{t} END", "boolean", "'@" + t)
            add("cast to varchar(n)", "text", f"({{0}}::varchar({1 + len(t) % 7}))", t)
    for a, b in (("date", "timestamp"), ("date", "timestamptz"), ("timestamp", "date"),
                 ("timestamp", "timestamptz"), ("timestamptz", "date"), ("timestamptz", "timestamp")):
        add(f"cast {a} to {b}", b, f"({{0}}::{b})", a)
    for name in ("timestamp", "timestamptz"):
        for places in (0, 1, 3, 6):
            add(f"cast to {name}(p)", name, f"({{0}}::{name}({places}))", name)
    for places in (0, 2):
        add("cast to interval(p)", "interval", f"({{0}}::interval({places}))", "interval")
    add("cast to varchar(n)", "text", "({0}::varchar(3))", "text")
    add("cast to varchar", "text", "({0}::varchar)", "text")
    add("cast text to varchar(n)", "text", "CAST({0} AS character varying(5))", "text")
    for t in SPELLED:
        add(f"cast text to {t}", t, f"(trim({{0}})::{t})", "@" + t)
    for a, b in (("integer[]", "text[]"), ("integer[]", "numeric[]"), ("integer[]", "double precision[]"),
                 ("numeric[]", "text[]"), ("timestamp[]", "text[]"), ("numeric[]", "integer[]")):
        add("cast of array", b, f"({{0}}::{b})", a)
    for t in ("integer[]", "text[]", "numeric[]", "boolean[]", "timestamp[]", "double precision[]"):
        element = t[:-2]
        add("cast of ARRAY", t, f"ARRAY[{{0}}, {{1}}, {{2}}]::{t}", element, "'" + element, "text" if t == "text[]" else element)
        add("cast array to text", "text", "({0}::text)", t)
        add("cast text to array", t, f"({{0}}::text::{t})", t)
    for a, b in (("double precision", "integer"), ("numeric", "integer"), ("integer", "text"), ("date", "text"),
                 ("boolean", "integer"), ("timestamptz", "timestamp"), ("integer", "numeric")):
        add("cast of ARRAY", f"{b}[]", f"ARRAY[{{0}}, {{1}}]::{b}[]", a, a)
    add("cast of ARRAY", "text[]", "ARRAY[{0}, {1}]::varchar(2)[]", "text", "integer")
    add("cast of ARRAY", "numeric[]", "ARRAY[{0}, 1.26]::numeric(9,1)[]", "integer")
    add("cast text to array", "integer[]", "CASE WHEN {1} THEN {0}::integer[] END",
        ["'{1,2,3}'", "'{}'", "' { 1 , NULL , -3 } '", "'{1,2'", "'1,2'", "'{a}'", "'{1,,2}'", "'{{1,2},{3,4}}'",
         "'[0:1]={1,2}'"], "boolean")
    add("cast text to array", "text[]", "CASE WHEN {1} THEN {0}::text[] END",
        ["'{a,b c,\"d,e\"}'", "'{NULL,null,\"NULL\"}'", "'{\"a\\\"b\",\\\\x}'", "'{ a , b }'", "'{\"\"}'", "'{a\"b}'"],
        "boolean")
