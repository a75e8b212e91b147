#!/usr/bin/env python3
"""Hostile and broken input, by the rows of docs/reliability.md: what it may cost and what it must say.

    hostile.py EBB

Each test gets an empty folder. Ends in `N passed, N failed`.
"""
import json
import math
import os
import resource
import subprocess
import sys
import tempfile

import e2e

MIB = 1 << 20


class Run:
    """A run of ebb, with what it cost."""

    def __init__(self, *arguments):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            # Meson has freed memory overwritten, which would count as ebb's cost.
            environment = {k: v for k, v in os.environ.items() if k != "MALLOC_PERTURB_"}
            process = subprocess.Popen([e2e.EBB, *arguments], cwd=e2e.FOLDER, stdout=out, stderr=err,
                                       stdin=subprocess.DEVNULL, env=environment)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.code = process.returncode
            self.cpu = usage.ru_utime + usage.ru_stime
            self.memory = usage.ru_maxrss * 1024
            out.seek(0)
            err.seek(0)
            self.out = out.read().decode("utf-8", "replace")
            self.err = err.read().decode("utf-8", "replace")


def write(name, text):
    data = text if isinstance(text, bytes) else text.encode()
    (e2e.FOLDER / name).write_bytes(data)


HEAD = "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: s}\nspec:\n"
SOURCE = ("  sources:\n    - name: src\n      schema: a BIGINT, b TEXT\n"
          "      file: {path: in.ndjson, format: json}\n")


def operators(*queries):
    return "  operators:\n" + "".join(f"    - {{name: {name}, sql: \"{sql}\"}}\n" for name, sql in queries)


def refused(text, *parts):
    """The manifest is refused by `validate` and `run`, cheaply, and nothing is created."""
    write("least.yaml", HEAD + SOURCE)
    least = Run("validate", "least.yaml")
    assert least.code == 0, least.err
    write("m.yaml", text)
    before = sorted(os.listdir(e2e.FOLDER))
    for command in ("validate", "run"):
        run = Run(command, "m.yaml")
        assert run.code == 2, f"{command}: exit {run.code}: {run.err[:500]}"
        for part in parts:
            assert part in run.err, f"{part!r} is not in: {run.err[:500]}"
        # Some 50 ms on a quiet machine; on a busy one the cheapest of some runs tells.
        for _ in range(4):
            if run.cpu - least.cpu < 0.3:
                break
            run = Run(command, "m.yaml")
        assert run.cpu - least.cpu < 0.3, f"{run.cpu:.3f} s"
        assert run.memory - least.memory < 16 * MIB + len(text), f"{run.memory - least.memory} bytes"
    assert sorted(os.listdir(e2e.FOLDER)) == before, os.listdir(e2e.FOLDER)


def stream(schema, sql, extra="", settings=""):
    write("m.yaml", f"{HEAD}{settings}  sources:\n    - name: src\n      schema: {schema}\n{extra}"
          f"      file: {{path: in.ndjson, format: json}}\n{operators(('q', sql))}"
          "  sinks:\n    - file: {path: out.ndjson, format: json}\n")


def rows():
    # The sink writes -0 as PostgreSQL does; Python would take it for the integer.
    return [json.loads(line, parse_int=lambda text: -0.0 if text == "-0" else int(text))
            for line in (e2e.FOLDER / "out.ndjson").read_text().splitlines()]


# --- G5: JSON ---------------------------------------------------------------------------------

def test_g5_json_records_are_taken_as_a_second_parser_takes_them():
    good = [b'{"a": 1, "b": "\\ud83d\\udc18"}', b'{"a": -0, "c": -0.0}', b'{"c": 1e308, "a": -9223372036854775808}',
            b'{"z": 1, "z": 2, "a": 9223372036854775807}', b'{"z": 1e999, "c": 4.9e-324}',
            b'{"z": ' + b"[" * 500 + b"]" * 500 + b', "b": ""}', b'{"c": 0.1, "b": "\\u0041"}']
    bad = {b'{"z": ' + b"[" * 100_000 + b"]" * 100_000 + b"}": "at most 512 levels",
           b'{"z": ' + b'{"y":' * 100_000 + b"1" + b"}" * 100_000 + b"}": "at most 512 levels",
           b'{"a": 1, "a": 1}': "the field twice", b'{"b": "\\ud800"}': "half a surrogate pair",
           b'{"b": "\\udc00\\ud800"}': "half a surrogate pair", b'{"b": "\\u0000"}': "u0000",
           b'{"c": 1e999}': "out of range", b'{"a": 9223372036854775808}': "out of range",
           b'{"b": "\xff"}': "UTF8", b'{"z": "\xed\xa0\x80"}': "UTF8", b'{"a": 01}': "invalid JSON",
           b'{"a": NaN}': "invalid JSON", b'{"a": 1}}': "invalid JSON", b"{" * 100_000: "invalid JSON"}
    write("in.ndjson", b"\n".join([*good, *bad]) + b"\n")
    stream("a BIGINT, b TEXT, c DOUBLE PRECISION", "SELECT a, b, c FROM src", "      onBadRecord: quarantine\n")
    run = Run("run", "m.yaml")
    assert run.code == 0, run.err
    got = rows()
    assert len(got) == len(good), got
    for mine, line in zip(got, good):
        theirs = json.loads(line)
        for name in "abc":
            wanted = theirs.get(name)
            assert mine[name] == wanted, (name, mine, line[:100])
            if name == "c" and wanted == 0:
                assert math.copysign(1, mine[name]) == math.copysign(1, wanted), line
    kept = [json.loads(line) for line in
            (e2e.FOLDER / "quarantine" / "s-src.ndjson").read_text(encoding="utf-8").splitlines()]
    assert len(kept) == len(bad), kept
    for record, (line, reason) in zip(kept, bad.items()):
        assert reason.lower() in record["error"].lower(), (line[:60], record["error"])


def test_g5_values_at_the_edges_of_blocks():
    # Records of every length, so that each kind of value lies across some edge of what is read at once.
    lines = []
    for i in range(60_000):
        lines.append(json.dumps({"b": "x" * (i % 37) + "ä", "a": i * 123_456_789 % (1 << 62), "c": i / 7}))
    write("in.ndjson", "\n".join(lines))
    stream("a BIGINT, b TEXT, c DOUBLE PRECISION", "SELECT a, b, c FROM src")
    run = Run("run", "m.yaml")
    assert run.code == 0, run.err
    for mine, line in zip(rows(), lines, strict=True):
        assert mine == json.loads(line)


def test_g5_a_record_of_4_gib():
    # A sparse file: it takes no room on the disk.
    with open(e2e.FOLDER / "in.ndjson", "wb") as file:
        file.write(b'{"a": 1}\n')
        file.seek(4 << 30, os.SEEK_CUR)
        file.write(b'\n{"a": 2}\n')
    stream("a BIGINT", "SELECT a FROM src", "      onBadRecord: quarantine\n")
    run = Run("run", "m.yaml")
    assert run.code == 0, run.err
    assert [row["a"] for row in rows()] == [1, 2]
    assert run.memory < 128 * MIB, run.memory


# --- G6: YAML ---------------------------------------------------------------------------------

def test_g6_alias_bomb():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    for i in range(1, 10):
        bomb += f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]\n"
    assert len(bomb) < 1000
    refused(bomb, "m.yaml:", "alias", "hint:")


def test_g6_few_aliases_of_much():
    refused("a: &a [" + "x, " * 15_000 + "x]\nb: [" + ", ".join(["*a"] * 30) + "]\n", "m.yaml:2:", "hint:")


def test_g6_deep_nesting():
    for text in ("[" * 100_000, "{a: " * 100_000, "[" * 100_000 + "]" * 100_000, "- " * 100_000,
                 "".join(" " * i + "a:\n" for i in range(500)), "? " * 100_000):
        refused(text, "m.yaml:", "hint:")


def test_g6_tags():
    for tag in ("!!python/object:os.system", "!<tag:yaml.org,2002:binary>", "!x"):
        refused(f"apiVersion: {tag} ebb.dev/v1alpha1\n", "m.yaml:1:", "tag", "hint:")


def test_g6_bytes_that_are_no_text():
    for data in (b"apiVersion: a\0b\n", b"\0", b"apiVersion: \xff\n", b"apiVersion: \x1b[2J\n"):
        refused(data.decode("latin-1").encode("latin-1"), "m.yaml:1:", "hint:")


# --- G7: graphs -------------------------------------------------------------------------------

def test_g7_cycles():
    for queries in ([("a", "SELECT a FROM b"), ("b", "SELECT a FROM a")], [("a", "SELECT a FROM a")]):
        refused(HEAD + SOURCE + operators(*queries), "spec.operators[0].sql", "cycle")


def test_g7_unknown_inputs():
    refused(HEAD + SOURCE + operators(("q", "SELECT a FROM scr")), "spec.operators[0].sql", "scr", "src")
    refused(HEAD + SOURCE + "  sinks:\n    - {from: scr, discard: {}}\n", "spec.sinks[0].from", "scr", "src")


def test_g7_absent_connectors():
    refused(HEAD + SOURCE + "  sinks:\n    - {name: x}\n", "spec.sinks[0]", "file", "stdout")
    refused(HEAD + "  sources:\n    - {name: x, schema: a INT}\n", "spec.sources[0]", "file")
    refused(HEAD + SOURCE + "  sinks:\n    - {kafka: {}}\n", "spec.sinks[0].kafka", "kafka")


def test_g7_duplicate_names():
    refused(HEAD + SOURCE + operators(("q", "SELECT a FROM src"), ("q", "SELECT a FROM src")),
            "spec.operators[1].name", "two sources or operators named q", "line")
    refused(HEAD + SOURCE + "  sinks:\n    - {name: x, discard: {}}\n    - {name: x, discard: {}}\n",
            "spec.sinks[1].name", "two sinks named x")


def test_g7_parallelism():
    for value in ("0", "-1", "129", "2147483648", "18446744073709551617", "1.5", "many", "[1]"):
        refused(f"{HEAD}  parallelism: {value}\n{SOURCE}", "spec.parallelism", "from 1 to 128")
    for value in ("0", "-1", "32769", "2147483648"):
        refused(f"{HEAD}  maxParallelism: {value}\n{SOURCE}", "spec.maxParallelism", "from 1 to 32768")
    for value in ("0", "-1", "2147483648"):
        write("m.yaml", HEAD + SOURCE)
        run = Run("run", "m.yaml", "--parallelism", value)
        assert run.code == 2 and "--parallelism" in run.err, run.err


def test_g7_too_many():
    query = "    - {name: q%d, sql: SELECT a FROM src}\n"
    many = HEAD + SOURCE + "  operators:\n" + "".join(query % i for i in range(60_000))
    write("m.yaml", many)
    run = Run("validate", "m.yaml")
    assert run.code == 2 and "m.yaml:" in run.err and "200000" in run.err, run.err[:500]
    assert run.cpu < 2 and run.memory < 256 * MIB, (run.cpu, run.memory)
    refused(HEAD + SOURCE + "  operators:\n" + "".join(query % i for i in range(257)),
            "spec.operators", "too many operators: 257", "at most 256")
    refused(HEAD + SOURCE + "  sinks:\n" + "".join(f"    - {{name: s{i}, discard: {{}}}}\n" for i in range(65)),
            "spec.sinks", "at most 64")
    write("m.yaml", many + " " * (4 * MIB))
    run = Run("validate", "m.yaml")
    assert run.code == 2 and "larger than 4Mi" in run.err, run.err[:500]


def test_g7_the_largest_graph_is_planned():
    # A chain of as many operators as a stream may have, each of which reads the one before twice.
    write("in.ndjson", '{"a": 1}\n')
    for sql in ("SELECT a FROM %s", "SELECT x.a FROM %s AS x JOIN %s AS y ON x.a = y.a"):
        names = ["src", *(f"q{i}" for i in range(256))]
        queries = [(new, sql.replace("%s", old)) for old, new in zip(names, names[1:])]
        write("m.yaml", HEAD + SOURCE + operators(*queries) + "  sinks:\n    - discard: {}\n")
        run = Run("validate", "m.yaml")
        assert run.code == 0, run.err[:500]
        assert run.cpu < 5 and run.memory < 256 * MIB, (run.cpu, run.memory)


# --- G10: event time --------------------------------------------------------------------------

TIMES = ["2024-01-01T00:00:00", "2024-01-01T00:00:10", "9999-12-31T23:59:59", "2024-01-01T00:01:10",
         "1970-01-01T00:00:00", "1969-12-31T23:59:59.999999", "infinity", "-infinity", "2024-01-01T00:02:10"]
WINDOWS = ("SELECT window_start, k, count(*) AS c FROM tumble(src, at, INTERVAL '1 minute') "
           "GROUP BY window_start, k")


def time_stream(path, max_delay):
    write("m.yaml", f"{HEAD}  sources:\n    - name: src\n      schema: at TIMESTAMP, k TEXT\n"
          f"      eventTime: {{column: at, maxDelay: {max_delay}}}\n      file: {{path: '{path}', format: json}}\n"
          f"{operators(('q', WINDOWS))}  sinks:\n    - file: {{path: out.ndjson, format: json}}\n")
    run = Run("run", "m.yaml", "--stats", "stats.json")
    assert run.code == 0, run.err
    stats = json.loads((e2e.FOLDER / "stats.json").read_text())["streams"][0]
    return run, sorted((row["window_start"], row["k"], row["c"]) for row in rows()), stats


def records(times, key):
    return "".join(json.dumps({"at": at, "k": key}) + "\n" for at in times)


def test_g10_far_times_end_nothing_early_and_what_they_cost_is_said():
    write("in.ndjson", "".join(records([at], "abc"[i % 3]) for i, at in enumerate(TIMES)))
    run, got, stats = time_stream("in.ndjson", "1m")
    # The record of the year 9999 moves the watermark: later ones are late. None is lost silently.
    late = stats["operators"][0]["lateRows"]
    assert sum(count for _, _, count in got) + late == len(TIMES), (got, late)
    assert ("9999-12-31T23:59:00", "c", 1) in got, got
    assert f"dropped {late} rows" in run.err and "maxDelay" in run.err, run.err


def test_g10_old_times_hold_nothing_back():
    old = [at for at in TIMES if at < "2024-02" and "inf" not in at]
    write("in.ndjson", "".join(records([at], "ab"[i % 2]) for i, at in enumerate(old)))
    _, got, stats = time_stream("in.ndjson", "20000d")
    assert stats["operators"][0]["lateRows"] == 0, stats
    assert sum(count for _, _, count in got) == len(old), got
    assert got[0][0] == "1969-12-31T23:59:00", got


def test_g10_infinite_times_move_no_watermark():
    write("in.ndjson", records(["infinity", *TIMES[:2], "-infinity", TIMES[3]], "a"))
    run, got, stats = time_stream("in.ndjson", "1m")
    assert [row for row in got if "inf" not in row[0]] \
        == [("2024-01-01T00:00:00", "a", 2), ("2024-01-01T00:01:00", "a", 1)], got
    assert sum(count for _, _, count in got) + stats["operators"][0]["lateRows"] == 5, run.err


def test_g10_other_files_proceed():
    # One file's far record does not make the other files' records late: the source's watermark is the
    # least of its files'.
    write("in1.ndjson", records(["2024-01-01T00:00:00", "9999-12-31T23:59:59"], "a"))
    write("in2.ndjson", records(["2024-01-01T00:00:30", "2024-01-01T00:05:00"], "b"))
    _, got, stats = time_stream("in?.ndjson", "0s")
    assert stats["operators"][0]["lateRows"] == 0, stats
    assert got == [("2024-01-01T00:00:00", "a", 1), ("2024-01-01T00:00:00", "b", 1),
                   ("2024-01-01T00:05:00", "b", 1), ("9999-12-31T23:59:00", "a", 1)], got


# --- Queries that fail on some rows -----------------------------------------------------------

def test_filter_keeps_rows_from_the_arguments():
    """As PostgreSQL, arguments and their ORDER BY are evaluated for rows of the FILTER alone."""
    values = ["4", "x", None, "2", "0"]
    write("in.ndjson", "".join(
        json.dumps({"id": i, "k": "a", "t": t, "ts": f"2024-01-01T00:0{i}:00"}) + "\n"
        for i, t in enumerate(values)))
    number = "FILTER (WHERE t ~ '^[1-9]$')"
    window = "FROM tumble(src, ts, INTERVAL '1 hour') GROUP BY window_start"
    cases = [
        (f"SELECT window_start AS w, sum(8 / t::int) {number} AS s {window}", [6]),
        (f"SELECT window_start AS w, count(8 / t::int) {number} AS s {window}", [2]),
        (f"SELECT window_start AS w, count(DISTINCT 8 / t::int) {number} AS s {window}", [2]),
        (f"SELECT window_start AS w, max(8 / t::int) {number} AS s {window}", [4]),
        (f"SELECT window_start AS w, string_agg((8 / t::int)::text, ',' ORDER BY id) {number} AS s {window}",
         ["2,4"]),
        (f"SELECT window_start AS w, string_agg(id::text, ',' ORDER BY 8 / t::int DESC) {number} AS s {window}",
         ["3,0"]),
        (f"SELECT window_start AS w, percentile_cont(0.5) WITHIN GROUP (ORDER BY 8 / t::int) {number} AS s {window}",
         [3.0]),
        ("SELECT window_start AS w, sum(8 / t::int) "
         f"{number} AS s FROM hop(src, ts, INTERVAL '30 min', INTERVAL '30 min') GROUP BY window_start", [6]),
        (f"SELECT id, sum(8 / t::int) {number} OVER (ORDER BY ts ROWS 1 PRECEDING) AS s FROM src",
         [2, 2, None, 4, 4]),
        # The two steps become one, as in PostgreSQL, which pulls the subquery up.
        (f"SELECT window_start AS w, sum(n) {number} AS s FROM tumble(c, ts, INTERVAL '1 hour') "
         "GROUP BY window_start", [6]),
    ]
    for sql, expected in cases:
        if "(c," in sql:
            sql = "WITH c AS (SELECT ts, t, 8 / t::int AS n FROM src) " + sql
        stream("id BIGINT, k TEXT, t TEXT, ts TIMESTAMP", sql.replace("\\", "\\\\"),
               "      eventTime: {column: ts}\n")
        run = Run("run", "m.yaml")
        assert run.code == 0, (sql, run.err)
        assert [row["s"] for row in rows()] == expected, (sql, rows())
    # Rows that the FILTER lets through fail as ever, and so do arguments without one.
    for sql in (f"SELECT window_start AS w, sum(8 / (t::int - 2)) {number} AS s {window}",
                f"SELECT window_start AS w, sum(8 / t::int) {number} AS s, sum(8 / t::int) AS u {window}"):
        stream("id BIGINT, k TEXT, t TEXT, ts TIMESTAMP", sql, "      eventTime: {column: ts}\n")
        assert Run("run", "m.yaml").code == 1, sql


def updating(sql, schema="g INTEGER, v INTEGER, t TEXT"):
    stream(schema, sql)
    text = (e2e.FOLDER / "m.yaml").read_text()
    write("m.yaml", text.split("  sinks:")[0] + "  sinks:\n    - stdout: {format: json}\n")
    return Run("run", "m.yaml")


def test_errors_behind_groups_and_joins_name_the_row():
    write("in.ndjson", json.dumps({"g": 2, "v": 1, "t": "x" * 500}) + "\n")
    run = updating("SELECT g, max(v) + 2147483647 AS s FROM src GROUP BY g")
    assert run.code == 1, run.err
    assert "operator q: integer out of range (row with g = 2, max(v) = 1)" in run.err, run.err
    # Long values are cut.
    run = updating("SELECT t, max(v) + 2147483647 AS s FROM src GROUP BY t")
    assert "(row with t = " + "x" * 60 + "…, max(v) = 1)" in run.err, run.err
    run = updating("SELECT a.g, b.v FROM src a JOIN src b ON a.g = b.g AND 1 / (a.v - b.v) = 1")
    assert "operator q: division by zero (row with a.v = 1, b.v = 1)" in run.err, run.err


def test_errors_of_windows_name_key_and_window():
    write("in.ndjson", '{"g": 2, "share": 1.5, "ts": "2024-01-01T00:10:00"}\n')
    stream("g INTEGER, share DOUBLE PRECISION, ts TIMESTAMP",
           "SELECT window_start AS w, g, share, percentile_cont(share) WITHIN GROUP (ORDER BY g) AS s "
           "FROM tumble(src, ts, INTERVAL '1 hour') GROUP BY window_start, g, share",
           "      eventTime: {column: ts}\n")
    run = Run("run", "m.yaml")
    assert run.code == 1, run.err
    assert ("operator q: percentile value 1.5 is not between 0 and 1 (key (2, 1.5), window from "
            "2024-01-01 00:00:00 to 2024-01-01 01:00:00)") in run.err, run.err
    run = updating("SELECT g, share, percentile_cont(share) WITHIN GROUP (ORDER BY g) AS s FROM src GROUP BY g, share",
                   "g INTEGER, share DOUBLE PRECISION")
    assert "is not between 0 and 1 (key (2, 1.5))" in run.err, run.err


def test_errors_of_one_of_several_streams_name_it():
    write("in.ndjson", '{"a": 1, "b": "x"}\n')
    one = HEAD + SOURCE + operators(("q", "SELECT a, b::int AS n FROM src")) + "  sinks:\n    - discard: {}\n"
    other = one.replace("name: s}", "name: other}").replace("b::int AS n", "b")
    write("m.yaml", one + "---\n" + other)
    run = Run("run", "m.yaml")
    assert run.code == 1 and "error: stream s, operator q: " in run.err, run.err
    write("m.yaml", one)
    assert "error: operator q: " in Run("run", "m.yaml").err


def test_what_is_not_supported_is_refused_or_fails():
    write("in.ndjson", '{"a": 1, "b": "LATIN1"}\n')
    sinks = "  sinks:\n    - discard: {}\n"
    refused(HEAD + SOURCE + operators(("q", "SELECT convert_from(b::bytea, 'LATIN1') AS n FROM src")) + sinks,
            'encoding "LATIN1" is not supported', "^")
    stream("a BIGINT, b TEXT", "SELECT convert_from(b::bytea, b) AS n FROM src")
    run = Run("run", "m.yaml")
    assert run.code == 1 and 'encoding "LATIN1" is not supported (source src' in run.err, (run.code, run.err)


def test_refusals_tell_what_to_write_instead():
    sinks = "  sinks:\n    - discard: {}\n"

    def query(sql, *parts):
        write("m.yaml", HEAD + SOURCE + f"  operators:\n    - name: q\n      sql: |\n        {sql}\n" + sinks)
        run = Run("validate", "m.yaml")
        assert run.code == 2, (sql, run.err)
        for part in parts:
            assert part in run.err, (sql, part, run.err)

    query("SELECT regexp_matches(b, '(.)') AS m FROM src", "regexp_matches() is not supported", "regexp_match(")
    query("SELECT jsonb_each(b::jsonb) AS m FROM src", "jsonb_each() is not supported", "jsonb_object_keys")
    query("SELECT 1 AS n FROM tumbel(src, a, INTERVAL '1 h')", 'did you mean "tumble"?')
    query("SELECT 1 AS n FROM what(src)", "tumble, hop, cumulate, session, unnest, generate_series, jsonb_array_elements")
    caret = "\n       ^"
    query("SELECT xmlelement(name x, b) AS n FROM src", "XML is not supported", "concat or format", caret)
    query("SELECT lpad(b, length => 3) AS n FROM src", "named arguments are not supported", "^")
    query("SELECT sum(v => a) AS n FROM src", "an argument by its name is not supported", "in their order", "^")
    query("SELECT E'\\xff' AS n FROM src", "invalid byte sequence", caret)
    query("SELECT E'ok', e'a\\377' AS n FROM src", "invalid byte sequence", "\n              ^")


def test_places_of_what_is_wrong_in_a_source():
    sinks = "  operators:\n    - {name: q, sql: SELECT a FROM src}\n  sinks:\n    - discard: {}\n"
    refused(HEAD + SOURCE.replace("a BIGINT", "a BIGINT, " + "x" * 64 + " TEXT") + sinks,
            "the name of this column has 64 bytes", "at most 63 bytes", "^")
    refused(HEAD + SOURCE.replace(" {path: in.ndjson, format: json}", "") + sinks,
            "m.yaml:8:7: spec.sources[0].file: expected an object, found nothing", "      file:\n")
    generator = "  sources:\n    - name: src\n      schema: a BIGINT\n      generator: {rows: 1, columns: {a: \"%s\"}}\n"
    refused(HEAD + generator % "'x'" + sinks,
            "spec.sources[0].generator.columns.a: column a: invalid input syntax for type bigint", "gives bigint")


def test_a_source_is_not_called_unused_for_a_query_that_is_wrong():
    for queries in ([("q", "SELECT a FROM other")], [("q", "SELECT a FROM q")],
                    [("q", "SELECT a FROM r"), ("r", "SELECT a FROM q")]):
        write("m.yaml", HEAD + SOURCE + operators(*queries) + "  sinks:\n    - discard: {}\n")
        run = Run("validate", "m.yaml")
        assert run.code == 2 and "nothing reads" not in run.err, run.err
    write("m.yaml", HEAD + SOURCE + SOURCE.split("  sources:\n")[1].replace("name: src", "name: other")
          + operators(("q", "SELECT a FROM src")) + "  sinks:\n    - discard: {}\n")
    assert "nothing reads source other" in Run("validate", "m.yaml").err


# --- Values as PostgreSQL has them ------------------------------------------------------------

def test_values_that_only_postgres_would_have():
    write("in.ndjson", '{"t": "abc", "n": -2147483648}\n')
    for sql, expected in ((r"SELECT right(t, n) AS x FROM src", "abc"),
                          ("SELECT (INTERVAL '5 3' DAY TO HOUR)::text AS x FROM src", "5 days 03:00:00"),
                          ("SELECT (INTERVAL '2 days 3' HOUR)::text AS x FROM src", "2 days 03:00:00"),
                          ("SELECT format('%*s|%-*s|', 5, 'x', 2, t) AS x FROM src", "    x|abc|"),
                          ("SELECT format('%2$*1$s|%s', -4, t, 'e') AS x FROM src", "abc |e")):
        stream("t TEXT, n INTEGER", sql)
        run = Run("run", "m.yaml")
        assert run.code == 0, (sql, run.err)
        assert [row["x"] for row in rows()] == [expected], (sql, rows())


def test_bench_takes_no_negative_counts():
    for count in ("-1", "0", "18446744073709551615"):
        run = Run("bench", "q0", "--events", count)
        assert run.code == 2 and "--events" in run.err, (count, run.err)
    known = Run("bench", "nonsense").err.split("there are: all queries ")[1].split()
    shown = Run("bench", "--help").out
    for name in known:
        if not (name[0] == "q" and name[1:].isdigit()):
            assert name in shown, (name, shown)


if __name__ == "__main__":
    # The largest input of a test is sparse; nothing may write so much.
    resource.setrlimit(resource.RLIMIT_FSIZE, (5 << 30, 5 << 30))
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
