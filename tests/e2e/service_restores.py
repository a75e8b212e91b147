#!/usr/bin/env python3
"""service_restores.py EBB: savepoints and changes against what the files of a service's sinks hold: nothing that is
committed gets lost without a word. Ends in `N passed, N failed`."""
import json
import os
import pathlib
import signal
import sys

import e2e
from service import Service, wait_for

TOPIC = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: ev}
spec: {schema: "n BIGINT"}
---
"""

STREAM = """apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: cp}
spec:
  checkpoint: {interval: 50ms}
  sleep: {idleAfter: never}
  sources: [{name: e, schema: "n BIGINT", topic: {name: ev}}]
  operators: [{name: a, sql: "SELECT n FROM e"}]
  sinks: [SINKS]
"""


def serve(service, sinks, status=200, topic=TOPIC):
    answer = service.apply(topic + STREAM.replace("SINKS", sinks))
    assert answer.status == status, answer
    return answer


def send(service, *numbers):
    service.post("ev", "".join(f'{{"n":{n}}}\n' for n in numbers))


def rows(name="out"):
    """Of a file, or of all parts in a folder; each line whole."""
    at = e2e.FOLDER / "files" / name
    texts = [at.read_text()] if at.is_file() else [x.read_text() for x in at.glob("*.ndjson")]
    return sorted(json.loads(line)["n"] for text in texts for line in text.splitlines())


def gets(service, expected, name="out"):
    try:
        wait_for(lambda: rows(name) == expected)
    except AssertionError as problem:
        raise AssertionError(f"{rows(name)} instead of {expected}, {service.phase('cp')}") from problem


def ordered(*arguments, code=0, says=()):
    run = e2e.ebb(*arguments)
    assert run.returncode == code, run
    for x in says:
        assert x in run.stderr, (x, run.stderr)
    return run


def files():
    (e2e.FOLDER / "files").mkdir()
    return e2e.FOLDER / "files"


def check_given_up(sink, name):
    files()
    with Service("--files", "files") as service:
        serve(service, sink)
        send(service, 1, 2)
        gets(service, [1, 2], name)
        ordered("savepoint", "cp", "s1")
        send(service, 3, 4, 5)
        gets(service, [1, 2, 3, 4, 5], name)
        ordered("savepoint", "cp", "s2")
        # Both histories are there as long as nothing is cut.
        ordered("restore", "cp", "s2", "--sinks", "rewind")
        ordered("restore", "cp", "s1", "--sinks", "rewind")
        gets(service, [1, 2, 3, 4, 5], name)
        for choice in (["--sinks", "rewind"], ["--sinks", "keep"], []):
            ordered("restore", "cp", "s2", *choice, code=4, says=["given up", "s1"])
        listed = service.ask("GET", "/v1/streams/cp/checkpoints").json()["items"]
        marks = {x["savepoint"]: x.get("givenUp", False) for x in listed if "savepoint" in x}
        assert marks == {"s1": False, "s2": True}, marks
        send(service, 6)
        gets(service, [1, 2, 3, 4, 5, 6], name)
        service.wait_phase("cp", "Running")
        # Also by another control process.
        service.kill()
        service.start()
        ordered("restore", "cp", "s2", "--sinks", "rewind", code=4, says=["given up"])
        ordered("restore", "cp", "s1", "--sinks", "rewind")
        gets(service, [1, 2, 3, 4, 5, 6], name)
        ordered("verify")


def test_a_savepoint_of_a_history_that_was_given_up_is_refused_for_a_folder():
    check_given_up("{file: {path: out/, format: json}}", "out")


def test_a_savepoint_of_a_history_that_was_given_up_is_refused_for_a_file():
    check_given_up("{file: {path: out.ndjson, format: json}}", "out.ndjson")


def test_a_restore_that_cannot_work_disturbs_nothing():
    """The file was cut by somebody: the stream knows where it writes and goes on, until it is asked to go back."""
    out = files() / "x.ndjson"
    with Service("--files", "files") as service:
        serve(service, "{name: x, file: {path: x.ndjson, format: json}}")
        send(service, 1, 2, 3)
        gets(service, [1, 2, 3], "x.ndjson")
        ordered("savepoint", "cp", "s1")
        send(service, 4)
        gets(service, [1, 2, 3, 4], "x.ndjson")
        whole = out.read_bytes()
        wakes = len(service.ask("GET", "/v1/streams/cp/wakes").json()["items"])
        epoch = service.stream("cp")["status"]["checkpoint"]["epoch"]
        for other, told in ((whole[:4], "has only 4 bytes"),
                            (whole.replace(b"2", b"7"), "was changed or replaced")):
            out.write_bytes(other)
            run = ordered("restore", "cp", "s1", "--sinks", "rewind", code=4,
                          says=["sink x: x.ndjson", told, "older savepoint"])
            assert "--from fresh" not in run.stderr, run.stderr
            out.write_bytes(whole)
        assert service.phase("cp") == "Running"
        assert len(service.ask("GET", "/v1/streams/cp/wakes").json()["items"]) == wakes
        assert service.stream("cp")["status"]["checkpoint"]["epoch"] >= epoch
        send(service, 5)
        gets(service, [1, 2, 3, 4, 5], "x.ndjson")
        ordered("restore", "cp", "s1", "--sinks", "rewind")
        gets(service, [1, 2, 3, 4, 5], "x.ndjson")


def test_a_restore_that_the_worker_refuses_drops_nothing():
    """What the savepoint holds is seen by who runs the stream; it has failed then, with its newest checkpoint."""
    files()
    kept = STREAM.replace("]\n  sinks", ", {name: NAME, sql: 'SELECT n % 3 AS m, count(*) AS c FROM e GROUP BY n % 3'}]\n  sinks")
    kept = kept.replace("SINKS", "{name: x, from: a, file: {path: x.ndjson, format: json}}, {name: none, from: NAME, discard: {}}")
    with Service("--files", "files") as service:
        answer = service.apply(TOPIC + kept.replace("NAME", "old"))
        assert answer.status == 200, answer
        send(service, 1, 2, 3)
        gets(service, [1, 2, 3], "x.ndjson")
        ordered("savepoint", "cp", "s1")
        answer = service.apply(kept.replace("NAME", "new").replace("  sleep:", "  onChange: reset\n  sleep:"))
        assert answer.status == 200, answer
        send(service, 4)
        gets(service, [1, 2, 3, 4], "x.ndjson")
        # Without the word to drop what s1 has.
        assert service.apply(kept.replace("NAME", "new")).status == 200
        service.wait_phase("cp", "Running")
        ordered("restore", "cp", "s1", "--sinks", "rewind", code=1,
                says=["savepoint s1 was made with another manifest", "old/group aggregate/0 is gone"])
        assert rows("x.ndjson") == [1, 2, 3, 4]
        ordered("wake", "cp")
        send(service, 5)
        gets(service, [1, 2, 3, 4, 5], "x.ndjson")
        ordered("verify")


def test_the_file_of_a_worker_that_stands_still_goes_on():
    files()
    with Service("--files", "files", "--warm", "1") as service:
        serve(service, "{name: x, file: {path: x.ndjson, format: json}}")
        send(service, 1, 2, 3)
        gets(service, [1, 2, 3], "x.ndjson")
        wait_for(lambda: len(service.workers()) == 2)
        number = service.stream("cp")["status"]["worker"]
        frozen = [x for x in service.workers()
                  if f"worker-{number}" in pathlib.Path(f"/proc/{x}/cmdline").read_text(encoding="utf-8")]
        os.kill(frozen[0], signal.SIGSTOP)
        send(service, 4)
        gets(service, [1, 2, 3, 4], "x.ndjson")


A = "{name: a1, file: {path: one.ndjson, format: json}}"
B = "{name: b1, file: {path: two.ndjson, format: json}}"


def test_a_change_empties_no_file():
    files()
    with Service("--files", "files") as service:
        serve(service, A + ", " + B)
        send(service, 1, 2)
        gets(service, [1, 2], "one.ndjson")
        gets(service, [1, 2], "two.ndjson")
        renamed = A.replace("a1", "other")
        swapped = A.replace("one", "two") + ", " + B.replace("two", "one")
        for sinks in (renamed + ", " + B, swapped):
            for route in ("/v1/apply", "/v1/apply?dryRun=true"):
                answer = service.ask("POST", route, STREAM.replace("SINKS", sinks), Content_Type="application/yaml")
                assert answer.status == 409, answer
                problem = answer.json()
                assert "would empty" in problem["detail"] and "stream cp" in problem["detail"], problem
                assert "move the file away" in problem["hint"] and "sinks[].name" in problem["hint"], problem
        assert rows("one.ndjson") == rows("two.ndjson") == [1, 2]
        # Left out, and then back: nobody knows any more what the file is to it.
        serve(service, A, topic="")
        send(service, 3)
        gets(service, [1, 2, 3], "one.ndjson")
        assert "would empty" in serve(service, A + ", " + B, 409, "").json()["detail"]
        # In another order it is the same sink.
        (e2e.FOLDER / "files/two.ndjson").rename(e2e.FOLDER / "files/kept.ndjson")
        serve(service, B + ", " + A, topic="")
        send(service, 4)
        gets(service, [1, 2, 3, 4], "one.ndjson")
        gets(service, [4], "two.ndjson")
        # A file that was moved, as the sink's path says.
        (e2e.FOLDER / "files/one.ndjson").rename(e2e.FOLDER / "files/moved.ndjson")
        serve(service, A.replace("one", "moved") + ", " + B, topic="")
        send(service, 5)
        gets(service, [1, 2, 3, 4, 5], "moved.ndjson")


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
