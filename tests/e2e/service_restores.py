#!/usr/bin/env python3
"""service_restores.py EBB: savepoints and changes against what the files of a service's sinks hold: nothing that is
committed gets lost without a word. Ends in `N passed, N failed`."""
import json
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


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
