"""Productions for dates, times and intervals."""
from grammar_types import Either
from grammar_formats import date_format, integer_format, number_format, time_format

DATE_FIELDS = ["year", "month", "day", "quarter", "week", "isodow", "dow", "doy", "isoyear", "decade",
               "century", "millennium", "epoch", "julian"]
CLOCK_FIELDS = DATE_FIELDS + ["hour", "minute", "second", "milliseconds", "microseconds"]
ZONE_FIELDS = ["timezone", "timezone_hour", "timezone_minute"]
INTERVAL_FIELDS = ["year", "month", "day", "hour", "minute", "second", "epoch", "quarter", "decade", "century",
                   "millennium", "milliseconds", "microseconds"]
TRUNCATIONS = ["year", "month", "day", "hour", "minute", "second", "week", "quarter", "decade", "century",
               "millennium", "milliseconds", "microseconds"]
ZONES = Either(["'UTC'", "'+05:30'", "'EST'", "'PDT'", "'-8'", "INTERVAL '02:00'", "INTERVAL '-03:30'", "'Z'", "'UTC+3'",
                "'gmt'", "'UTC'", "'+02'"], ["'nowhere'", "'Europe/Berlin'", "''"])


def productions(add):
    fields(add)
    arithmetic(add)
    makers(add)
    formats(add)


def fields(add):
    for t in ("timestamp", "timestamptz"):
        for f in CLOCK_FIELDS:
            add(f"extract {f}", "numeric", f"extract({f} from {{0}})", t)
        add("date_part", "double precision", "date_part({1}, {0})", t,
            Either([f"'{f}'" for f in CLOCK_FIELDS + ["DOW", "msec", "y", "hours"]], ["'fortnight'", "'timezone'", "''"]))
        for f in TRUNCATIONS:
            add("date_trunc " + f, t, f"date_trunc('{f}', {{0}})", t)
        add("date_trunc of", t, "date_trunc({1}, {0})", t, Either(["'Hour'", "'days'", "'YEAR'", "'mins'"], ["'fortnight'", "'dow'", "'epoch'"]))
        add("date_bin", t, "date_bin({1}, {0}, {2})", t,
            Either(["INTERVAL '15 minutes'", "'1 day'", "'7 days 03:00'", "'1.5 seconds'"], ["'1 month'", "'0'", "'-1 hour'"]),
            "=" + t)
        add("date_bin", t, "date_bin('10 seconds', {0}, '2001-01-01')", t)
    for f in ZONE_FIELDS:
        add(f"extract {f}", "numeric", f"extract({f} from {{0}})", "timestamptz")
    for f in DATE_FIELDS:
        add(f"extract {f}", "numeric", f"extract({f} from {{0}})", "date")
    for f in INTERVAL_FIELDS:
        add(f"extract {f}", "numeric", f"extract({f} from {{0}})", "interval")
    add("date_part", "double precision", "date_part({1}, {0})", "date", Either(["'year'", "'epoch'", "'dow'"], ["'hour'", "'second'"]))
    add("date_part", "double precision", "date_part({1}, {0})", "interval", Either(["'year'", "'epoch'", "'second'"], ["'dow'", "'week'"]))
    for f in ("year", "month", "day", "hour", "second", "quarter", "decade", "minute"):
        add("date_trunc of interval", "interval", f"date_trunc('{f}', {{0}})", "interval")
    add("date_trunc of interval", "interval", "date_trunc({1}, {0})", "interval", Either(["'day'"], ["'week'", "'foo'"]))
    add("date_trunc of date", "timestamptz", "date_trunc('month', {0})", "date")
    add("date_trunc in zone", "timestamptz", "date_trunc('day', {0}, {1})", "timestamptz",
        ["'EST'", "'+05:45'", "'UTC'"])


def arithmetic(add):
    for t in ("timestamp", "timestamptz"):
        for op in "+-":
            add(f"time {op} interval", t, f"({{0}} {op} {{1}})", t, "interval")
            add(f"time {op} interval", t, f"({{0}} {op} {{1}})", t, "=interval")
        add("interval + time", t, "({1} + {0})", t, "interval")
        add("time - time", "interval", "({0} - {1})", t, t)
        add("isfinite", "boolean", "isfinite({0})", t)
    add("time - time", "interval", "({0} - {1})", "timestamp", "date")
    add("time - time", "interval", "({0} - {1})", "timestamptz", "timestamp")
    add("date + integer", "date", "({0} + {1})", "date", "integer")
    add("date + integer", "date", "({1} + {0})", "date", "#small")
    add("date - integer", "date", "({0} - {1})", "date", "#small")
    add("date - date", "integer", "({0} - {1})", "date", "date")
    for op in "+-":
        add(f"date {op} interval", "timestamp", f"({{0}} {op} {{1}})", "date", "interval")
        add(f"interval {op} interval", "interval", f"({{0}} {op} {{1}})", "interval", "interval")
        add(f"time {op} unknown", "timestamp", f"({{0}} {op} {{1}}::interval)", "timestamp", "'@interval")
    for t in ("double precision", "integer", "numeric", "bigint"):
        add("interval * number", "interval", "({0} * {1})", "interval", t)
        add("interval / number", "interval", "({0} / {1})", "interval", t)
    add("interval * number", "interval", "({1} * {0})", "interval", ["1.5", "2", "-0.25", "1e-3"])
    add("interval / number", "interval", "({0} / {1})", "interval", ["3", "0.7", "-2", "0"])
    add("- interval", "interval", "(- {0})", "interval")
    for name in ("justify_days", "justify_hours", "justify_interval"):
        add(name, "interval", f"{name}({{0}})", "interval")
    add("isfinite", "boolean", "isfinite({0})", "date")
    add("isfinite", "boolean", "isfinite({0})", "interval")
    add("AT TIME ZONE", "timestamptz", "({0} AT TIME ZONE {1})", "timestamp", ZONES)
    add("AT TIME ZONE", "timestamp", "({0} AT TIME ZONE {1})", "timestamptz", ZONES)
    add("timezone", "timestamp", "timezone({1}, {0})", "timestamptz", ZONES)


def makers(add):
    add("make_date", "date", "make_date({0}, {1}, {2})", ["2013", "2000", "-44", "0", "1999 + id"], "#month", "#small")
    add("make_timestamp", "timestamp", "make_timestamp(2013, {0}, {1}, 5, 6, {2})", "#month", ["1", "31", "28"],
        ["7.5", "59.999999", "60", "0", "-1", "59.9999999"])
    add("make_timestamptz", "timestamptz", "make_timestamptz(2013, {0}, 15, {1}, 30, 1.25)", "#month", ["0", "23", "24"])
    add("make_interval", "interval", "make_interval({0}, {1}, 0, {2})", "#small", "#small", "#small")
    add("make_interval", "interval", "make_interval({0}, 1, 2, 3, 4, 5, {1} / 4.0)", "#small", "integer")
    add("to_timestamp", "timestamptz", "to_timestamp({0})", "double precision")
    add("to_timestamp", "timestamptz", "to_timestamp({0} * 86399.25 - 1e8)", "integer")


def formats(add):
    for t in ("timestamp", "timestamptz"):
        for _ in range(6):
            add(f"to_char {t}", "text", "to_char({0}, {1})", t, time_format)
    add("to_char date", "text", "to_char({0}, {1})", "date", time_format)
    for _ in range(2):
        add("to_char interval", "text", "to_char({0}, {1})", "interval", time_format)
    for t in ("integer", "bigint", "numeric", "double precision", "real"):
        for _ in range(3):
            add(f"to_char {t}", "text", "to_char({0}, {1})", t, integer_format if t == "integer" else number_format)
    for f in ("YYYY-MM-DD", "DD Mon YYYY", "YYYYMMDD", "FMMonth FMDD, YYYY", "J", "IYYY-IW-ID", "YYYY-DDD", "MM/DD/YY"):
        add("to_date", "date", f"to_date(to_char({{0}}, '{f}'), '{f}')", "date")
    for f in ("YYYY-MM-DD HH24:MI:SS.US", "Mon DD YYYY HH12:MI:SS AM", "YYYYMMDDHH24MISS", "DD/MM/YYYY SSSS"):
        add("to_timestamp text", "timestamptz", f"to_timestamp(to_char({{0}}, '{f}'), '{f}')", "timestamp")
    for _ in range(3):
        add("to_timestamp text", "timestamptz", "to_timestamp({0}, {1})", "text", date_format)
        add("to_date", "date", "to_date({0}, {1})", "@date", date_format)
    for f in ("9999.99", "S9,999.9", "FM99999", "9999PR", "L999", "99V99", "9G999D9", "MI999.9"):
        add("to_number", "numeric", f"to_number(to_char({{0}}, '{f}'), '{f}')", "numeric")
    for _ in range(2):
        add("to_number", "numeric", "to_number({0}, {1})", "@numeric", number_format)
