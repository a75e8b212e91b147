"""Random format strings of to_char, to_date, to_timestamp and to_number, as SQL literals."""
from grammar_types import Either
from values import quoted

TIME_PARTS = ["YYYY", "YYY", "YY", "Y", "Y,YYY", "IYYY", "IYY", "IY", "I", "MM", "MON", "Mon", "mon", "MONTH", "Month",
              "month", "DD", "DDD", "D", "ID", "IDDD", "DAY", "Day", "day", "DY", "Dy", "dy", "HH", "HH12", "HH24", "MI",
              "SS", "MS", "US", "FF1", "FF3", "FF6", "SSSS", "SSSSS", "AM", "pm", "A.M.", "p.m.", "BC", "ad", "B.C.",
              "W", "WW", "IW", "CC", "J", "Q", "RM", "rm", "TZ", "tz", "OF", "TZH", "TZM"]
READ_PARTS = ["YYYY", "YY", "MM", "Mon", "Month", "DD", "DDD", "HH24", "HH12", "HH", "MI", "SS", "MS", "US", "AM", "Y,YYY",
              "Day", "CC", "Q", "J", "IW", "WW", "BC", "FXYYYY"]


def time_format(rnd):
    parts = []
    for _ in range(rnd.randint(1, 4)):
        part = rnd.choice(["", "", "", "FM"]) + rnd.choice(TIME_PARTS) + rnd.choice(["", "", "", "", "th", "TH"])
        parts.append(part)
        parts.append(rnd.choice(["-", " ", "/", ":", ".", ", ", "", "T", '"at "', '"o\'clock"', "\\\\\"", "x"]))
    return quoted("".join(parts[:-1]))


def date_format(rnd):
    parts = []
    for _ in range(rnd.randint(1, 3)):
        parts.append(rnd.choice(["", "", "", "FM"]) + rnd.choice(READ_PARTS))
        parts.append(rnd.choice(["-", " ", "/", ":", ", ", ""]))
    return quoted("".join(parts[:-1]))


def sound_number_format(rnd):
    if rnd.random() < 0.12:
        return quoted(rnd.choice(["9.99EEEE", "RN", "FMRN", "9V99", "999TH", "999th", "999\" units\"", "SG999",
                                  "EEEE", "", "abc", "999PL", "9 9 9", "99SG", "0V9", "\\9"]))
    digit = rnd.choice(["9", "9", "0"])
    whole = "".join(rnd.choice([digit, digit, "9", "0", ",", "G"]) if k else digit for k in range(rnd.randint(1, 8)))
    fraction = rnd.choice(["", "", ".", "D"])
    if fraction:
        fraction += "".join(rnd.choice(["9", "9", "0"]) for _ in range(rnd.randint(0, 4)))
    before, after = rnd.choice([("", ""), ("", ""), ("FM", ""), ("FM", ""), ("S", ""), ("", "S"), ("", "MI"), ("MI", ""),
                                ("", "PR"), ("SG", ""), ("L", ""), ("PL", ""), ("FMS", "")])
    return quoted(before + whole + fraction + after)


number_format = Either(sound_number_format,
                       lambda rnd: quoted(rnd.choice(["PR999", "9.9.9", "FM9.9EEEE", "S9MI", "9.9V", "SS9", "9EEEE9"])))


def sound_format_without_shift(rnd):
    """For INTEGER: where V takes a value out of its range PostgreSQL gives another number, ebb an error."""
    while "V" in (text := sound_number_format(rnd)):
        pass
    return text


integer_format = Either(sound_format_without_shift, number_format.wrong)
