#!/usr/bin/env python3
"""service_observe.py EBB: what a service tells of wakes, checkpoints and damage, and how it keeps what it has
promised when processes die or freeze. Ends in `N passed, N failed`."""
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import e2e
from service import Service, wait_for

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"

# Its output waits for a checkpoint that is far.
WIDE = """apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: wide}
spec:
  checkpoint: {interval: 1h}
  sources:
    - name: s
      schema: a BIGINT
      generator: {rows: 100000, columns: {a: "n"}}
  operators:
    - name: rows
      sql: SELECT a, repeat('x', 100) AS x FROM s
  sinks:
    - name: parts
      file: {path: out/, format: json}
"""

MANIFEST = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: in}
spec: {schema: "id BIGINT, at TIMESTAMP"}
---
apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: out}
spec: {schema: "id BIGINT"}
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: copy}
spec:
  checkpoint: {interval: 100ms}
  sleep: {idleAfter: IDLE}
  parallelism: 2
  sources:
    - name: s
      schema: id BIGINT, at TIMESTAMP
      eventTime: {column: at}
      topic: {name: in}
  operators:
    - name: all
      sql: SELECT id FROM s
    - name: counts
      sql: SELECT window_start, id, count(*) AS n FROM tumble(s, at, INTERVAL '1 day') GROUP BY window_start, id
  sinks:
    - from: all
      topic: {name: out}
    - name: windows
      from: counts
      discard: {}
"""


def serve(service, idle="1s"):
    answer = service.apply(MANIFEST.replace("IDLE", idle))
    assert answer.status == 200, answer


def send(service, first, last, **headers):
    body = "".join(f'{{"id":{i},"at":"2026-01-01T00:00:00"}}\n' for i in range(first, last))
    service.post("in", body, **headers)


def results(service, count, seconds=20):
    wait_for(lambda: len(service.messages("out")) >= count, seconds)
    return sorted(x["id"] for x in service.messages("out"))


def good(answer):
    assert answer.status == 200, answer
    return answer.json()


def metric(service, name):
    """Values of a metric by its labels."""
    text = service.ask("GET", "/metrics").body.decode()
    assert f"# HELP {name.removesuffix('_count')} " in text, name
    return {labels: float(value) for labels, value in re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", text, re.M)}


def test_a_wake_tells_its_request_and_its_moments():
    with Service() as service:
        serve(service)
        service.wait_phase("copy", "Asleep")
        send(service, 0, 10, traceparent=PARENT)
        assert results(service, 10) == list(range(10))
        service.wait_phase("copy", "Asleep")
        wake = good(service.ask("GET", "/v1/streams/copy/wakes"))["items"][0]
        assert wake["cause"] == "InputArrived" and wake["traceId"] == TRACE and wake["traceparent"] == PARENT, wake
        at = wake["millisAfterTrigger"]
        assert at["decide"] <= at["grant"] <= at["place"] <= at["map"] <= at["firstRecord"] <= at["firstOutput"], at
        # Not when a look came by, every 100 ms: the moment itself.
        assert at["firstRecord"] - at["map"] < 60, at
        listed = e2e.ebb("get", "wakes", "copy", "-o", "json")
        assert listed.returncode == 0 and TRACE in listed.stdout, listed
        lines = [json.loads(x) for x in
                 e2e.ebb("logs", "copy", "--level", "debug", "-o", "json").stdout.splitlines()]
        assert any(x.get("traceId") == TRACE and "Waking" in x["message"] for x in lines), lines
        # A person's order, without a trace of its own: one is made.
        assert e2e.ebb("wake", "copy").returncode == 0
        service.wait_phase("copy", "Asleep")
        wake = good(service.ask("GET", "/v1/streams/copy/wakes"))["items"][0]
        assert wake["cause"] == "Requested" and wake["traceId"] not in ("", TRACE), wake


def test_checkpoints_tell_their_phases_and_sizes():
    with Service() as service:
        serve(service, "never")
        service.wait_phase("copy", "Running")
        send(service, 0, 20_000)
        results(service, 20_000)
        wait_for(lambda: service.stream("copy")["status"].get("checkpoint", {}).get("bytes", 0) > 0)
        time.sleep(0.5)
        send(service, 0, 1)
        results(service, 20_001)
        time.sleep(0.5)
        checkpoint = service.stream("copy")["status"]["checkpoint"]
        newest = good(service.ask("GET", "/v1/streams/copy/checkpoints"))["items"][0]
        if newest["epoch"] == checkpoint["epoch"]:
            assert checkpoint["bytes"] == newest["stateBytes"], (checkpoint, newest)
            assert checkpoint["deltaBytes"] == newest["writtenBytes"], (checkpoint, newest)
        # The state is that of 20,000 keys, whatever was written last.
        assert checkpoint["bytes"] > 100_000, checkpoint
        assert set(newest["phaseMillis"]) == {"align", "snapshot", "write"}, newest
        assert abs(sum(newest["phaseMillis"].values()) - newest["millis"]) < 0.01, newest
        seconds = metric(service, "ebb_checkpoint_seconds_count")
        for phase in ("align", "snapshot", "write", "commit", "apply"):
            assert seconds[f'phase="{phase}"'] > 0, seconds
        labels = 'namespace="default",stream="copy"'
        assert metric(service, "ebb_stream_batches")[labels] > 0
        assert metric(service, "ebb_stream_credit_blocked_seconds")[labels] >= 0


def test_a_service_that_was_ended_is_no_crash():
    def why():
        status = service.stream("copy")["status"]
        return status["phase"] == "Running" and status["reason"]

    with Service() as service:
        serve(service, "never")
        send(service, 0, 10)
        results(service, 10)
        service.stop()
        service.start()
        assert wait_for(why) == "Restarted"
        assert "the service was ended and started again" in e2e.ebb("why", "copy").stdout
        send(service, 10, 20)
        results(service, 20)
        decisions = service.ask("GET", "/v1/streams/copy/decisions?limit=20").json()["items"]
        assert any(x["reason"] == "Restarted" for x in decisions), decisions
        assert not any(x["reason"] == "WorkerLost" for x in decisions), decisions
        # Killed, with all of its workers, it has not been ended.
        before = service.workers()
        service.kill()
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        service.start()
        assert wait_for(why) == "WorkerLost"


def log_lines(service):
    return [json.loads(line) for line in service.said().splitlines()]


def test_off_a_terminal_a_line_is_an_object():
    with Service() as service:
        serve(service)
        service.post("in", '{"id":1,"at":"2024-01-01T00:00:00"}\n', Ebb_Producer="p", Ebb_Sequence="0", traceparent=PARENT)
        results(service, 1)
        service.wait_phase("copy", "Asleep")
        service.post("in", '{"id":2,"at":"2024-01-01T00:00:00"}\n', Ebb_Producer="p", Ebb_Sequence="1", traceparent=PARENT)
        results(service, 2)
        service.stop()
        lines = log_lines(service)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", x["time"]) and x["message"]
               and x["level"] in ("info", "warning", "error") for x in lines), lines
    assert lines[0]["url"] == service.url and lines[0]["data"].endswith("/data"), lines[0]
    woken = [x for x in lines if x.get("traceId") == TRACE]
    assert woken and all(x["stream"] == "copy" and x["namespace"] == "default" for x in woken), lines
    assert any(x.get("generation") and x.get("epoch") for x in lines), lines
    assert any("worker-" in x.get("worker", "") for x in lines), lines
    # For people, as on a terminal.
    with Service("--log-format", "text", data="other") as service:
        service.log = e2e.FOLDER / "other.log"
        service.stop()
        service.start()
        said = service.said()
        assert said.startswith("ebb serves 0 streams at http://") and "\nnext: ebb apply" in said, said


def test_a_restore_that_was_promised_is_done():
    """The control process is killed right behind its answer."""
    with Service() as service:
        serve(service, "never")
        service.wait_phase("copy", "Running")
        send(service, 0, 50)
        results(service, 50)
        assert e2e.ebb("savepoint", "copy", "fifty").returncode == 0
        send(service, 50, 60)
        results(service, 60)
        refused = e2e.ebb("restore", "copy", "fifty", "--sinks", "rewind")
        assert refused.returncode != 0 and "--sinks keep" in refused.stderr and "another topic" in refused.stderr, refused
        e2e.ebb("wake", "copy")
        service.wait_phase("copy", "Running")
        begun = service.ask("POST", "/v1/streams/copy:restore?savepoint=fifty&sinks=keep")
        assert begun.status == 202, begun
        service.kill()
        service.start()
        expected = sorted(list(range(60)) + list(range(50, 60)))
        assert results(service, 70) == expected
        time.sleep(1)
        # Once: another start goes on from where that one is.
        service.kill()
        service.start()
        service.wait_phase("copy", "Running")
        send(service, 60, 61)
        assert results(service, 71) == sorted(expected + [60])
        said = "".join(x.read_text() for x in (e2e.FOLDER / "data/logs").glob("worker-*"))
        assert "copy: going on from savepoint fifty" in said, said


def test_a_full_disk_under_output_shows():
    """What the run says under its output is a condition of the stream, and goes with its cause."""
    disk = e2e.FOLDER / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", disk],
                                           capture_output=True).returncode != 0:
        print("  (not tried: no right to mount a small disk)")
        return
    files = disk / "files"
    files.mkdir()

    def degraded():
        return next(x for x in service.stream("wide")["status"]["conditions"] if x["type"] == "Degraded")

    try:
        with Service("--files", files) as service:
            assert service.apply(WIDE).status == 200
            wait_for(lambda: degraded()["status"] == "True", 30)
            found = degraded()
            assert found["reason"] == "CheckpointHeldUp" and "waits: cannot write" in found["message"], found
            assert "No space left on device" in found["message"], found
            assert "waits: cannot write" in e2e.ebb("why", "wide").stdout
            assert subprocess.run(["mount", "-o", "remount,size=64m", disk]).returncode == 0
            wait_for(lambda: service.stream("wide")["status"]["reason"] == "Completed", 60)
            assert degraded()["status"] == "False", degraded()
        rows = [json.loads(line)["a"] for part in sorted((files / "out").iterdir()) for line in part.open()]
        assert sorted(rows) == list(range(100000)), len(rows)
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def test_a_full_disk_is_not_ready():
    """Whoever asks before sending is told why, and when there is room again."""
    disk = e2e.FOLDER / "disk"
    disk.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk],
                                           capture_output=True).returncode != 0:
        print("  (not tried: no right to mount a small disk)")
        return
    try:
        with Service(data="disk/data") as service:
            serve(service)
            send(service, 0, 10)
            assert service.ask("GET", "/readyz").status == 200
            with open(disk / "other", "wb", buffering=0) as other, contextlib.suppress(OSError):
                while True:
                    other.write(bytes(4096))
            answer = wait_for(lambda: (x := service.ask("GET", "/readyz")).status != 200 and x)
            assert answer.status == 503 and answer.headers["Retry-After"] == "1", answer
            said = answer.json()
            assert said["type"].endswith("/not-ready") and "No space left on device" in said["detail"], said
            assert "make room" in said["hint"], said
            assert service.ask("GET", "/healthz").status == 200
            (disk / "other").unlink()
            wait_for(lambda: service.ask("GET", "/readyz").status == 200)
            send(service, 10, 20)
            results(service, 20)
            assert not list((disk / "data").glob(".probe*"))
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def test_a_restore_takes_parts_back():
    files = e2e.FOLDER / "files"
    files.mkdir()

    def ids():
        return sorted(json.loads(line)["id"] for path in (files / "parts").glob("*.ndjson")
                      for line in path.read_text().splitlines())
    with Service("--files", "files") as service:
        answer = service.apply("""apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: in}
spec: {schema: "id BIGINT, at TIMESTAMP"}
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: copy}
spec:
  checkpoint: {interval: 50ms}
  sources:
    - name: s
      schema: id BIGINT, at TIMESTAMP
      topic: {name: in}
  sinks:
    - file: {path: parts/, format: json}
""")
        assert answer.status == 200, answer
        send(service, 0, 50)
        wait_for(lambda: ids() == list(range(50)))
        assert e2e.ebb("savepoint", "copy", "fifty").returncode == 0
        before = {x.name for x in (files / "parts").glob("*.ndjson")}
        send(service, 50, 60)
        wait_for(lambda: ids() == list(range(60)))
        refused = e2e.ebb("restore", "copy", "fifty")
        assert refused.returncode == 4 and "--sinks rewind" in refused.stderr, refused
        done = e2e.ebb("restore", "copy", "fifty", "--sinks", "rewind")
        assert done.returncode == 0, done
        send(service, 60, 61)
        wait_for(lambda: ids() == list(range(61)))
        after = {x.name for x in (files / "parts").glob("*.ndjson")}
        assert before < after, (before, after)


def test_a_frozen_worker_is_replaced_soon():
    with Service("--warm", "1") as service:
        serve(service, "never")
        send(service, 0, 10)
        results(service, 10)
        wait_for(lambda: len(service.workers()) == 2)
        number = service.stream("copy")["status"]["worker"]
        frozen = [x for x in service.workers() if f"worker-{number}" in
                  open(f"/proc/{x}/cmdline", encoding="utf-8").read()]
        os.kill(frozen[0], signal.SIGSTOP)
        begun = time.monotonic()
        send(service, 10, 20)
        assert results(service, 20) == list(range(20))
        took = time.monotonic() - begun
        assert took < 5, took


def test_a_service_at_rest_gives_memory_back():
    def resident(pid):
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1]) / 1024

    with Service() as service:
        # Code and pages of files that were read for the start are let go of, a few seconds after it.
        wait_for(lambda: resident(service.process.pid) < 10, 15)
        serve(service)
        send(service, 0, 1000)
        results(service, 1000)
        busy = resident(service.process.pid)
        service.wait_phase("copy", "Asleep")
        # How much stays depends on the machine: what files were mapped around what was touched.
        wait_for(lambda: resident(service.process.pid) < busy - 3, 30)
        send(service, 1000, 1001)
        results(service, 1001)


def test_damage_is_found_while_it_serves():
    with Service() as service:
        serve(service)
        send(service, 0, 10_000)
        results(service, 10_000)
        service.wait_phase("copy", "Asleep")
        run = e2e.ebb("verify")
        assert run.returncode == 0 and ".seg" in run.stdout and "partition 0" in run.stdout, run
        assert "control.mdb" in run.stdout, run
        for arguments in (["-o", "json"], ["-o", "json", "--data", "data"]):
            left = e2e.FOLDER / "data" / "streams" / "0123456789abcdef0123456789abcdef"
            left.mkdir()
            run = e2e.ebb("verify", *arguments)
            left.rmdir()
            assert run.returncode == 1 and "1 file is damaged" in run.stderr, run
            assert "the folder of a stream that does not exist" in run.stdout and left.name in run.stdout, run
        assert service.phase("copy") == "Asleep"
        segment = max((e2e.FOLDER / "data").glob("streams/*/segments/*.seg"), key=lambda x: x.stat().st_size)
        with open(segment, "r+b") as file:
            file.seek(segment.stat().st_size // 2)
            byte = file.read(1)
            file.seek(-1, 1)
            file.write(bytes([byte[0] ^ 64]))
        run = e2e.ebb("verify", "-o", "json")
        assert run.returncode == 1 and "1 file is damaged" in run.stderr, run
        bad = [x for x in map(json.loads, run.stdout.splitlines()) if x.get("good") is False]
        assert [x["file"] for x in bad] == [segment.name] and bad[0]["stream"] == "copy", bad


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
