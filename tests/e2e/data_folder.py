#!/usr/bin/env python3
"""`ebb run --data` and the commands that look into a data folder, as people use them.

    data_folder.py EBB

Ends in `N passed, N failed`.
"""
import gzip
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import e2e
from e2e import ebb, fails, rows_of, write

ENDLESS = """    - name: bid
      eventTime: {column: date_time}
      nexmark: {table: bid, events: 1000000000, eventsPerSecond: 1000, rate: 20000}
"""
COUNTS = ("SELECT window_start, bidder, count(*) AS n FROM tumble(bid, date_time, INTERVAL '1 hour') "
          "GROUP BY window_start, window_end, bidder")
SOME = "SELECT auction, price FROM bid WHERE auction % 50 = 0"


def stream(counts=COUNTS, extra="", source=ENDLESS):
    return e2e.manifest(source, {"counts": counts, "some": SOME},
                        "  sinks:\n    - {from: counts, discard: {}}\n"
                        "    - {from: some, file: {path: out.ndjson, format: json}}\n",
                        "  checkpoint: {interval: 100ms}\n" + extra)


class running:
    """A run in the background; interrupted at the end."""

    def __init__(self, *arguments):
        self.command = [e2e.EBB, "run", *arguments]

    def __enter__(self):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(self.command, cwd=e2e.FOLDER, text=True,
                                        stderr=subprocess.PIPE)
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=60)
        self.process.stderr.close()


def ask_socket(request):
    with socket.socket(socket.AF_UNIX) as door:
        door.connect(str(e2e.FOLDER / "d" / "control.sock"))
        door.sendall((json.dumps(request) + "\n").encode())
        with door.makefile() as answer:
            return json.loads(answer.readline())


def wait_for(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.05)
    raise AssertionError("it did not come about")


def checkpoints():
    run = ebb("checkpoints", "s", "--data", "d", "-o", "json")
    return json.loads(run.stdout)["items"] if run.returncode == 0 else []


def test_interrupt_checkpoints_and_the_next_run_goes_on():
    write("m.yaml", stream())
    for parallelism in ("1", "3", "2"):
        with running("m.yaml", "--data", "d", "--parallelism", parallelism) as run:
            before = max((x["epoch"] for x in checkpoints()), default=0)
            wait_for(lambda: max((x["epoch"] for x in checkpoints()), default=0) > before + 1)
            run.process.send_signal(signal.SIGINT)
            assert run.process.wait(timeout=60) == 130
    got = [tuple(row.values()) for row in rows_of("out.ndjson")]
    plain = stream(source=ENDLESS.replace("1000000000", "200000").replace(", rate: 20000", ""))
    write("plain.yaml", plain.replace("out.ndjson", "plain.ndjson"))
    assert ebb("run", "plain.yaml").returncode == 0
    whole = [tuple(row.values()) for row in rows_of("plain.ndjson")]
    assert got and len(got) < len(whole)
    assert sorted(got) == sorted(whole[:len(got)])


def test_savepoint_and_back():
    write("m.yaml", stream())
    with running("m.yaml", "--data", "d"):
        wait_for(checkpoints)
        made = ebb("savepoint", "s", "first", "--data", "d", "-o", "json")
        assert made.returncode == 0, made.stderr
        epoch = json.loads(made.stdout)["epoch"]
        fails(ebb("savepoint", "nobody", "x", "--data", "d"), 3, "no stream nobody", "these run: s")
        # A name that is taken; the stream goes on.
        fails(ebb("savepoint", "s", "first", "--data", "d"), 4, "savepoint named first", "another name")
        for name in ("", "x" * 130, "fresh", "latest-checkpoint", "a-", "a b", "a\nb", "Upper", "a/b"):
            fails(ebb("savepoint", "s", name, "--data", "d"), 2, "cannot be the name of a savepoint", "hint: ")
            told = ask_socket({"command": "savepoint", "stream": "s", "name": name})
            assert told["kind"] == "invalid" and "cannot be the name" in told["error"], told
        no_utf8 = os.fsdecode(b"\xff")
        fails(ebb("savepoint", "s", no_utf8, "--data", "d"), 2, "cannot be the name of a savepoint")
        fails(ebb("savepoint", no_utf8, "a", "--data", "d"), 3, "no stream", "these run: s")
        size = (e2e.FOLDER / "out.ndjson").stat().st_size
        wait_for(lambda: (e2e.FOLDER / "out.ndjson").stat().st_size > size)
        wait_for(lambda: max(x["epoch"] for x in checkpoints()) > epoch + 4)
    assert any(x.get("savepoint") == "first" and x["epoch"] == epoch for x in checkpoints())
    header, *lines = ebb("checkpoints", "s", "--data", "d").stdout.splitlines()
    assert header.split() == ["EPOCH", "TIME", "REASON", "TOOK", "ALIGN", "SNAPSHOT", "WRITE", "WRITTEN", "SEGMENTS", "STATE",
                              "GENERATION", "SAVEPOINT"], header
    taken = {}
    for line, at in ((line, at) for line in lines for at in ("TOOK", "ALIGN", "SNAPSHOT", "WRITE")):
        end = header.index(at) + len(at)
        taken.setdefault(line.split()[0], []).append(float(re.search(r"([\d.]+) ms$", line[:end])[1]))
    # Rounded each; the writing of the record belongs to the whole alone.
    assert all(took + 0.21 > align + snapshot + write > 0 for took, align, snapshot, write in taken.values()), taken
    fails(ebb("savepoint", "s", "late", "--data", "d"), 3, "no ebb run uses d")
    fails(ebb("run", "m.yaml", "--data", "d", "--from", "second"), 3, "no savepoint second", "first")
    fails(ebb("run", "m.yaml", "--data", "d", "--from", "first"), 4, "after savepoint first",
          "--sinks rewind")
    with running("m.yaml", "--data", "d", "--from", "first", "--sinks", "rewind"):
        wait_for(lambda: max(x["epoch"] for x in checkpoints()) > epoch + 2)
    rows = [tuple(row.values()) for row in rows_of("out.ndjson")]
    write("plain.yaml", stream(source=ENDLESS.replace("1000000000", "200000")
                               .replace(", rate: 20000", "")).replace("out.ndjson", "plain.ndjson"))
    assert ebb("run", "plain.yaml").returncode == 0
    whole = [tuple(row.values()) for row in rows_of("plain.ndjson")]
    assert rows == whole[:len(rows)]


def why(name="s"):
    run = ebb("why", name, "--data", "d", "-o", "json")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_orders_to_a_run():
    """sleep, wake, scale, restore: the process goes on, and no row is lost or doubled."""
    write("m.yaml", stream())
    write("both.yaml", stream() + "---\n" + stream().replace("metadata: {name: s}", "metadata: {name: other}")
          .replace("out.ndjson", "other.ndjson"))
    with running("both.yaml", "--data", "d", "--stats", "stats.json") as run:
        wait_for(checkpoints)
        assert why()["phase"] == "Running" and f"process {run.process.pid}" in why()["sentences"][0]
        assert ebb("wake", "s", "--data", "d").stdout == "stream s is awake: it was awake\n"
        slept = ebb("sleep", "s", "--data", "d", "-o", "json")
        assert slept.returncode == 0, slept.stderr
        told = json.loads(slept.stdout)
        assert (told["operation"], told["phase"], told["stream"]) == ("sleep", "Succeeded", "s") and told["finishedAt"]
        assert why()["phase"] == "Asleep" and why("other")["phase"] == "Running"
        fails(ebb("savepoint", "s", "x", "--data", "d"), 4, "is asleep")
        assert "it was asleep" in ebb("sleep", "s", "--data", "d").stdout
        size = (e2e.FOLDER / "out.ndjson").stat().st_size
        others = (e2e.FOLDER / "other.ndjson").stat().st_size
        wait_for(lambda: (e2e.FOLDER / "other.ndjson").stat().st_size > others)
        assert (e2e.FOLDER / "out.ndjson").stat().st_size == size
        # All of it sleeps: the process waits.
        assert ebb("sleep", "other", "--data", "d").returncode == 0 and run.process.poll() is None
        assert ebb("wake", "s", "--data", "d").returncode == 0
        wait_for(lambda: (e2e.FOLDER / "out.ndjson").stat().st_size > size)
        assert ebb("scale", "s", "3", "--data", "d").stdout == "stream s is scaled to 3\n"
        assert ebb("savepoint", "s", "here", "--data", "d").returncode == 0
        size = (e2e.FOLDER / "out.ndjson").stat().st_size
        wait_for(lambda: (e2e.FOLDER / "out.ndjson").stat().st_size > size)
        fails(ebb("restore", "s", "there", "--data", "d"), 3, "no savepoint there")
        fails(ebb("restore", "s", "here", "--data", "d"), 4, "after savepoint here", "--sinks rewind")
        fails(ebb("scale", "s", "129", "--data", "d"), 2)
        fails(ebb("scale", "nobody", "2", "--data", "d"), 3, "these run: s, other")
        back = ebb("restore", "s", "here", "--sinks", "rewind", "--data", "d")
        assert back.returncode == 0 and "restored to savepoint here" in back.stdout, back
        before = max(x["epoch"] for x in checkpoints())
        wait_for(lambda: max(x["epoch"] for x in checkpoints()) > before + 1)
        logged = ebb("logs", "s", "--data", "d").stdout
        for part in ("begins, with parallelism 1", "asleep, as a person asked", "scaled to 3", "goes back to savepoint here",
                     "going on from savepoint here"):
            assert part in logged, logged
        assert "other" not in ebb("logs", "s", "--data", "d", "-o", "json").stdout
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(timeout=60) == 130
    rows = [tuple(row.values()) for row in rows_of("out.ndjson")]
    write("plain.yaml", stream(source=ENDLESS.replace("1000000000", "400000")
                               .replace(", rate: 20000", "")).replace("out.ndjson", "plain.ndjson"))
    assert ebb("run", "plain.yaml").returncode == 0
    whole = [tuple(row.values()) for row in rows_of("plain.ndjson")]
    assert len(rows) > 10 and sorted(rows) == sorted(whole[:len(rows)])
    stats = json.loads((e2e.FOLDER / "stats.json").read_text())["streams"]
    assert {x["name"] for x in stats} == {"s", "other"}
    # Of all rounds: what was read again after the restore counts again.
    assert next(x for x in stats if x["name"] == "s")["sinks"][1]["rows"] >= len(rows)


def test_orders_where_nothing_runs():
    write("m.yaml", stream())
    with running("m.yaml", "--data", "d"):
        wait_for(checkpoints)
    told = why()
    assert (told["phase"], told["reason"]) == ("Asleep", "NotRunning"), told
    assert "no ebb run uses d" in told["sentences"][0] and "newest checkpoint is epoch" in told["sentences"][1]
    assert ebb("sleep", "s", "--data", "d").stdout == "stream s is asleep: no ebb run uses d\n"
    fails(ebb("wake", "s", "--data", "d"), 4, "no ebb run uses d", "ebb run FILE --data d")
    fails(ebb("scale", "s", "2", "--data", "d"), 4, "ebb run FILE --data d --parallelism 2")
    fails(ebb("restore", "s", "x", "--sinks", "keep", "--data", "d"), 4, "--from x --sinks keep")
    for command in (("why", "t"), ("logs", "t"), ("sleep", "t"), ("wake", "t"), ("scale", "t", "2"), ("restore", "t", "x")):
        fails(ebb(*command, "--data", "d"), 3, "no stream t", "its streams are s")
        fails(ebb(*command, "--data", "nowhere"), 3, "nowhere")
    write("end.yaml", stream(source=ENDLESS.replace("1000000000", "5000")).replace("name: s}", "name: e}"))
    assert ebb("run", "end.yaml", "--data", "d").returncode == 0
    assert why("e")["reason"] == "Completed"
    log = ebb("logs", "e", "--data", "d", "--level", "info", "--limit", "1")
    assert log.stdout.endswith("has completed\n") and len(log.stdout.splitlines()) == 1, log.stdout


def segment_bytes():
    return sum(x.stat().st_size for x in (e2e.FOLDER / "d").glob("streams/*/segments/*.seg"))


EACH = ("SELECT window_start, auction, bidder, count(*) AS n FROM tumble(bid, date_time, INTERVAL '1 hour') "
        "GROUP BY window_start, window_end, auction, bidder")


def with_each(extra="", operators=None):
    return e2e.manifest(ENDLESS.replace("rate: 20000", "rate: 100000"), operators or {"counts": COUNTS, "each": EACH},
                        "  sinks:\n" + "".join(f"    - {{from: {name}, discard: {{}}}}\n" for name in operators or ("counts", "each")),
                        "  checkpoint: {interval: 100ms}\n" + extra)


def rows_counted(operator):
    shown = ebb("inspect", "s", operator, "--data", "d", "-o", "json", "--limit", "10000000")
    assert shown.returncode == 0, shown.stderr
    found = [re.search(r"count=(\d+)", x["value"]) for x in json.loads(shown.stdout)["items"]]
    return sum(int(x[1]) for x in found if x)


def newest_epoch():
    return max((x["epoch"] for x in checkpoints()), default=0)


def run_for(epochs, *arguments):
    """What it said."""
    with running("m.yaml", "--data", "d", *arguments) as run:
        before = newest_epoch()
        wait_for(lambda: newest_epoch() > before)
        # A run's epochs begin with a block of its own.
        first = newest_epoch()
        wait_for(lambda: newest_epoch() >= first + epochs)
        run.process.send_signal(signal.SIGINT)
        _, said = run.process.communicate(timeout=60)
        assert run.process.returncode == 130, said
    return said


def test_the_state_of_an_operator_that_is_dropped_goes():
    write("m.yaml", with_each())
    run_for(12)
    whole = segment_bytes()
    assert rows_counted("each") == rows_counted("counts") > 0
    fewer = {"counts": COUNTS}
    write("m.yaml", with_each(operators=fewer))
    fails(ebb("run", "m.yaml", "--data", "d"), 4, "each/window aggregate/0 is gone", "onChange: reset")
    write("m.yaml", with_each("  onChange: reset\n", operators=fewer))
    said = run_for(6)
    assert "the state of operator each/window aggregate/0 is dropped" in said, said
    assert segment_bytes() < whole / 2, (segment_bytes(), whole)
    fails(ebb("inspect", "s", "each", "--data", "d"), 3, "the state of operator each was dropped")
    # Once it is gone nobody speaks of it again.
    assert "dropped" not in run_for(2)
    # Back under the same name it begins anew.
    before = rows_counted("counts")
    write("m.yaml", with_each())
    run_for(3)
    assert 0 < rows_counted("each") <= rows_counted("counts") - before
    run = ebb("verify", "--data", "d")
    assert run.returncode == 0, run.stdout


def test_a_savepoint_keeps_state_that_was_dropped_since():
    write("m.yaml", with_each())
    with running("m.yaml", "--data", "d"):
        wait_for(lambda: len(checkpoints()) > 2)
        made = ebb("savepoint", "s", "both", "--data", "d", "-o", "json")
        assert made.returncode == 0, made.stderr
    write("m.yaml", with_each("  onChange: reset\n", operators={"counts": COUNTS}))
    run_for(4)
    write("m.yaml", with_each())
    run_for(2)
    assert rows_counted("each") < rows_counted("counts")
    run_for(2, "--from", "both")
    assert rows_counted("each") == rows_counted("counts")


def test_rewind_takes_parts_back():
    write("m.yaml", stream().replace("path: out.ndjson", "path: out/"))
    with running("m.yaml", "--data", "d"):
        wait_for(checkpoints)
        made = ebb("savepoint", "s", "first", "--data", "d", "-o", "json")
        assert made.returncode == 0, made.stderr
        epoch = json.loads(made.stdout)["epoch"]
        wait_for(lambda: max(x["epoch"] for x in checkpoints()) > epoch + 3)
    parts = sorted((e2e.FOLDER / "out").glob("*.ndjson"))

    def epoch_of(path):
        return int(path.stem.rsplit("-", 1)[1])
    passed = [x.name for x in parts if epoch_of(x) > epoch]
    assert passed
    stranger = e2e.FOLDER / "out" / f"somebody-0-{epoch + 1}.ndjson"
    stranger.write_text("")
    said = run_for(2, "--from", "first", "--sinks", "rewind")
    assert f": {len(passed)} file" in said and f"had written after epoch {epoch}" in said, said
    there = {x.name for x in (e2e.FOLDER / "out").glob("*.ndjson")}
    assert not there & set(passed)
    assert stranger.exists()
    stranger.unlink()
    rows = sorted(tuple(row.values()) for x in (e2e.FOLDER / "out").glob("*.ndjson")
                  for row in rows_of("out/" + x.name))
    write("plain.yaml", stream(source=ENDLESS.replace("1000000000", "200000")
                               .replace(", rate: 20000", "")).replace("out.ndjson", "plain.ndjson"))
    assert ebb("run", "plain.yaml").returncode == 0
    whole = [tuple(row.values()) for row in rows_of("plain.ndjson")]
    assert rows == sorted(whole[:len(rows)])


def test_inspect_and_verify():
    write("m.yaml", stream())
    with running("m.yaml", "--data", "d"):
        wait_for(lambda: len(checkpoints()) > 1)
        # While it runs.
        shown = ebb("inspect", "s", "counts", "bidder=", "--data", "d", "-o", "json", "--limit", "7")
        assert shown.returncode == 0, shown.stderr
    entries = json.loads(shown.stdout)["items"]
    assert len(entries) == 7
    for limit in ("0", "-1", "x", "00", ""):
        fails(ebb("inspect", "s", "counts", "--data", "d", "--limit", limit), 2, "--limit", "a number from 1")
    for entry in entries:
        assert entry["key"].startswith("window_end=2015-07-15 01:00:00, window_start=2015-07-15 00:00:00, "
                                       "bidder="), entry
        assert re.fullmatch(r"count=\d{1,4}", entry["value"]), entry
    assert "watermark=2015-07-15" in ebb("inspect", "s", "bid", "--data", "d").stdout
    fails(ebb("inspect", "s", "some", "--data", "d"), 3, "operator some keeps no state", "counts")
    fails(ebb("inspect", "t", "counts", "--data", "d"), 3, "no stream t", "its streams are s")
    fails(ebb("checkpoints", "s", "--data", "nowhere"), 3, "nowhere")
    run = ebb("verify", "--data", "d")
    assert run.returncode == 0 and "control.mdb" in run.stdout and "entries" in run.stdout, run
    segment = next((e2e.FOLDER / "d").glob("streams/*/segments/*.seg"))
    with open(segment, "r+b") as file:
        file.seek(segment.stat().st_size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 64]))
    run = ebb("verify", "--data", "d", "-o", "json")
    fails(run, 1, "1 file is damaged")
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    assert lines[-1]["damaged"] == 1 and lines[-1]["files"] == len(lines) - 1, lines
    assert segment.name in run.stdout


def test_inspect_shows_rows_by_name():
    """Of every operator that keeps rows; nothing is left in hexadecimal."""
    second = ENDLESS.replace("name: bid", "name: other")
    top = ("SELECT bidder, price, r FROM (SELECT *, row_number() OVER (PARTITION BY window_start, "
           "window_end, auction ORDER BY price DESC) AS r "
           "FROM tumble(bid, date_time, INTERVAL '1 hour')) AS x WHERE r <= 2")
    over = ("SELECT bidder, row_number() OVER (PARTITION BY bidder ORDER BY date_time) AS n, "
            "sum(price) OVER (PARTITION BY bidder ORDER BY date_time) AS s, "
            "lag(price) OVER (PARTITION BY bidder ORDER BY date_time) AS l FROM bid")
    sessions = ("SELECT bidder, window_start, count(*) AS n "
                "FROM session(bid, date_time, INTERVAL '10 minutes') "
                "GROUP BY bidder, window_start, window_end")
    near = ("SELECT bid.auction, other.price FROM bid JOIN other ON bid.auction = other.auction "
            "AND other.date_time BETWEEN bid.date_time AND bid.date_time + INTERVAL '2 minutes'")
    both = ("SELECT x.auction, x.price, y.bidder FROM tumble(bid, date_time, INTERVAL '1 hour') AS x "
            "LEFT JOIN tumble(other, date_time, INTERVAL '1 hour') AS y ON x.auction = y.auction "
            "AND x.window_start = y.window_start AND x.window_end = y.window_end")
    shown_of = {"top": ["auction=", "price="], "over": ["bidder=", "price=", "peer groups=", "sum(price)="],
                "sessions": ["bidder=", "first=", "count="],
                "near": ["auction=", "settled=false", "price="],
                "both": ["window_end=", "join=waits", "bidder="]}
    queries = {"top": top, "over": over, "sessions": sessions, "near": near, "both": both}
    sinks = "  sinks:\n" + "".join(f"    - {{from: {x}, discard: {{}}}}\n" for x in queries)
    write("m.yaml", e2e.manifest(ENDLESS + second, queries, sinks,
                                 "  checkpoint: {interval: 100ms}\n"))
    with running("m.yaml", "--data", "d"):
        wait_for(lambda: max((x["epoch"] for x in checkpoints()), default=0) > 3)
    for name, parts in shown_of.items():
        run = ebb("inspect", "s", name, "--data", "d", "-o", "json", "--limit", "100000")
        assert run.returncode == 0, run.stderr
        text = ""
        for entry in json.loads(run.stdout)["items"]:
            assert "\\x" not in entry["key"] + entry["value"], entry
            assert "state " not in entry["state"], entry
            text += f"{entry['key']}, {entry['value']}\n"
        for part in parts:
            assert part in text, f"{part} is not in {text[:2000]}"


QUIET = """    - name: {0}
      schema: at TIMESTAMP NOT NULL, k BIGINT NOT NULL
      eventTime: {{column: at, maxDelay: 0s}}
      file: {{path: {0}.csv, format: csv, follow: true}}
"""


def test_a_quiet_source_holds_nothing_back_after_a_restart():
    """What it had promised counts at once; no row of it comes."""
    write("a.csv", "at,k\n2024-01-01 00:00:01,1\n2024-01-01 01:00:00,1\n")
    write("b.csv", "at,k\n2024-01-01 00:00:02,1\n")
    # Between the sources and the join nothing remembers watermarks.
    join = ("SELECT x.k AS k, x.at AS xat, y.at AS yat FROM tumble(a, at, INTERVAL '1 minute') AS x "
            "JOIN tumble(b, at, INTERVAL '1 minute') AS y "
            "ON x.k = y.k AND x.window_start = y.window_start AND x.window_end = y.window_end")
    write("m.yaml", e2e.manifest(QUIET.format("a") + QUIET.format("b"), {"both": join},
                                 "  sinks:\n    - {from: both, file: {path: out.ndjson, format: json}}\n",
                                 "  checkpoint: {interval: 100ms}\n"))
    for parallelism in ("1", "2"):
        with running("m.yaml", "--data", "d", "--parallelism", parallelism):
            before = max((x["epoch"] for x in checkpoints()), default=0)
            wait_for(lambda: max((x["epoch"] for x in checkpoints()), default=0) > before)
            time.sleep(0.5)
            if parallelism == "1":
                continue
            with open(e2e.FOLDER / "b.csv", "a", encoding="utf-8") as file:
                file.write("2024-01-01 00:30:00,1\n")
            wait_for(lambda: (e2e.FOLDER / "out.ndjson").exists() and rows_of("out.ndjson"), 20)
    assert [tuple(row.values()) for row in rows_of("out.ndjson")] == [
        (1, "2024-01-01T00:00:01", "2024-01-01T00:00:02")], rows_of("out.ndjson")


def test_a_finished_stream_says_so():
    write("m.yaml", stream(source=ENDLESS.replace("1000000000", "5000")))
    assert ebb("run", "m.yaml", "--data", "d").returncode == 0
    size = (e2e.FOLDER / "out.ndjson").stat().st_size
    run = ebb("run", "m.yaml", "--data", "d")
    assert run.returncode == 0 and "has finished before; input that came later is not read" in run.stderr
    assert "--from fresh --yes" in run.stderr and "follow" not in run.stderr, run.stderr
    assert (e2e.FOLDER / "out.ndjson").stat().st_size == size
    fails(ebb("run", "m.yaml", "--data", "d", "--from", "fresh"), 4, "there is state", "--yes")
    assert ebb("run", "m.yaml", "--data", "d", "--from", "fresh", "--yes").returncode == 0
    assert (e2e.FOLDER / "out.ndjson").stat().st_size == size


def test_output_that_cannot_be_written():
    write("m.yaml", stream(source=ENDLESS.replace("1000000000", "5000")))
    assert ebb("run", "m.yaml", "--data", "d").returncode == 0
    for command in (("version",), ("--help",), ("completion", "bash"), ("explain", "m.yaml"), ("verify", "--data", "d"),
                    ("checkpoints", "s", "--data", "d"), ("inspect", "s", "counts", "--data", "d")):
        for where in (">/dev/full", ">&-"):
            run = subprocess.run(["sh", "-c", f'exec "$0" "$@" {where}', e2e.EBB, *command], cwd=e2e.FOLDER, text=True,
                                 stderr=subprocess.PIPE, timeout=60, check=False)
            fails(run, 1, "error: cannot write the output")
        with subprocess.Popen([e2e.EBB, *command], cwd=e2e.FOLDER, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
            run.stdout.close()
            said = run.stderr.read()
        assert run.returncode in (0, -signal.SIGPIPE) and not said, (command, run.returncode, said)
    run = ebb("verify", "--data", "d")
    assert run.returncode == 0, run.stdout


def test_fresh_names_what_goes_and_what_stays():
    write("m.yaml", stream().replace("path: out.ndjson", "path: out/"))
    with running("m.yaml", "--data", "d"):
        wait_for(checkpoints)
        for name in ("one", "two"):
            made = ebb("savepoint", "s", name, "--data", "d")
            assert made.returncode == 0, made.stderr
        wait_for(lambda: list((e2e.FOLDER / "out").glob("*.ndjson")))
    left = list((e2e.FOLDER / "out").glob("*.ndjson"))
    uid = left[0].name.rsplit("-", 2)[0]
    fails(ebb("run", "m.yaml", "--data", "d", "--from", "fresh"), 4, "there is state", "savepoints one, two", "--yes")
    write("m.yaml", stream(source=ENDLESS.replace("1000000000", "5000")).replace("path: out.ndjson", "path: out/"))
    run = ebb("run", "m.yaml", "--data", "d", "--from", "fresh", "--yes")
    assert run.returncode == 0 and "savepoints one, two" in run.stderr, run.stderr
    parts = f"{len(left)} part" + ("s" if len(left) > 1 else "")
    assert f"out/ still has {parts} of the run whose state was dropped" in run.stderr, run.stderr
    assert f"remove out/{uid}-*," in run.stderr, run.stderr
    for part in left:
        part.unlink()
    for part in (e2e.FOLDER / "out").glob("*.ndjson"):
        part.unlink()
    run = ebb("run", "m.yaml", "--data", "d", "--from", "fresh", "--yes")
    assert run.returncode == 0 and "still has" not in run.stderr, run.stderr


def test_fresh_drops_nothing_for_a_stream_that_cannot_begin():
    write("m.yaml", e2e.manifest(e2e.numbers(), "SELECT a FROM src",
                                 "  sinks:\n    - file: {path: out.ndjson, format: json}\n"))
    assert ebb("run", "m.yaml", "--data", "d").returncode == 0
    os.rename(e2e.FOLDER / "in.csv", e2e.FOLDER / "away.csv")
    run = ebb("run", "m.yaml", "--data", "d", "--from", "fresh", "--yes")
    assert run.returncode == 2 and "in.csv" in run.stderr and "dropped" not in run.stderr, run.stderr
    os.rename(e2e.FOLDER / "away.csv", e2e.FOLDER / "in.csv")
    run = ebb("run", "m.yaml", "--data", "d")
    assert run.returncode == 0 and "has finished before" in run.stderr, run.stderr


def test_a_savepoint_that_cannot_be_gone_back_to_changes_nothing():
    write("m.yaml", e2e.manifest(e2e.numbers().replace("format: csv", "format: csv, follow: true"), "SELECT a FROM src",
                                 "  sinks:\n    - file: {path: out.ndjson, format: json}\n",
                                 "  checkpoint: {interval: 100ms}\n"))
    out = e2e.FOLDER / "out.ndjson"
    with running("m.yaml", "--data", "d"):
        wait_for(lambda: out.exists() and out.read_bytes().count(b"\n") == 2)
        assert ebb("savepoint", "s", "one", "--data", "d").returncode == 0
        with open(e2e.FOLDER / "in.csv", "a", encoding="utf-8") as more:
            more.write("3,z\n")
        wait_for(lambda: out.read_bytes().count(b"\n") == 3)
    ours, kept = out.read_bytes(), checkpoints()

    def refused(code, *words):
        for how in ("rewind", "keep"):
            before = out.read_bytes()
            fails(ebb("run", "m.yaml", "--data", "d", "--from", "one", "--sinks", how), code, *words)
            assert out.read_bytes() == before and checkpoints() == kept
    os.rename(e2e.FOLDER / "in.csv", e2e.FOLDER / "away.csv")
    refused(2, "in.csv")
    os.rename(e2e.FOLDER / "away.csv", e2e.FOLDER / "in.csv")
    out.write_bytes(b"x" * 1000)
    refused(4, "out.ndjson", "put the file back")
    out.write_bytes(ours)


def everything():
    """Digests of the data folder, but what a start that is refused may write (its log and its locks), and of all else."""
    def free(path):
        return path.name in ("run.log", "control.lock", "control.mdb-lock")
    return {str(path.relative_to(e2e.FOLDER)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(e2e.FOLDER.rglob("*"))
            if path.is_file() and not free(path) and path.suffix not in (".yaml", ".stats")}


def followed(name, counted=False, sink="{path: %s.ndjson, format: json}"):
    """A stream of rows that come later, too, perhaps with state."""
    sql = "SELECT a, count(*) AS n FROM src GROUP BY a" if counted else "SELECT a FROM src"
    if counted:
        sink = sink.replace("json}", "debezium}")
    text = e2e.manifest(e2e.numbers().replace("format: csv", "format: csv, follow: true"), sql,
                        f"  sinks:\n    - {{name: out, file: {sink % name}}}\n",
                        "  checkpoint: {interval: 100ms}\n")
    return text.replace("{name: s}", "{name: %s}" % name)


def test_a_start_that_is_refused_drops_nothing():
    """Of no stream of the run: neither state, nor savepoints, nor output."""
    (e2e.FOLDER / "sub").mkdir()
    one, two = followed("s", counted=True), followed("t", sink="{path: sub/%s.ndjson, format: json}")
    write("m.yaml", one + "---\n" + two)
    outs = [e2e.FOLDER / "s.ndjson", e2e.FOLDER / "sub" / "t.ndjson"]
    with running("m.yaml", "--data", "d"):
        wait_for(lambda: all(x.exists() and x.read_bytes().count(b"\n") == 2 for x in outs))
        for name in ("s", "t"):
            assert ebb("savepoint", name, "one", "--data", "d").returncode == 0
        with open(e2e.FOLDER / "in.csv", "a", encoding="utf-8") as more:
            more.write("3,z\n")
        wait_for(lambda: all(x.read_bytes().count(b"\n") == 3 for x in outs))
    # The state of the first has other keys now.
    other = one.replace("SELECT a, count(*) AS n FROM src GROUP BY a", "SELECT b, count(*) AS n FROM src GROUP BY b")
    assert other != one
    write("reset.yaml", other.replace("  checkpoint:", "  onChange: reset\n  checkpoint:") + "---\n" + two)
    starts = [("m.yaml", "--from", "fresh", "--yes"), ("m.yaml", "--from", "one", "--sinks", "rewind"),
              ("m.yaml", "--from", "one", "--sinks", "keep"), ("reset.yaml",)]

    def refused(code, *words, but=()):
        before = everything()
        for manifest, *how in starts:
            if manifest in but or how[1:2] == ["fresh"] and "fresh" in but:
                continue
            fails(ebb("run", manifest, "--data", "d", *how), code, *words)
            after = everything()
            changed = [x for x in before.keys() | after.keys() if before.get(x) != after.get(x)]
            assert not changed, (manifest, how, words, changed)

    # An input that is gone.
    os.rename(e2e.FOLDER / "in.csv", e2e.FOLDER / "away.csv")
    refused(2, "in.csv")
    os.rename(e2e.FOLDER / "away.csv", e2e.FOLDER / "in.csv")
    # The folder of the second stream's file.
    os.rename(e2e.FOLDER / "sub", e2e.FOLDER / "away")
    refused(2, "sink out: cannot write sub/t.ndjson", "does not exist")
    os.rename(e2e.FOLDER / "away", e2e.FOLDER / "sub")
    # Its file is another one: to begin anew is what is left.
    ours = outs[1].read_bytes()
    for bad in (ours[:4], b"x" * len(ours)):
        outs[1].write_bytes(bad)
        refused(4, "sink out: sub/t.ndjson", but=("fresh",))
    outs[1].write_bytes(ours)
    # Somebody else writes it.
    write("other.yaml", e2e.manifest(ENDLESS, SOME, "  sinks:\n    - file: {path: sub/t.ndjson, format: json}\n",
                                     "  checkpoint: {interval: 100ms}\n").replace("{name: s}", "{name: other}"))
    with running("other.yaml", "--data", "e") as run:
        wait_for(lambda: outs[1].read_bytes() != ours)
        run.process.send_signal(signal.SIGSTOP)
        refused(4, "cannot write sub/t.ndjson", f"in process {run.process.pid}", but=("m.yaml", "reset.yaml"))
        refused(4, "sub/t.ndjson", but=("fresh",))
        run.process.send_signal(signal.SIGCONT)
    outs[1].write_bytes(ours)
    # As it was, all of it can be done.
    for manifest, *how in starts[1:] + starts[:1]:
        with running(manifest, "--data", "d", *how) as run:
            time.sleep(1)
            assert run.process.poll() is None, run.process.stderr.read()


def test_savepoints_that_were_given_up_are_marked():
    write("m.yaml", followed("s"))
    out = e2e.FOLDER / "s.ndjson"
    with running("m.yaml", "--data", "d"):
        for name in ("one", "two"):
            with open(e2e.FOLDER / "in.csv", "a", encoding="utf-8") as more:
                more.write("3,z\n")
            wait_for(lambda: out.exists() and out.read_bytes().count(b"\n") == 3 + (name == "two"))
            assert ebb("savepoint", "s", name, "--data", "d").returncode == 0
    assert "given up" not in ebb("checkpoints", "s", "--data", "d").stdout
    with running("m.yaml", "--data", "d", "--from", "one", "--sinks", "rewind"):
        wait_for(lambda: any(x.get("givenUp") for x in checkpoints()))
    assert {x["savepoint"]: x.get("givenUp", False) for x in checkpoints() if "savepoint" in x} == {"one": False, "two": True}
    listed = ebb("checkpoints", "s", "--data", "d").stdout
    assert "two (given up)" in listed and "one (given up)" not in listed, listed


def test_an_order_that_is_refused_drops_nothing():
    """The stream that runs goes on."""
    write("m.yaml", followed("s"))
    out = e2e.FOLDER / "s.ndjson"
    with running("m.yaml", "--data", "d"):
        wait_for(lambda: out.exists() and out.read_bytes().count(b"\n") == 2)
        assert ebb("savepoint", "s", "one", "--data", "d").returncode == 0
        with open(e2e.FOLDER / "in.csv", "a", encoding="utf-8") as more:
            more.write("3,z\n")
        wait_for(lambda: out.read_bytes().count(b"\n") == 3)
        ours = out.read_bytes()
        out.write_bytes(b"x" * len(ours))
        for how in ("rewind", "keep"):
            fails(ebb("restore", "s", "one", "--sinks", how, "--data", "d"), 4, "sink out: s.ndjson", "put the file back")
            assert out.read_bytes() == b"x" * len(ours)
        out.write_bytes(ours)
        assert ebb("restore", "s", "one", "--sinks", "rewind", "--data", "d").returncode == 0
        wait_for(lambda: out.read_bytes() == ours)


def test_a_finished_stream_does_not_read_what_came_later():
    (e2e.FOLDER / "in").mkdir()
    write("in/a.csv", "id\n1\n")
    write("m.yaml", e2e.manifest("    - {name: t, schema: id BIGINT, file: {path: in/, format: csv}}\n",
                                 {"all": "SELECT id FROM t"}, "  sinks:\n    - {file: {path: out.ndjson, format: json}}\n"))
    assert ebb("run", "m.yaml", "--data", "d").returncode == 0
    write("in/b.csv", "id\n2\n")
    run = ebb("run", "m.yaml", "--data", "d")
    assert run.returncode == 0 and "input that came later is not read" in run.stderr, run.stderr
    assert "--from fresh --yes" in run.stderr and "follow: true" in run.stderr, run.stderr
    assert len(rows_of("out.ndjson")) == 1
    assert ebb("run", "m.yaml", "--data", "d", "--from", "fresh", "--yes").returncode == 0
    assert len(rows_of("out.ndjson")) == 2


def test_changed_manifests():
    write("m.yaml", stream())
    with running("m.yaml", "--data", "d"):
        wait_for(checkpoints)
    write("wider.yaml", stream(COUNTS.replace("1 hour", "2 hours")))
    fails(ebb("run", "wider.yaml", "--data", "d"), 4, "counts/window aggregate/0", "onChange: reset",
          "window tumble of 2 hours, before tumble of 1 hour")
    write("groups.yaml", stream(extra="  maxParallelism: 64\n"))
    fails(ebb("run", "groups.yaml", "--data", "d"), 4, "128 key groups", "64")
    write("reset.yaml", stream(COUNTS.replace("1 hour", "2 hours"), "  onChange: reset\n"))
    with running("reset.yaml", "--data", "d") as run:
        before = max(x["epoch"] for x in checkpoints())
        wait_for(lambda: max(x["epoch"] for x in checkpoints()) > before)
        run.process.send_signal(signal.SIGINT)
        assert run.process.wait(timeout=60) == 130
        assert "the state of operator counts/window aggregate/0 is dropped" in run.process.stderr.read()
    # What no state depends on may change.
    write("other.yaml", stream(COUNTS.replace("1 hour", "2 hours")).replace("% 50", "% 51"))
    with running("other.yaml", "--data", "d") as run:
        before = max(x["epoch"] for x in checkpoints())
        wait_for(lambda: max(x["epoch"] for x in checkpoints()) > before)


def test_expressions_over_what_updates():
    sums = "SELECT auction, sum(price) AS s FROM bid GROUP BY auction"
    sink = "  sinks:\n    - {name: out, file: {path: out.json, format: debezium}}\n"

    def manifest(sql, extra=""):
        write("m.yaml", e2e.manifest(ENDLESS, {"sums": sql}, sink, "  checkpoint: {interval: 100ms}\n" + extra))

    manifest(sums)
    run_for(2)
    before = (e2e.FOLDER / "out.json").read_bytes()
    more = sums.replace("sum(price)", "sum(price) + 1000")
    for changed in (more, sums + " HAVING sum(price) > 1000", sums.replace("AS s", "AS t")):
        manifest(changed)
        fails(ebb("run", "m.yaml", "--data", "d"), 4, "sink out takes changes of other rows", "before auction, sum AS s",
              "--from fresh --yes", "a stream of another name", "onChange: reset")
    assert (e2e.FOLDER / "out.json").read_bytes() == before
    manifest(sums.replace("SELECT", "-- in other words\nselect").replace("AS s", "as S"))
    run_for(2)
    manifest(more, "  onChange: reset\n")
    assert "the state of operator sums/group aggregate/0 is dropped" in run_for(2)


def test_output_that_another_file_took_the_place_of():
    write("m.yaml", stream())
    run_for(2)
    out = e2e.FOLDER / "out.ndjson"
    ours = out.read_bytes()
    other = b"of somebody else\n" * (len(ours) // 10 + 100)
    out.write_bytes(other)
    fails(ebb("run", "m.yaml", "--data", "d"), 4, "out.ndjson was changed or replaced", "put the file back as it was",
          "another path", "--from fresh")
    assert out.read_bytes() == other
    # What was appended by others goes, as ever: the stream's own bytes are there.
    out.write_bytes(ours + b"more\n")
    run_for(2)
    assert out.read_bytes().startswith(ours) and b"more" not in out.read_bytes()


def test_a_file_goes_on_with_another_delivery():
    manifest = """apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: s}
spec:
  checkpoint: {interval: 100ms, mode: %s}
  sources:
    - {name: t, schema: n BIGINT, generator: {rate: 2000, columns: {n: "n"}}}
  sinks:
    - file: {path: %s, format: %s}
"""
    for path in ("out.ndjson", "out.ndjson.gz", "out.csv"):
        size = 0
        for mode in ("at-least-once", "exactly-once") * 2:
            write("m.yaml", manifest % (mode, path, "csv" if path.endswith("csv") else "json"))
            if not (e2e.FOLDER / "d").exists():
                with running("m.yaml", "--data", "d") as run:
                    wait_for(lambda: len(checkpoints()) > 1)
                    run.process.send_signal(signal.SIGINT)
                    assert run.process.wait(60) == 130
            run_for(2)
            raw = (e2e.FOLDER / path).read_bytes()
            lines = (gzip.decompress(raw) if path.endswith("gz") else raw).decode().splitlines()
            rows = [int(x) for x in lines[1:]] if path.endswith("csv") else [json.loads(x)["n"] for x in lines]
            assert rows == list(range(rows[0], rows[0] + len(rows))) and rows[0] <= 1, (mode, path, len(rows), next((rows[i-1:i+2] for i in range(1, len(rows)) if rows[i] != rows[i-1] + 1), rows[:2]))
            assert len(rows) > size, (mode, path, size, len(rows))
            size = len(rows)
        shutil.rmtree(e2e.FOLDER / "d")


def test_one_stream_a_file():
    write("m.yaml", stream())
    other = stream().replace("{name: s}", "{name: t}")
    write("other.yaml", other)
    write("once.yaml", other.replace("interval: 100ms", "interval: 100ms, mode: at-least-once"))
    write("null.yaml", other.replace("out.ndjson", "/dev/null"))
    with running("m.yaml", "--data", "d") as run:
        wait_for(lambda: len(checkpoints()) > 1)
        told = f"cannot write out.ndjson: another stream is writing it, in process {run.process.pid}"
        fails(ebb("run", "other.yaml", "--data", "e"), 4, told, "wait until it has finished, or write to another path")
        fails(ebb("run", "other.yaml"), 4, told)
        fails(ebb("run", "once.yaml", "--data", "e2"), 4, told)
        with running("null.yaml", "--data", "e3") as beside:
            time.sleep(1)
            assert beside.process.poll() is None
        assert not (e2e.FOLDER / "out.ndjson.part").exists()
    with running("once.yaml", "--data", "e2") as run:
        wait_for(lambda: "epoch" in ebb("checkpoints", "t", "--data", "e2", "-o", "json").stdout)
        fails(ebb("run", "other.yaml", "--data", "e"), 4,
              f"another stream is writing it, in process {run.process.pid}")


def test_a_copied_folder_is_another_writer():
    write("m.yaml", stream())
    arguments = ("m.yaml", "--data", "d")
    with running(*arguments):
        wait_for(lambda: len(checkpoints()) > 1)
    shutil.copytree(e2e.FOLDER / "d", e2e.FOLDER / "copy")
    out = e2e.FOLDER / "out.ndjson"
    size = out.stat().st_size
    with running(*arguments) as run:
        wait_for(lambda: out.stat().st_size > size)
        for stopped in (False, True):
            if stopped:
                run.process.send_signal(signal.SIGSTOP)
            fails(ebb("run", "m.yaml", "--data", "copy"), 4, "cannot write out.ndjson", f"in process {run.process.pid}")
        run.process.send_signal(signal.SIGCONT)


def test_one_process_a_folder():
    write("m.yaml", stream())
    with running("m.yaml", "--data", "d") as run:
        wait_for(checkpoints)
        fails(ebb("run", "m.yaml", "--data", "d"), 4, str(run.process.pid))
    fails(ebb("run", "m.yaml", "--from", "fresh"), 2, "--data")


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
