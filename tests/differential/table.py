"""Table `t`: random rows with a column or more of every type, for both engines."""
import spellings
import values
from grammar_types import DEFINITIONS

NULLS = 0.1
ROWS = 43
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
    return [[str(row)] + [value(rnd, name, kind) for name, kind in list(zip(NAMES, kinds))[1:]]
            for row in range(ROWS)]


def create(rnd, ebb, cursor):
    """A new `t` in both engines; an older one is gone."""
    made = rows(rnd)
    ebb.set_table("t", DEFINITIONS, made)
    cursor.execute("DROP TABLE IF EXISTS t")
    cursor.execute(f"CREATE TABLE t ({', '.join(DEFINITIONS)})")
    for row in made:
        cursor.execute(f"INSERT INTO t VALUES ({', '.join(['%s'] * len(NAMES))})", row)
