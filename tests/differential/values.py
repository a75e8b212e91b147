"""Random values of every type, as text that both engines read: common ones and the edges."""

ALPHABET = "abcABC xyzéßÀñ€Жя日🙂12_%-,.\\'"
WORDS = ["", "a", "abc", "Abc", "ABC def", "é", "ß", "straße", "€uro", "x,y,z", "12", "-7", "3.5",
         "a_b%c", "  pad ", "true", "2013-01-31", "aaab", "bcbc", "A A", "foo bar-baz", "Ωmega",
         "ǅ ǆ", "İı", "日本語", "🙂🙃", "tab\there", "line\nbreak", "\\x41", "it's", "a.b*c", "1e3"]
SAFE_WORDS = [w for w in WORDS if "\n" not in w and "\t" not in w]


def integer(rnd, bits):
    high = 2 ** (bits - 1) - 1
    dice = rnd.random()
    if dice < 0.55:
        return rnd.randint(-12, 12)
    if dice < 0.85:
        return rnd.randint(-high // 2 ** (bits // 2), high // 2 ** (bits // 2))
    return rnd.choice([0, high, -high - 1, high - 1, -1, 1, high // 2, 10 ** (bits // 4)])


def numeric(rnd):
    dice = rnd.random()
    if dice < 0.55:
        scale = rnd.choice([0, 1, 2, 2, 3, 6])
        value = rnd.randint(-10 ** rnd.randint(1, 5 + scale), 10 ** rnd.randint(1, 5 + scale))
        sign, digits = ("-" if value < 0 else ""), str(abs(value)).rjust(scale + 1, "0")
        return sign + (digits[:-scale] + "." + digits[-scale:] if scale else digits)
    if dice < 0.75:
        whole = rnd.randint(0, 10 ** rnd.choice([0, 4, 17, 30]))
        return f"{rnd.choice(['', '-'])}{whole}.{rnd.randint(0, 10 ** rnd.choice([3, 12, 25]))}"
    return rnd.choice(["0", "0.00", "1", "-1", "0.5", "1.5", "2.5", "-0.5", "NaN", "0.000001",
                       "12345678901234567890.123456789", "1e30", "1e-20", "99999999999999999999",
                       "170141183460469231731687303715884105727", "Infinity", "-Infinity", "100"])


def double(rnd):
    dice = rnd.random()
    if dice < 0.5:
        return repr(rnd.randint(-4000, 4000) / rnd.choice([1, 2, 4, 8, 10, 100]))
    if dice < 0.65:
        return repr(rnd.uniform(-1, 1) * 10 ** rnd.randint(-12, 18))
    return rnd.choice(["0", "-0", "1", "0.5", "1.5", "2.5", "-0.5", "NaN", "Infinity", "-Infinity",
                       "1e-300", "1.7e308", "5e-324", "0.1", "1e15", "1e16", "123456.789",
                       "9007199254740993", "2147483647.5", "-2147483648.5", "32767.5"])


def real(rnd):
    dice = rnd.random()
    if dice < 0.6:
        return repr(rnd.randint(-4000, 4000) / rnd.choice([1, 2, 4, 8, 10]))
    return rnd.choice(["0", "-0", "1.5", "-2.25", "NaN", "Infinity", "-Infinity", "1e-30", "3.4e38",
                       "1e-45", "0.1", "16777217", "2147483647", "32767.5", "1e6", "1e7", "123456"])


def text(rnd):
    dice = rnd.random()
    if dice < 0.6:
        return rnd.choice(WORDS)
    if dice < 0.8:
        return rnd.choice(SAFE_WORDS) + rnd.choice(["", " ", ",", "-"]) + rnd.choice(SAFE_WORDS)
    return "".join(rnd.choice(ALPHABET) for _ in range(rnd.randint(1, 9)))


def date(rnd):
    if rnd.random() < 0.7:
        return f"{rnd.randint(1900, 2099):04}-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}"
    return rnd.choice(["2000-02-29", "1969-12-31", "1970-01-01", "2012-12-30", "2012-12-31",
                       "2005-01-01", "2008-12-29", "0001-01-01", "0044-03-15 BC", "4713-01-01 BC",
                       "9999-12-31", "20000-01-01", "infinity", "-infinity", "2100-02-28",
                       "1582-10-15", "2013-01-31", "1900-02-28"])


def clock(rnd):
    dice = rnd.random()
    if dice < 0.15:
        return rnd.choice(["00:00:00", "23:59:59.999999", "12:00:00", "11:59:59.5", "00:00:00.000001"])
    base = f"{rnd.randint(0, 23):02}:{rnd.randint(0, 59):02}:{rnd.randint(0, 59):02}"
    places = rnd.choice([0, 0, 1, 3, 6])
    return base + (f".{rnd.randint(0, 10 ** places - 1):0{places}}" if places else "")


def timestamp(rnd):
    day = date(rnd)
    if "infinity" in day:
        return day
    if day.endswith(" BC"):
        return f"{day[:-3]} {clock(rnd)} BC"
    return f"{day} {clock(rnd)}"


def timestamptz(rnd):
    at = timestamp(rnd)
    if "infinity" in at:
        return at
    zone = rnd.choice(["+00", "Z", "+02", "-05:30", "+13:45", "-08"])
    return at[:-3] + zone + " BC" if at.endswith(" BC") else at + zone


def interval(rnd):
    if rnd.random() < 0.3:
        return rnd.choice(["00:00:00", "1 day", "-1 mons 3 days", "36:00:00", "1 mon", "30 days",
                           "24:00:00", "-00:00:00.000001", "1 year 2 mons -3 days", "100 years",
                           "-13 mons", "-1 days +25:00:00", "1 mon -1 days"])
    parts = []
    for unit, limit in (("years", 9), ("mons", 15), ("days", 50)):
        if rnd.random() < 0.4:
            parts.append(f"{rnd.randint(-limit, limit)} {unit}")
    if not parts or rnd.random() < 0.6:
        parts.append(rnd.choice(["", "", "-"]) + clock(rnd))
    return " ".join(parts)


def bytea(rnd):
    if rnd.random() < 0.4:
        return rnd.choice(["\\x", "\\x00", "\\x616263", "\\xff00", "\\xc3a9", "\\x20202061", "\\x5c"])
    return "\\x" + "".join(f"{rnd.randrange(256):02x}" for _ in range(rnd.randint(1, 6)))


def boolean(rnd):
    return rnd.choice(["true", "false"])


OF_TYPE = {
    "smallint": lambda rnd: str(integer(rnd, 16)), "integer": lambda rnd: str(integer(rnd, 32)),
    "bigint": lambda rnd: str(integer(rnd, 64)), "numeric": numeric, "real": real,
    "double precision": double, "boolean": boolean, "text": text, "bytea": bytea, "date": date,
    "timestamp": timestamp, "timestamptz": timestamptz, "interval": interval,
}


def quoted(value):
    return "'" + value.replace("'", "''") + "'"


def literal(rnd, kind):
    """A typed literal of SQL in one of its spellings."""
    value = OF_TYPE[kind](rnd)
    plain = kind in ("integer", "numeric") and value.lstrip("-").replace(".", "").isdigit()
    if kind == "integer" and value == "-2147483648":
        plain = False
    if kind == "numeric" and "." not in value:
        plain = False
    if plain and rnd.random() < 0.8:
        return f"({value})" if value.startswith("-") else value
    if kind == "boolean" and rnd.random() < 0.8:
        return value
    if kind == "text":
        return quoted(value) if rnd.random() < 0.8 else f"{quoted(value)}::text"
    form = rnd.choice(["{0}::{1}", "CAST({0} AS {1})", "{1} {0}"])
    return "(" + form.format(quoted(value), kind) + ")"
