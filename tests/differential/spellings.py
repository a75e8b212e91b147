"""Texts that people write for values of a type: most can be read, some cannot."""
import values

MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September",
          "October", "November", "December"]


def integer(rnd):
    if rnd.random() < 0.7:
        return rnd.choice(["{}", "{}", " {}", "{} ", "+{}"]).format(abs(values.integer(rnd, 16)))
    return rnd.choice(["", "abc", "12a", "1.5", "0x10", "1_000", "1e3", "99999999999", "-", "+-1",
                       "--5", "- 5", "9223372036854775808", "-32769", "32768", " ", "007", "-0"])


def number(rnd):
    if rnd.random() < 0.65:
        return rnd.choice(["{}", " {}", "{} "]).format(values.numeric(rnd))
    return rnd.choice([".5", "5.", "+1.5", "1e3", "1.5E-3", "1e+2", "-.25e1", "1e400", "1e-400", "inf",
                       "-inf", "nan", " NaN ", "infinity", "+Infinity", "", "abc", "1.2.3", "1e",
                       "0x1F", "1_0", "..", ".", "1,5", "3.4e39", "1e-50", "1e-1001", "1d"])


def boolean(rnd):
    return rnd.choice(["true", "false", "t", "f", "yes", "no", "y", "n", "on", "off", "1", "0", "TRUE",
                       " True ", "tr", "fal", "of", "o", "", "2", "yess", "oN"])


def day(rnd):
    year, month, dom = rnd.randint(1901, 2098), rnd.randint(1, 12), rnd.randint(1, 28)
    name = MONTHS[month - 1]
    return rnd.choice([
        f"{year}-{month:02}-{dom:02}", f"{year}-{month}-{dom}", f"{month}/{dom}/{year}",
        f"{year}{month:02}{dom:02}", f"{name} {dom}, {year}", f"{name[:3]} {dom} {year}",
        f"{dom} {name} {year}", f"{dom}-{name[:3].upper()}-{year}", f"{year}-{name[:3]}-{dom:02}",
        f"{name[:3]}-{dom:02}-{year}", f"{year}/{month:02}/{dom:02}", f"{year}.{month * 28:03}",
        f"J{2415000 + dom * 900}", f"{dom:02}/{month:02}/{year}", f"{year % 100:02}-{month:02}-{dom:02}",
        f"{year}.{month:02}.{dom:02}", f"Monday, {name} {dom}, {year}", f"{month}-{dom}-{year}"])


def time_of_day(rnd):
    hour, minute, second = rnd.randint(0, 23), rnd.randint(0, 59), rnd.randint(0, 59)
    return rnd.choice([
        f"{hour:02}:{minute:02}:{second:02}", f"{hour}:{minute:02}",
        f"{hour:02}:{minute:02}:{second:02}.{rnd.randint(0, 9999999)}",
        f"{hour:02}{minute:02}{second:02}", f"{hour % 12 + 1}:{minute:02} PM",
        f"{hour % 12 + 1}:{minute:02}:{second:02} am", f"{hour % 12 + 1} PM", "24:00:00", "23:59:60",
        f"{hour:02}:{minute:02}:{second:02},5"])


def zone(rnd):
    if rnd.random() < 0.01:
        return rnd.choice([" America/New_York", " Europe/Berlin", " Nowhere/City", " zulu"])
    return rnd.choice(["", "Z", "+00", "-08", "+05:30", "+0130", " UTC", " GMT", " EST", " PDT", "+5", "-11:59:30"])


def bad_time(rnd):
    return rnd.choice(["", "abc", "2013-02-30", "2013-13-01", "13/13/2013", "2013-01-32", "25:00",
                       "infinity", "-infinity", "epoch", "2013-01-01 BC", "0000-01-01", "12:61",
                       "294277-01-01", "4714-01-01 BC", "5874898-01-01", "20131", "2013-00-10",
                       "1 Jan 99 BC", "January 8", "2013-01-01 24:00:01", "99999-01-01", "J0"])


def date(rnd):
    dice = rnd.random()
    if dice < 0.75:
        return day(rnd)
    return bad_time(rnd) if dice < 0.9 else f"{day(rnd)} {time_of_day(rnd)}"


def timestamp(rnd):
    dice = rnd.random()
    if dice < 0.1:
        return bad_time(rnd)
    if dice < 0.25:
        return day(rnd)
    if dice < 0.4:
        return f"{rnd.randint(1901, 2098)}-{rnd.randint(1, 12):02}-11T{values.clock(rnd)}{zone(rnd)}"
    clock, behind = time_of_day(rnd), zone(rnd) if rnd.random() < 0.5 else ""
    # Without the blank `am-08` would be the name of a zone.
    return f"{day(rnd)} {clock}{' ' if clock[-1].isalpha() else ''}{behind}"


def interval(rnd):
    dice = rnd.random()
    if dice < 0.35:
        return values.interval(rnd)
    a, b, c = rnd.randint(-9, 30), rnd.randint(0, 59), rnd.randint(0, 59)
    if dice < 0.8:
        unit = rnd.choice(["second", "seconds", "sec", "s", "minute", "mins", "m", "hours", "h", "hr",
                           "day", "d", "week", "weeks", "w", "month", "mons", "mon", "year", "y", "yrs",
                           "decade", "centuries", "c", "millennium", "ms", "us", "msec", "quarter"])
        number_text = rnd.choice([f"{a}", f"{a}.5", f"+{b}", f"{a}.25", f"{b}.123456789"])
        ago = rnd.choice(["", "", "", " ago"])
        more = rnd.choice(["", "", f" {b} minutes", f" {b}:{c:02}", f" {c} days"])
        at = rnd.choice(["", "", "", "@ "])
        return f"{at}{number_text}{rnd.choice([' ', '', ' '])}{unit}{more}{ago}"
    return rnd.choice([f"P{b}Y{c}M", f"P{b}DT{c}H{b}M{c}.5S", f"PT{b}H", f"P{b}W", f"P-{b}D",
                       f"P0001-02-03T04:05:{c:02}", f"{b}-{c % 12}", f"-{b}-{c % 12} {c} {b}:{c:02}",
                       f"{b} {c}:{b:02}:{c:02}", f"{b}:{c:02}", f"{b}", f"-{b}.75", "", "abc", "1 foo",
                       f"{b}:{c:02}.5", "1 day 2 day", "P", "PT", "infinity", "1 day 1", "1e3 days",
                       "99999999999 years", "2147483648 days", "@", "ago", "1 day ago 2"])


def bytea(rnd):
    return rnd.choice(["\\x616263", "\\xDEADBEEF", "\\x 61 62", "\\x6", "\\xzz", "abc", "a\\\\b", "\\141b",
                       "\\999", "\\", "é", "", "\\x"])


OF_TYPE = {"smallint": integer, "integer": integer, "bigint": integer, "numeric": number,
           "real": number, "double precision": number, "boolean": boolean, "date": date,
           "timestamp": timestamp, "timestamptz": timestamp, "interval": interval, "bytea": bytea,
           "text": values.text}
