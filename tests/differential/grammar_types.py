"""Types, columns and promotions that the productions of `expressions.py` share."""

import typing


class Either(typing.NamedTuple):
    """Arguments that are right, and wrong ones that only the root of an expression may have."""
    right: typing.Any
    wrong: typing.Any


INTS = ["smallint", "integer", "bigint"]
FLOATS = ["real", "double precision"]
NUMBERS = INTS + ["numeric"] + FLOATS
TIMES = ["date", "timestamp", "timestamptz"]
SCALARS = NUMBERS + ["boolean", "text", "bytea"] + TIMES + ["interval"]
ARRAYS = ["integer[]", "text[]", "numeric[]", "boolean[]", "double precision[]", "timestamp[]"]

COLUMNS = {
    "smallint": ["s", "z"], "integer": ["i", "j", "id"], "bigint": ["l", "k"],
    "numeric": ["n", "m", "o"], "real": ["r", "q"], "double precision": ["d", "e"],
    "boolean": ["b", "c"], "text": ["x", "y", "v"], "bytea": ["p", "w"], "date": ["dt", "du"],
    "timestamp": ["ts", "tu"], "timestamptz": ["tz", "ty"], "interval": ["iv", "iw"],
}
# Columns of text that reads as a value of the type, mostly.
SPELLED = {"integer": "si", "numeric": "sn", "boolean": "sb", "date": "sd", "timestamp": "st",
           "interval": "sv"}

DEFINITIONS = ["id INTEGER NOT NULL", "b BOOLEAN", "c BOOLEAN", "s SMALLINT", "z SMALLINT", "i INTEGER",
               "j INTEGER", "l BIGINT", "k BIGINT", "r REAL", "q REAL", "d DOUBLE PRECISION",
               "e DOUBLE PRECISION", "n NUMERIC", "m NUMERIC(12,3)", "o NUMERIC", "x TEXT", "y TEXT",
               "v VARCHAR(8)", "p BYTEA", "w BYTEA", "dt DATE", "du DATE", "ts TIMESTAMP",
               "tu TIMESTAMP", "tz TIMESTAMPTZ", "ty TIMESTAMPTZ", "iv INTERVAL", "iw INTERVAL",
               "si TEXT", "sn TEXT", "sb TEXT", "sd TEXT", "st TEXT", "sv TEXT"]


def arithmetic_type(a, b):
    """Result of `a + b` for numbers: PostgreSQL prefers DOUBLE PRECISION once a float is involved."""
    if a in FLOATS or b in FLOATS:
        return "real" if a == b == "real" else "double precision"
    return NUMBERS[max(NUMBERS.index(a), NUMBERS.index(b))]


def common_type(a, b):
    """Result of `CASE`, `COALESCE` and the like over a and b."""
    order = NUMBERS if a in NUMBERS else TIMES
    return order[max(order.index(a), order.index(b))]


def nullif_type(a, b):
    if a == b or (a in INTS and b in INTS) or (a in FLOATS and b in FLOATS) or a in TIMES:
        return a
    return "double precision" if a in FLOATS or b in FLOATS else "numeric"
