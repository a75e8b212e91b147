"""Table `t`: random rows with a column or more of every type, for both engines."""
import collections

import spellings
import values
from grammar_types import DEFINITIONS

NULLS = 0.1
ROWS = 38
# Further rows hold these in the two columns of a type, so that edges meet.
EDGES = {
    "SMALLINT": ("-32768 -1", "32767 1", "-32768 -32768", "32767 32767", "0 -1", "-32768 1"),
    "INTEGER": ("-2147483648 -1", "2147483647 1", "-2147483648 -2147483648", "2147483647 2147483647", "0 -1",
                "-2147483648 1"),
    "BIGINT": ("-9223372036854775808 -1", "9223372036854775807 1", "-9223372036854775808 -9223372036854775808",
               "9223372036854775807 9223372036854775807", "0 -1", "-9223372036854775808 1"),
    "REAL": ("NaN Infinity", "0 -0", "Infinity -Infinity", "NaN NaN", "3.4e38 3.4e38", "1e-45 2"),
    "DOUBLE PRECISION": ("NaN Infinity", "0 -0", "Infinity -Infinity", "NaN NaN", "1.7e308 10", "5e-324 2"),
    "NUMERIC": ("NaN Infinity", "0 0.000", "Infinity -Infinity", "NaN NaN", "0.5 -0.5", "1e30 1e-30"),
    "BOOLEAN": ("true false", "false true", "true true", "false false", "\\N true", "false \\N"),
    "DATE": ("infinity -infinity", "-infinity infinity", "2000-02-29 2001-02-28", "0001-01-01 9999-12-31",
             "2000-01-01 1999-12-31", "1970-01-01 1969-12-31"),
    "TIMESTAMP": ("infinity -infinity", "infinity infinity", "2000-01-31|12:00 2000-02-29|00:00",
                  "1969-12-31|23:59:59.999999 1970-01-01", "2000-01-01 1999-12-31|23:59:59.5", "0001-01-01 9999-12-31"),
    "INTERVAL": ("1|mon 30|days", "24:00 1|day", "-1|day 1|mon", "00:00 -00:00:00.000001", "1|year -12|mons",
                 "100|years 99|years|12|mons"),
    "TEXT": ("a b", "é e", "🙂 €", "ß SS", "| |", "A a"),
    "BYTEA": ("\\x \\x00", "\\xff \\x7f", "\\x61 \\x6161", "\\x \\x", "\\x00ff \\x00", "\\x80 \\xff"),
}
EDGES["TIMESTAMPTZ"] = EDGES["TIMESTAMP"]
SPELLINGS = {"si": "integer", "sn": "numeric", "sb": "boolean", "sd": "date", "st": "timestamp",
             "sv": "interval"}
NAMES = [definition.split()[0] for definition in DEFINITIONS]


def value(rnd, name, kind):
    if rnd.random() < NULLS:
        return None
    if name in SPELLINGS:
        return spellings.OF_TYPE[SPELLINGS[name]](rnd)
    if kind == "NUMERIC(12,3)":
        return rnd.choice(["0", "1.5", "-2.255", "999999999.999", "0.001", "NaN", "-12.5",
                           str(values.integer(rnd, 16))])
    if kind == "VARCHAR(8)":
        return values.text(rnd)[:8]
    return values.OF_TYPE[kind.lower()](rnd)


def rows(rnd):
    kinds = [definition.split(" ", 1)[1] for definition in DEFINITIONS]
    columns = list(zip(NAMES, kinds))[1:]
    made = [[str(row)] + [value(rnd, name, kind) for name, kind in columns] for row in range(ROWS)]
    for row in range(6):
        seen = collections.Counter()
        cells = []
        for name, kind in columns:
            edges = EDGES.get(kind, ())
            if name in SPELLINGS or not edges or seen[kind] > 1:
                cells.append(value(rnd, name, kind))
                continue
            cell = edges[row].split(" ")[seen[kind]]
            seen[kind] += 1
            cells.append(None if cell == "\\N" else cell.replace("|", " "))
        made.append([str(ROWS + row)] + cells)
    return made


def create(rnd, ebb, cursor):
    """A new `t` in both engines; an older one is gone."""
    made = rows(rnd)
    ebb.set_table("t", DEFINITIONS, made)
    cursor.execute("DROP TABLE IF EXISTS t")
    cursor.execute(f"CREATE TABLE t ({', '.join(DEFINITIONS)})")
    for row in made:
        cursor.execute(f"INSERT INTO t VALUES ({', '.join(['%s'] * len(NAMES))})", row)
