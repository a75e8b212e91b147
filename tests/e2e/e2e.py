#!/usr/bin/env python3
"""The binary as people use it: README's answers, exit codes, messages, interrupts.

    e2e.py EBB

Each test gets an empty folder. Ends in `N passed, N failed`.
"""
import collections
import csv
import gzip
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "deployments" / "examples"
EBB = ""
FOLDER = pathlib.Path()


def ebb(*arguments, **options):
    return subprocess.run([EBB, *map(str, arguments)], cwd=FOLDER, text=True, capture_output=True,
                          timeout=120, **options)


def write(name, text):
    (FOLDER / name).write_text(text, encoding="utf-8")
    return name


def manifest(source, sql, sinks="", extra=""):
    operators = "".join(f"    - name: {name}\n      sql: |\n"
                        + "".join(f"        {line}\n" for line in text.strip().split("\n"))
                        for name, text in (sql.items() if isinstance(sql, dict) else [("q", sql)]))
    return ("apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: s}\nspec:\n"
            f"{extra}  sources:\n{source}  operators:\n{operators}{sinks}")


NUMBERS = """    - name: src
      schema: a BIGINT, b TEXT
      file: {path: in.csv, format: csv}
"""


def numbers(text="a,b\n1,x\n2,y\n"):
    write("in.csv", text)
    return NUMBERS


def fails(run, code, *parts):
    assert run.returncode == code, f"exit {run.returncode}, wanted {code}: {run.stderr}"
    for part in parts:
        assert part in run.stderr, f"{part!r} is not in: {run.stderr}"


def rows_of(path):
    return [json.loads(line) for line in (FOLDER / path).read_text(encoding="utf-8").splitlines()]


# --- what README promises ---------------------------------------------------------------------

def flights():
    with gzip.open(EXAMPLES / "flights" / "flights-2013-01.csv.gz", "rt") as file:
        return list(csv.DictReader(file))


def test_readme_first_stream():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    yaml = next(block for block in re.findall(r"```yaml\n(.*?)```", text, re.S) if "name: first" in block)
    write("first.yaml", yaml)
    shutil.copy(EXAMPLES / "flights" / "flights-2013-01.csv.gz", FOLDER)
    run = ebb("run", "first.yaml")
    assert run.returncode == 0, run.stderr
    wanted = collections.defaultdict(list)
    for flight in flights():
        hour = flight["time_hour"].rstrip("Z")[:13] + ":00:00"
        wanted[hour, flight["carrier"]].append(flight["dep_delay"])
    got = {(row["window_start"], row["carrier"]): row for row in rows_of("hourly.ndjson")}
    assert set(got) == set(wanted)
    for key, delays in wanted.items():
        known = [float(d) for d in delays if d != "NA"]
        assert got[key]["flights"] == len(delays), key
        if known:
            assert abs(got[key]["mean_delay"] - sum(known) / len(known)) < 1e-9, key
        else:
            assert got[key]["mean_delay"] is None, key


def test_quickstart_stream_and_its_table():
    for file in (EXAMPLES / "flights").iterdir():
        shutil.copy(file, FOLDER)
    run = ebb("run", "flights.yaml")
    assert run.returncode == 0, run.stderr
    wanted = collections.defaultdict(list)
    for flight in flights():
        wanted[flight["time_hour"][:10], flight["carrier"]].append(flight)
    with open(FOLDER / "delays.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(wanted)
    for row in rows:
        of_day = wanted[row["day"], row["carrier"]]
        assert int(row["flights"]) == len(of_day)
        assert int(row["cancelled"]) == sum(f["dep_time"] == "NA" for f in of_day)
        known = [float(f["dep_delay"]) for f in of_day if f["dep_delay"] != "NA"]
        if not known:
            assert row["mean_delay"] == row["worst_delay"] == ""
            continue
        assert abs(float(row["mean_delay"]) - sum(known) / len(known)) <= 0.05 + 1e-9
        assert float(row["worst_delay"]) == max(known)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- quickstart -->\n```\n(.*?)```", readme, re.S)
    assert block, "README shows no quickstart result"
    for line in block[1].strip().split("\n"):
        assert line.strip() in run.stdout or line.strip() == "…", f"README's line is gone: {line}"


# --- command line -----------------------------------------------------------------------------

def test_version_and_help():
    assert re.match(r"ebb \d+\.\d+\.\d+\n", ebb("version").stdout)
    assert json.loads(ebb("version", "-o", "json").stdout)["apiVersion"] == "ebb.dev/v1alpha1"
    shown = ebb("--help")
    assert shown.returncode == 0
    for command in ("run", "validate", "explain", "bench", "version", "completion"):
        assert command in shown.stdout


def test_wrong_usage_is_2():
    fails(ebb("runn", "x.yaml"), 2)
    fails(ebb(), 2)
    fails(ebb("run"), 2)
    fails(ebb("run", "x.yaml", "--parallelism", "0"), 2)
    fails(ebb("run", "x.yaml", "--nonsense"), 2)


def test_completion_scripts_parse():
    for shell in ("bash", "zsh", "fish"):
        script = ebb("completion", shell)
        assert script.returncode == 0 and "validate" in script.stdout
    check = subprocess.run(["bash", "-n"], input=ebb("completion", "bash").stdout, text=True,
                           capture_output=True, check=False)
    assert check.returncode == 0, check.stderr


def test_validate_and_explain():
    write("m.yaml", manifest(numbers(), "SELECT a FROM src WHERE a > 1"))
    assert "stream s is valid" in ebb("validate", "m.yaml").stdout
    assert "stage 0" in ebb("explain", "m.yaml").stdout
    assert json.loads(ebb("explain", "m.yaml", "--format", "json").stdout)["stream"] == "s"
    assert ebb("explain", "m.yaml", "--format", "dot").stdout.startswith("digraph")


def test_stats_file():
    write("m.yaml", manifest(numbers(), "SELECT a FROM src WHERE a > 1", "  sinks:\n    - discard: {}\n"))
    assert ebb("run", "m.yaml", "--stats", "stats.json").returncode == 0
    stats = json.loads((FOLDER / "stats.json").read_text())
    stream = stats["streams"][0]
    assert stream["sources"][0]["rows"] == 2 and stream["sources"][0]["badRows"] == 0
    assert stream["operators"][0]["rowsIn"] == 2 and stream["operators"][0]["rowsOut"] == 1
    assert stream["sinks"][0]["rows"] == 1
    assert stats["wallSeconds"] > 0 and stats["peakMemoryBytes"] > 1 << 20


def test_stats_file_of_a_run_that_fails():
    text = "a,b\n" + "".join(f"{i},x\n" for i in range(5000)) + "oops,y\n"
    write("m.yaml", manifest(numbers(text), "SELECT a FROM src", "  sinks:\n    - discard: {}\n"))
    fails(ebb("run", "m.yaml", "--stats", "stats.json"), 1, "oops")
    stats = json.loads((FOLDER / "stats.json").read_text())
    assert "oops" in stats["error"]["message"] and stats["error"]["reason"] == "bad record", stats
    assert stats["streams"][0]["sources"][0]["rows"] >= 4000, stats
    assert stats["wallSeconds"] > 0
    # One that does not begin has done nothing.
    (FOLDER / "in.csv").unlink()
    (FOLDER / "stats.json").unlink()
    fails(ebb("run", "m.yaml", "--stats", "stats.json"), 2, "in.csv")
    stats = json.loads((FOLDER / "stats.json").read_text())
    assert stats["streams"] == [] and "in.csv" in stats["error"]["message"] and stats["error"]["hint"], stats
    write("m.yaml", "spec: [")
    fails(ebb("run", "m.yaml", "--stats", "stats.json"), 2)
    assert "m.yaml" in json.loads((FOLDER / "stats.json").read_text())["error"]["message"]


def test_one_row_is_one_row():
    write("in.csv", "at,v\n2024-01-01 00:00:00,1\n2024-01-01 09:00:00,2\n2024-01-01 00:30:00,3\n")
    source = ("    - name: src\n      schema: at TIMESTAMP, v BIGINT\n      eventTime: {column: at}\n"
              "      onBadRecord: quarantine\n      file: {path: in.csv, format: csv}\n")
    write("m.yaml", manifest(source, "SELECT window_end, count(*) AS n FROM tumble(src, at, INTERVAL '1 hour') "
                             "GROUP BY window_end", "  sinks:\n    - discard: {}\n"))
    run = ebb("run", "m.yaml")
    assert run.returncode == 0 and "dropped 1 row that came late or has no time" in run.stderr, run.stderr
    with open(FOLDER / "in.csv", "a") as file:
        file.write("2024-01-01 00:45:00,4\nnever,5\n")
    run = ebb("run", "m.yaml")
    assert "dropped 2 rows that came late or have no time" in run.stderr, run.stderr
    assert "set aside 1 bad record: they are appended" in run.stderr, run.stderr


def test_peak_memory_is_not_that_of_who_starts_it():
    ballast = bytearray(300 << 20)
    write("m.yaml", manifest(numbers(), "SELECT a FROM src", "  sinks:\n    - discard: {}\n"))
    assert ebb("run", "m.yaml", "--stats", "stats.json").returncode == 0
    assert json.loads((FOLDER / "stats.json").read_text())["peakMemoryBytes"] < len(ballast)


def test_bench_verifies_updating_results():
    run = ebb("bench", "q4", "q6", "--verify", "--events", "50000")
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.count("equal") == 2 and "final table" in run.stdout, run.stdout
    assert "DIFFERENT" not in run.stdout, run.stdout


def test_commands_that_there_are_not():
    fails(ebb("frobnicate"), 2, "there is no command frobnicate", "ebb --help")
    fails(ebb("vaildate", "m.yaml"), 2, "did you mean ebb validate?")
    fails(ebb(), 2, "Subcommands:", "validate")


def test_manifest_from_standard_input():
    numbers()
    run = ebb("validate", "-", input=manifest(NUMBERS, "SELECT a FROM src"))
    assert run.returncode == 0, run.stderr


def test_files_of_any_order_bring_no_late_rows():
    for name, hours in (("a", (8, 9)), ("b", (1, 2)), ("c", (5, 6))):
        write(f"in-{name}.csv", "at\n" + "".join(f"2024-01-01 0{h}:00:00\n" for h in hours))
    source = ("    - name: src\n      schema: at TIMESTAMP\n      eventTime: {column: at}\n"
              "      file: {path: in-*.csv, format: csv}\n")
    sql = "SELECT window_end, count(*) AS c FROM tumble(src, at, INTERVAL '1 hour') GROUP BY window_end"
    write("m.yaml", manifest(source, sql, "  sinks:\n    - file: {path: out.ndjson, format: json}\n"))
    for parallelism in (1, 2, 3):
        run = ebb("run", "m.yaml", "--parallelism", parallelism)
        assert run.returncode == 0 and run.stderr == "", run.stderr
        assert len(rows_of("out.ndjson")) == 6


def test_results_do_not_depend_on_parallelism():
    sql = ("SELECT auction, window_end, count(*) AS n, max(price) AS p, avg(price) AS m FROM "
           "hop(bid, date_time, INTERVAL '2 seconds', INTERVAL '10 seconds') GROUP BY auction, window_end")
    source = ("    - name: bid\n      eventTime: {column: date_time, maxDelay: 4s}\n"
              "      nexmark: {table: bid, events: 200000, eventsPerSecond: 10000}\n")
    write("m.yaml", manifest(source, sql, "  sinks:\n    - file: {path: out.csv, format: csv}\n"))
    results = set()
    for parallelism in (1, 2, 5):
        run = ebb("run", "m.yaml", "--parallelism", parallelism)
        assert run.returncode == 0, run.stderr
        lines = (FOLDER / "out.csv").read_text().splitlines()
        results.add("\n".join([lines[0], *sorted(lines[1:])]))
    assert len(results) == 1 and len(lines) > 1000


def test_nexmark_manifests():
    for query in (EXAMPLES / "nexmark").glob("q*.sql"):
        made = subprocess.run([EXAMPLES / "nexmark" / "manifest", query.stem, "--events", "2000", "--sink", "discard: {}"],
                              text=True, capture_output=True, check=True)
        run = ebb("run", "-", input=made.stdout)
        assert run.returncode == 0, (query.stem, run.stderr)
    readme = (EXAMPLES / "nexmark" / "README.md").read_text(encoding="utf-8")
    missing = [x.stem for x in (EXAMPLES / "nexmark").glob("q*.sql") if f"| {x.stem} |" not in readme]
    assert not missing, f"README.md does not say what {missing} compute"


# --- bad input --------------------------------------------------------------------------------

def test_missing_manifest():
    fails(ebb("run", "absent.yaml"), 2, "absent.yaml", "No such file")


def test_malformed_yaml():
    write("m.yaml", "apiVersion: ebb.dev/v1alpha1\nkind: [Stream\n")
    fails(ebb("validate", "m.yaml"), 2, "m.yaml:")


def test_unknown_key_names_the_nearest():
    write("m.yaml", manifest(numbers().replace("schema", "shema"), "SELECT a FROM src"))
    fails(ebb("validate", "m.yaml"), 2, "m.yaml:7:", "shema", "schema")


def test_duplicate_key():
    write("m.yaml", manifest(numbers(), "SELECT a FROM src", "  parallelism: 1\n  parallelism: 2\n"))
    fails(ebb("validate", "m.yaml"), 2, "m.yaml:14:", "parallelism")


def test_unknown_connector_and_two_connectors():
    write("m.yaml", manifest(numbers().replace("file:", "fil:"), "SELECT a FROM src"))
    fails(ebb("validate", "m.yaml"), 2, "fil")
    write("m.yaml", manifest(numbers() + "      generator: {rows: 1}\n", "SELECT a FROM src"))
    fails(ebb("validate", "m.yaml"), 2, "file", "generator")


def test_sql_syntax_error_has_a_caret():
    write("m.yaml", manifest(numbers(), "SELECT a\nFRM src"))
    run = ebb("validate", "m.yaml")
    fails(run, 2, "m.yaml:13:", "syntax error", "^")


def test_column_not_found_names_the_nearest():
    write("m.yaml", manifest(numbers(), "SELECT aa FROM src"))
    fails(ebb("validate", "m.yaml"), 2, 'column "aa" does not exist', "m.yaml:12:")


def test_type_mismatch():
    write("m.yaml", manifest(numbers(), "SELECT a + b AS c FROM src"))
    fails(ebb("validate", "m.yaml"), 2, "operator does not exist: bigint + text")


def test_unsupported_sql_is_named():
    write("m.yaml", manifest(numbers(), "WITH RECURSIVE r AS (SELECT a FROM src) SELECT a FROM r"))
    fails(ebb("validate", "m.yaml"), 2, "WITH RECURSIVE")


def test_window_without_event_time():
    write("m.yaml", manifest(numbers().replace("a BIGINT", "a TIMESTAMP"),
                             "SELECT window_end, count(*) AS n FROM tumble(src, a, INTERVAL '1 hour') "
                             "GROUP BY window_end"))
    fails(ebb("validate", "m.yaml"), 2, "eventTime")


def test_unused_source_is_a_warning():
    extra = numbers() + NUMBERS.replace("name: src", "name: other")
    write("m.yaml", manifest(extra, "SELECT a FROM src"))
    run = ebb("validate", "m.yaml")
    assert run.returncode == 0 and "warning" in run.stderr and "other" in run.stderr, run.stderr


def test_two_sinks_on_one_file():
    sink = "    - {name: %s, file: {path: %s, format: csv}}\n"
    os.symlink("o.csv", FOLDER / "link.csv")
    for other in ("./o.csv", "link.csv", "o.csv.part"):
        write("m.yaml", manifest(numbers(), "SELECT a FROM src",
                                 "  sinks:\n" + sink % ("one", "o.csv") + sink % ("two", other)))
        fails(ebb("run", "m.yaml"), 2, "one", "two", "hint: give each")
    one = manifest(numbers(), "SELECT a FROM src", "  sinks:\n" + sink % ("one", "o.csv"))
    write("m.yaml", one + "---\n" + one.replace("{name: s}", "{name: t}"))
    fails(ebb("validate", "m.yaml"), 2, "sink one of stream t writes o.csv, which sink one of stream s")


def test_sinks_share_a_device():
    sink = "    - {name: %s, file: {path: %s, format: csv}}\n"
    os.mkfifo(FOLDER / "pipe")
    os.symlink("/dev/null", FOLDER / "nothing")
    one = manifest(numbers(), "SELECT a FROM src",
                   "  sinks:\n" + "".join(sink % x for x in (("one", "/dev/null"), ("two", "/dev/null"), ("three", "nothing"))))
    write("m.yaml", one + "---\n" + one.replace("{name: s}", "{name: t}"))
    for how in ((), ("--data", "d")):
        run = ebb("run", "m.yaml", *how)
        assert run.returncode == 0, run.stderr
    write("m.yaml", manifest(numbers(), "SELECT a FROM src",
                             "  sinks:\n" + sink % ("one", "pipe") + sink % ("two", "pipe")))
    run = ebb("validate", "m.yaml")
    assert run.returncode == 0, run.stderr


def test_times_at_the_end_of_the_calendar_end():
    write("in.csv", "at\n294247-01-10 01:00:00\n")
    source = ("    - name: src\n      schema: at TIMESTAMP\n      eventTime: {column: at}\n"
              "      file: {path: in.csv, format: csv}\n")
    for window in ("tumble(src, at, INTERVAL '1 day')", "hop(src, at, INTERVAL '1 hour', INTERVAL '1 day')",
                   "cumulate(src, at, INTERVAL '1 hour', INTERVAL '1 day')"):
        write("m.yaml", manifest(source, f"SELECT window_end, count(*) AS c FROM {window} GROUP BY window_end",
                                 "  sinks:\n    - file: {path: out.ndjson, format: json}\n"))
        run = ebb("run", "m.yaml")
        assert run.returncode in (0, 1), run.stderr
        if run.returncode == 0:
            assert 1 <= len(rows_of("out.ndjson")) <= 24


def test_stats_into_a_device_leave_it_alone():
    write("m.yaml", manifest(numbers(), "SELECT a FROM src", "  sinks:\n    - discard: {}\n"))
    fails(ebb("run", "m.yaml", "--stats", "/dev/full"), 1, "/dev/full", "No space left")
    assert not pathlib.Path("/dev/full").is_file()


def test_stats_replace_nothing_but_stats():
    parts = "  sinks:\n    - name: one\n      file: {path: out.csv, format: csv}\n    - name: many\n      file: {path: parts/, format: json}\n"
    source = numbers().replace("path: in.csv", "path: 'in*.csv'").replace("    - name: src", "    - name: src\n      onBadRecord: quarantine")
    write("m.yaml", manifest(source, "SELECT a FROM src", parts))
    write("notes.txt", "mine\n")
    (FOLDER / "link.json").symlink_to("in.csv")
    for path, what in (("m.yaml", "the manifest m.yaml"), ("./m.yaml", "the manifest"), ("notes.txt", "not the statistics of an earlier run"),
                       ("in.csv", "not the statistics"), ("link.json", "not the statistics"), ("in2.csv", "what source src of stream s reads"),
                       ("out.csv", "what sink one of stream s writes"), ("parts/stats.json", "what sink many of stream s writes"),
                       ("quarantine/s-src.ndjson", "where bad records of source src of stream s go")):
        before = {x: x.read_bytes() for x in FOLDER.iterdir()}
        fails(ebb("run", "m.yaml", "--stats", path), 2, "--stats would replace " if "not" not in what else what, what, "hint: ")
        assert {x: x.read_bytes() for x in FOLDER.iterdir()} == before, path
    write("broken.yaml", "apiVersion: [\n")
    fails(ebb("run", "broken.yaml", "--stats", "broken.yaml"), 2, "the manifest broken.yaml")
    fails(ebb("run", "broken.yaml", "--stats", "in.csv"), 2, "not the statistics")
    assert (FOLDER / "in.csv").read_text() == "a,b\n1,x\n2,y\n"
    write("stats.json", "")
    fails(ebb("run", "broken.yaml", "--stats", "stats.json"), 2)
    for _ in range(2):
        assert ebb("run", "m.yaml", "--stats", "stats.json").returncode == 0
        assert json.loads((FOLDER / "stats.json").read_text())["streams"][0]["sources"][0]["rows"] == 2
    # An input that is statistics itself is an input all the same.
    write("m.yaml", manifest(NUMBERS.replace("in.csv", "stats.json"), "SELECT a FROM src", "  sinks:\n    - discard: {}\n"))
    fails(ebb("run", "m.yaml", "--stats", "stats.json"), 2, "what source src of stream s reads")


def test_missing_input_file():
    write("m.yaml", manifest(NUMBERS, "SELECT a FROM src"))
    # At the field that names it.
    fails(ebb("run", "m.yaml"), 2, "m.yaml:8:20: spec.sources[0].file.path: cannot open in.csv: No such file")
    write("m.yaml", manifest(NUMBERS.replace("file: {path: in.csv, format: csv}",
                                             "file:\n        format: csv\n        path: in-*.csv"), "SELECT a FROM src"))
    fails(ebb("run", "m.yaml"), 2, "m.yaml:10:15: spec.sources[0].file.path: no file matches in-*.csv")


def test_missing_column_in_the_header():
    write("m.yaml", manifest(numbers("a,c\n1,2\n"), "SELECT a FROM src"))
    fails(ebb("run", "m.yaml"), 1, "in.csv", '"b"')


def test_bad_record_stops_the_stream_and_leaves_no_output():
    sinks = "  sinks:\n    - file: {path: out.csv, format: csv}\n"
    write("m.yaml", manifest(numbers("a,b\n1,x\noops,y\n"), "SELECT a FROM src", sinks))
    fails(ebb("run", "m.yaml"), 1, "in.csv", "oops", "bigint")
    assert not (FOLDER / "out.csv").exists()


def test_bad_records_are_skipped_or_quarantined():
    text = "a,b\n1,x\noops,y\n3,z\n"
    sinks = "  sinks:\n    - file: {path: out.ndjson, format: json}\n"
    write("m.yaml", manifest(numbers(text) + "      onBadRecord: skip\n", "SELECT a FROM src", sinks))
    run = ebb("run", "m.yaml")
    assert run.returncode == 0 and [r["a"] for r in rows_of("out.ndjson")] == [1, 3]
    assert "1 bad record" in run.stderr
    write("m.yaml", manifest(numbers(text) + "      onBadRecord: quarantine\n", "SELECT a FROM src", sinks))
    os.mkdir(FOLDER / "elsewhere")
    run = subprocess.run([EBB, "run", "../m.yaml"], cwd=FOLDER / "elsewhere", stderr=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 0 and "appended, with reasons, to ../quarantine/s-src.ndjson\n" in run.stderr, run.stderr
    aside = rows_of("quarantine/s-src.ndjson")
    assert len(aside) == 1 and "oops" in aside[0]["raw"] and aside[0]["source"] == "src"


def test_overflow_names_the_record():
    write("m.yaml", manifest(numbers("a,b\n1,x\n9223372036854775807,y\n"), "SELECT a + 1 AS c FROM src",
                             "  sinks:\n    - discard: {}\n"))
    fails(ebb("run", "m.yaml"), 1, "bigint out of range", "record 2", "hint: use NUMERIC")


def test_errors_of_expressions_say_what_to_do():
    for sql, *parts in (("a / (a - 2)", "division by zero", "hint: divide by NULLIF(x, 0)", "WHERE"),
                        ("a::smallint * 30000::smallint", "smallint out of range", "hint: use a wider type, in the cast"),
                        ("b::bigint", 'invalid input syntax for type bigint: "x"', "hint: leave such rows out with WHERE"),
                        ("(a * 100)::numeric(3, 1)", "numeric field overflow", "hint: a field with precision 3"),
                        ("ln(a - 1)", "cannot take logarithm of zero", "hint: leave such rows out with WHERE x > 0"),
                        ("sqrt(a - 2)", "cannot take square root", "GREATEST(x, 0)")):
        write("m.yaml", manifest(numbers(), f"SELECT {sql} AS c FROM src", "  sinks:\n    - discard: {}\n"))
        fails(ebb("run", "m.yaml"), 1, "source src", "record ", *parts)


def test_invalid_utf8():
    write("m.yaml", manifest(numbers(), "SELECT a FROM src"))
    (FOLDER / "in.csv").write_bytes(b"a,b\n1,\xff\xfe\n")
    fails(ebb("run", "m.yaml"), 1, "UTF8", "in.csv")


def test_a_hundred_megabyte_line_is_a_bad_record_in_bounded_memory():
    write("m.yaml", manifest(numbers() + "      onBadRecord: skip\n", "SELECT a FROM src",
                             "  sinks:\n    - discard: {}\n"))
    with open(FOLDER / "in.csv", "wb") as file:
        file.write(b"a,b\n1,x\n2,")
        for _ in range(100):
            file.write(b"y" * (1 << 20))
        file.write(b"\n3,z\n")
    run = ebb("run", "m.yaml", "--stats", "stats.json")
    assert run.returncode == 0, run.stderr
    stats = json.loads((FOLDER / "stats.json").read_text())
    assert stats["streams"][0]["sources"][0]["rows"] == 2
    assert stats["streams"][0]["sources"][0]["badRows"] == 1
    assert stats["peakMemoryBytes"] < 100 << 20


def test_empty_file_and_no_rows():
    sinks = "  sinks:\n    - file: {path: out.csv, format: csv}\n"
    for text in ("", "a,b\n"):
        write("m.yaml", manifest(numbers(text), "SELECT a FROM src", sinks))
        run = ebb("run", "m.yaml")
        assert run.returncode == 0, run.stderr
        assert (FOLDER / "out.csv").read_text() == "a\n"


def test_values_too_long_for_a_generated_column():
    source = ("    - name: src\n      schema: v VARCHAR(3)\n"
              "      generator: {rows: 100, columns: {v: \"%s\"}}\n")
    sinks = "  sinks:\n    - file: {path: out.ndjson, format: json}\n"
    write("m.yaml", manifest(source % "n || '\u00fc    '", "SELECT v FROM src", sinks))
    run = ebb("run", "m.yaml")
    assert run.returncode == 0, run.stderr
    assert [row["v"] for row in rows_of("out.ndjson")] == [(f"{n}\u00fc    ")[:3] for n in range(100)]
    write("m.yaml", manifest(source % "n || '\u00fc\u00fc'", "SELECT v FROM src", sinks))
    fails(ebb("run", "m.yaml"), 1, "value too long for type character varying(3)", "record 10", "hint: cut it with left(x, n)")


def test_a_pipe_that_nobody_reads_yet():
    os.mkfifo(FOLDER / "out.pipe")
    write("m.yaml", manifest(numbers(), "SELECT a FROM src",
                             "  sinks:\n    - name: out\n      file: {path: out.pipe, format: json}\n"))
    for options in ((), ("--data", "d")):
        run = subprocess.Popen([EBB, "run", "m.yaml", *options], cwd=FOLDER, text=True, stderr=subprocess.PIPE)
        try:
            assert "sink out waits until somebody reads the pipe out.pipe" in run.stderr.readline()
            run.send_signal(signal.SIGINT)
            said = run.communicate(timeout=10)[1]
            assert run.returncode == 130 and "nobody reads this pipe" in said and "/dev/stdout" in said, said
        finally:
            run.kill()
            run.wait()
        run = subprocess.Popen([EBB, "run", "m.yaml", *options], cwd=FOLDER, text=True, stderr=subprocess.PIPE)
        try:
            run.stderr.readline()
            reader = subprocess.run(["cat", "out.pipe"], cwd=FOLDER, text=True, capture_output=True, timeout=30)
            assert reader.stdout == '{"a":1}\n{"a":2}\n', reader.stdout
            assert run.wait(timeout=10) == 0, run.stderr.read()
        finally:
            run.kill()
            run.wait()
            run.stderr.close()


def test_a_full_disk_under_waiting_output():
    """The run says at once what it waits for, and goes on when there is room."""
    disk = FOLDER / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", disk],
                                           capture_output=True).returncode != 0:
        print("  (not tried: no right to mount a small disk)")
        return
    run = None
    try:
        source = "    - name: src\n      schema: a BIGINT\n      generator: {rows: 100000, columns: {a: \"n\"}}\n"
        write("m.yaml", manifest(source, "SELECT a, repeat('x', 100) AS x FROM src",
                                 "  sinks:\n    - name: parts\n      file: {path: disk/out/, format: json}\n"))
        run = subprocess.Popen([EBB, "run", "m.yaml", "--data", "d"], cwd=FOLDER, text=True, stderr=subprocess.PIPE)
        began = time.monotonic()
        said = run.stderr.readline()
        assert time.monotonic() - began < 5
        assert "waits: cannot write" in said and "disk/out/" in said and "No space left on device" in said, said
        assert "free some space" in said and run.poll() is None, said
        assert subprocess.run(["mount", "-o", "remount,size=64m", disk]).returncode == 0
        rest = run.communicate(timeout=60)[1]
        assert run.returncode == 0 and "goes on: there is room" in rest, rest
        rows = [json.loads(line)["a"] for part in sorted((disk / "out").iterdir()) for line in part.open()]
        assert sorted(rows) == list(range(100000)), len(rows)
    finally:
        if run is not None:
            run.kill()
            run.wait()
        subprocess.run(["umount", "-l", disk], check=False)


def test_disk_full():
    source = "    - name: src\n      schema: a BIGINT\n      generator: {rows: 3000000, columns: {a: \"n\"}}\n"
    write("m.yaml", manifest(source, "SELECT a, repeat('x', 100) AS x FROM src"))
    with open("/dev/full", "wb") as full:
        run = subprocess.run([EBB, "run", "m.yaml"], cwd=FOLDER, stdout=full, stderr=subprocess.PIPE,
                             text=True, timeout=60, check=False)
    fails(run, 1, "No space left on device")


# --- running ----------------------------------------------------------------------------------

def endless():
    return "    - name: src\n      schema: a BIGINT\n      generator: {rate: 1000, columns: {a: \"n\"}}\n"


def test_the_failure_of_one_stream_leaves_no_half_output_of_another():
    one = manifest(endless().replace("rate: 1000", "rows: 400, rate: 1000"), "SELECT a FROM src",
                   "  sinks:\n    - file: {path: good.ndjson, format: json}\n").replace("{name: s}", "{name: good}")
    bad = one.replace('"n"', '"10/(n-50)"').replace("good", "bad")
    write("m.yaml", bad + "---\n" + one)
    (FOLDER / "good.ndjson").write_text("older\n")
    fails(ebb("run", "m.yaml"), 1, "stream bad", "division by zero", "stream good: is given up, as stream bad has failed")
    assert (FOLDER / "good.ndjson").read_text() == "older\n"
    assert sorted(x.name for x in FOLDER.iterdir()) == ["good.ndjson", "m.yaml"], list(FOLDER.iterdir())


def test_interrupt_drains_and_exits_130():
    write("m.yaml", manifest(endless(), "SELECT a FROM src", "  sinks:\n    - file: {path: out.csv, format: csv}\n"))
    with subprocess.Popen([EBB, "run", "m.yaml"], cwd=FOLDER, stderr=subprocess.PIPE, text=True) as run:
        time.sleep(0.7)
        run.send_signal(signal.SIGINT)
        _, errors = run.communicate(timeout=20)
        assert run.returncode == 130, f"{run.returncode}: {errors}"
    values = (FOLDER / "out.csv").read_text().split()[1:]
    assert values == [str(i) for i in range(len(values))] and len(values) > 100


def test_a_lost_terminal_drains_and_exits_129():
    """It hangs up more than once. Under nohup it is ignored."""
    write("m.yaml", manifest(endless(), "SELECT a FROM src", "  sinks:\n    - file: {path: out.csv, format: csv}\n"))
    for ignored in (False, True):
        def prepare():
            signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
        with subprocess.Popen([EBB, "run", "m.yaml"], cwd=FOLDER, stderr=subprocess.PIPE, text=True, preexec_fn=prepare) as run:
            time.sleep(0.7)
            run.send_signal(signal.SIGHUP)
            time.sleep(0.2)
            run.send_signal(signal.SIGTERM if ignored else signal.SIGHUP)
            _, errors = run.communicate(timeout=20)
            assert run.returncode == (130 if ignored else 129), f"{run.returncode}: {errors}"
        values = (FOLDER / "out.csv").read_text().split()[1:]
        assert values == [str(i) for i in range(len(values))] and len(values) > 100


def test_a_second_interrupt_ends_at_once():
    """Soon after the first, too; but not what a process group doubles."""
    write("m.yaml", manifest(endless().replace("rate: 1000, ", ""), "SELECT a FROM src", "  sinks:\n    - stdout: {format: csv}\n"))
    for first, second, apart in ((1, signal.SIGINT, 0.3), (2, signal.SIGINT, 0.3), (1, signal.SIGTERM, 1.5)):
        # Nobody reads the pipe: what is under way cannot be written.
        with subprocess.Popen([EBB, "run", "m.yaml"], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
            try:
                time.sleep(0.7)
                for _ in range(first):
                    run.send_signal(signal.SIGINT)
                    time.sleep(0.01)
                try:
                    run.wait(timeout=apart)
                    raise AssertionError(f"ended with {run.returncode} though output waits: {run.stderr.read()}")
                except subprocess.TimeoutExpired:
                    pass
                run.send_signal(second)
                assert run.wait(timeout=2) == 130, run.returncode
            finally:
                run.kill()


def test_a_silent_pipe_does_not_hold_up_the_end():
    os.mkfifo(FOLDER / "in.csv")
    write("m.yaml", manifest(NUMBERS, "SELECT a FROM src", "  sinks:\n    - stdout: {format: csv}\n"))
    for has_writer in (False, True):
        with subprocess.Popen([EBB, "run", "m.yaml"], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
            try:
                time.sleep(0.7)
                if has_writer:
                    pipe = os.open(FOLDER / "in.csv", os.O_WRONLY)
                    os.write(pipe, b"a,b\n1,x\n")
                    assert run.stdout.readline() + run.stdout.readline() == "a\n1\n"
                run.send_signal(signal.SIGTERM)
                _, errors = run.communicate(timeout=5)
                assert run.returncode == 130, f"{run.returncode}: {errors}"
            finally:
                run.kill()
    os.close(pipe)


def test_no_rows_of_a_limit_of_none():
    for sql in ("SELECT a FROM src LIMIT 0", "SELECT a FROM src ORDER BY a LIMIT 0", "SELECT a FROM src FETCH FIRST 0 ROWS ONLY",
                "SELECT a FROM src ORDER BY a FETCH FIRST 0 ROWS WITH TIES", "SELECT * FROM (SELECT a FROM src LIMIT 0) AS x"):
        write("m.yaml", manifest(numbers(), sql, "  sinks:\n    - stdout: {format: csv}\n"))
        run = ebb("run", "m.yaml")
        assert run.returncode == 0 and "1" not in run.stdout, (sql, run.returncode, run.stdout, run.stderr)


def test_a_repeated_expression_with_a_wide_number_is_computed_once():
    x = "CASE WHEN a::numeric >= '51519529431798719901528565536.762870234309' THEN 0.1::real ELSE a::real / 4 END"
    write("m.yaml", manifest(numbers(), f"SELECT {x} IN (0.25, (a << 1)::real) AS r FROM src", "  sinks:\n    - stdout: {format: csv}\n"))
    run = ebb("run", "m.yaml")
    assert run.returncode == 0 and run.stdout.split() == ["r", "true", "false"], (run.returncode, run.stdout, run.stderr)


def test_subqueries_are_named_as_postgresql_names_them():
    write("m.yaml", manifest(numbers(), "SELECT a, (SELECT max(a) FROM src), (SELECT count(*) AS many FROM src), "
                             "EXISTS (SELECT 1 FROM src WHERE a = 2) FROM src AS s"))
    run = ebb("validate", "m.yaml")
    assert run.returncode == 0, run.stderr
    run = ebb("explain", "m.yaml")
    assert re.search(r"columns: a bigint, max bigint, many bigint, exists boolean", run.stdout), run.stdout


def test_a_reader_that_goes_away_ends_the_run():
    write("m.yaml", manifest(endless().replace("rate: 1000, ", ""), "SELECT a FROM src",
                             "  sinks:\n    - stdout: {format: csv}\n"))
    run = subprocess.run(f"{EBB} run m.yaml | head -n 3", shell=True, cwd=FOLDER, text=True,
                         capture_output=True, timeout=30, check=False)
    assert run.stdout.split() == ["a", "0", "1"], run.stdout


def wide(number):
    return ("    - name: src\n      schema: a BIGINT, b TEXT\n"
            f"      generator: {{columns: {{a: \"{number}\", b: \"repeat('x', 1000) || n\"}}}}\n")


def test_a_reader_that_goes_away_while_output_waits_ends_the_run():
    """The pipe is full, so no row comes that a write could answer with the error."""
    for rate, data in (("", ()), ("rate: 20000, ", ("--data", "data"))):
        write("m.yaml", manifest(wide("n").replace("{columns", f"{{{rate}columns"), "SELECT a, b FROM src",
                                 "  sinks:\n    - stdout: {format: csv}\n", "  checkpoint: {interval: 100ms}\n"))
        with subprocess.Popen([EBB, "run", "m.yaml", *data], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
            try:
                assert run.stdout.read(4096).startswith("a,b\n0,x")
                time.sleep(0.7)
                run.stdout.close()
                assert run.wait(timeout=10) == 1, run.returncode
                assert ("" if data else "sink sink: ") + "cannot write standard output: Broken pipe" in run.stderr.read()
            finally:
                run.kill()


def test_an_error_is_told_though_a_reader_sleeps():
    write("m.yaml", manifest(wide("1000 / (n - 3000)"), "SELECT a, b FROM src", "  sinks:\n    - stdout: {format: csv}\n"))
    for _ in range(3):
        with subprocess.Popen([EBB, "run", "m.yaml"], cwd=FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
            try:
                assert run.wait(timeout=10) == 1, run.returncode
                assert run.stderr.read().count("division by zero") == 1
            finally:
                run.kill()


def test_rows_arrive_while_the_stream_runs():
    write("m.yaml", manifest(endless(), "SELECT a FROM src", "  sinks:\n    - stdout: {format: json}\n"))
    with subprocess.Popen([EBB, "run", "m.yaml"], cwd=FOLDER, stdout=subprocess.PIPE, text=True) as run:
        start = time.monotonic()
        line = run.stdout.readline()
        assert json.loads(line) == {"a": 0}
        assert time.monotonic() - start < 2
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=20)


def resident(process):
    """Bytes that a process has mapped."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) * 1024


def test_a_stream_at_rest_keeps_little_memory_and_goes_on():
    source = numbers().replace("format: csv", "format: csv, follow: true")
    write("m.yaml", manifest(source, "SELECT a FROM src", "  sinks:\n    - stdout: {format: json}\n"))
    with subprocess.Popen([EBB, "run", "--quiet", "m.yaml"], cwd=FOLDER, stdout=subprocess.PIPE, text=True) as run:
        try:
            assert [json.loads(run.stdout.readline()) for _ in range(2)] == [{"a": 1}, {"a": 2}]
            maps = pathlib.Path(f"/proc/{run.pid}/maps").read_text(encoding="utf-8")
            sanitized = re.search(r"lib[at]san", maps) is not None  # keeps its own books
            deadline = time.monotonic() + 10
            while resident(run) > 12_000_000 and not sanitized and time.monotonic() < deadline:
                time.sleep(0.1)
            assert sanitized or resident(run) <= 12_000_000, resident(run)
            with open(FOLDER / "in.csv", "a", encoding="utf-8") as more:
                more.write("3,z\n")
            assert json.loads(run.stdout.readline()) == {"a": 3}
        finally:
            run.send_signal(signal.SIGINT)
            run.communicate(timeout=20)


def run_tests(arguments, tests):
    """Runs the tests, or those that the command line names, and ends the process."""
    global EBB, FOLDER
    EBB = os.path.abspath(arguments[1])
    chosen = arguments[2:]
    passed = failed = 0
    for test in tests:
        if chosen and test.__name__ not in chosen:
            continue
        FOLDER = pathlib.Path(tempfile.mkdtemp(prefix="ebb-e2e-"))
        try:
            test()
            passed += 1
        except Exception:  # a failing test must not stop the others
            failed += 1
            print(f"FAILED {test.__name__}\n{traceback.format_exc(limit=-3)}")
        finally:
            shutil.rmtree(FOLDER, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
