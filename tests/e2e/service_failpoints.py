#!/usr/bin/env python3
"""service_failpoints.py EBB: the control process dies before and after each durable step that only a
service has; started again, it serves as if it had not. Ends in `N passed, N failed`."""
import http.client
import os
import pathlib
import re
import signal
import subprocess
import sys

import e2e
from service import Service, copy_manifest, wait_for

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
from failpoints import CRASHED, SERVICE  # noqa: E402

def work(service):
    """What a client does; it can be done again."""
    answer = service.apply(copy_manifest("1s"))
    assert answer.status == 200, answer
    body = "".join(f'{{"id":{i}}}\n' for i in range(20))
    service.post("in", body, Ebb_Producer="p", Ebb_Sequence="0")
    service.wait_phase("copy", "Asleep")
    service.ask("POST", "/v1/streams/copy:savepoint?name=here")
    wait_for(lambda: any(x.get("savepoint") == "here"
                         for x in service.ask("GET", "/v1/streams/copy/checkpoints").json()["items"]), 5)
    # Nothing has come since, so nothing comes again.
    begun = service.ask("POST", "/v1/streams/copy:restore?savepoint=here&sinks=keep")
    assert begun.status == 202, begun
    service.ask("GET", f"/v1/operations/{begun.json()['id']}?timeout=10s")


def check(step, side):
    environment = {**os.environ, "EBB_FAILPOINT": f"{step}:{side}"}
    folder = e2e.FOLDER / f"{step}-{side}"
    folder.mkdir()
    service = Service(data=str(folder / "data"))
    service.log = folder / "up.log"
    with open(service.log, "w", encoding="utf-8") as log:
        # pylint: disable=consider-using-with
        service.process = subprocess.Popen([e2e.EBB, "up", "--data", service.data, "--listen", "127.0.0.1:0"],
                                           cwd=folder, env=environment, stdout=log, stderr=log)
    wait_for(lambda: " at http" in service.said() or service.process.poll() is not None)
    if service.process.poll() is None:
        service.url = re.search(r" at (http[^\s\"]+)", service.said())[1]
        try:
            work(service)
        except (OSError, http.client.HTTPException, ValueError, KeyError, AssertionError):
            pass  # it died under the request
    if step == "control.end":
        service.process.send_signal(signal.SIGINT)
    assert service.process.wait(timeout=30) == CRASHED, f"{step}:{side} was not reached"
    with service:
        work(service)
        got = [x["id"] for x in service.messages("out")]
        assert got == list(range(20)), got
    # One that had not come back yet ends by itself within a minute.
    for worker in service.workers():
        os.kill(worker, signal.SIGKILL)


def test_every_step():
    for step in SERVICE:
        for side in ("before", "after"):
            check(step, side)


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [test_every_step])
