#!/usr/bin/env python3
"""service_store.py EBB: workers that share no folder with the control process (`--store link`): what they keep
and read crosses their links. Ends in `N passed, N failed`."""
import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

import e2e
from service import Service, copy_manifest, wait_for
from service_parts import MANIFEST, Rows

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
from failpoints import CRASHED, STORE  # noqa: E402

FILES = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: in}
spec: {schema: "id BIGINT"}
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: copy}
spec:
  checkpoint: {interval: 100ms}
  sleep: {idleAfter: 1h}
  sources:
    - name: s
      schema: id BIGINT
      topic: {name: in}
  sinks:
    - file: {path: out.ndjson, format: json}
"""


def manifest(workers=1, idle="1h"):
    return MANIFEST.replace("IDLE", idle).replace("workers: 3", f"workers: {workers}")


def start_armed(service, point):
    """`point` is armed in all processes that the service starts, and in itself."""
    os.environ["EBB_FAILPOINT"] = point
    try:
        service.start()
    finally:
        del os.environ["EBB_FAILPOINT"]


def opened(pid):
    """Files that a process has open or mapped."""
    names = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            names.add(os.readlink(entry))
        except OSError:
            pass
    for line in pathlib.Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
        names.add(line.split(maxsplit=5)[-1])
    return names


def caches(service):
    """Segments that workers have copies of."""
    return sorted((e2e.FOLDER / service.data / "cache").glob("*/streams/*/segments/*.seg"))


def kept(service):
    return sorted((e2e.FOLDER / service.data / "streams").glob("*/segments/*"))


def test_workers_touch_no_file_of_the_control_process():
    with Service("--store", "link") as service:
        assert service.apply(manifest()).status == 200
        rows = Rows(service)
        rows.send(3000)
        wait_for(lambda: kept(service))
        data = str(e2e.FOLDER / service.data)
        for pid in service.workers():
            touched = {x for x in opened(pid) if x.startswith(data) and not x.startswith(data + "/cache/")}
            assert touched <= {x for x in touched if x.startswith((data + "/logs/", data + "/peers/"))}, touched
        rows.close()
        rows.check()
        # What a record names is there; nothing that is half sent stays.
        wait_for(lambda: not [x for x in kept(service) if ".tmp-" in x.name])
        assert not list((e2e.FOLDER / service.data / "streams").glob("*/output/*.out")) or wait_for(
            lambda: not list((e2e.FOLDER / service.data / "streams").glob("*/output/*.out")))
    assert not service.workers()
    check = subprocess.run([e2e.EBB, "verify", "--data", service.data], cwd=e2e.FOLDER, capture_output=True, text=True,
                           check=False)
    assert check.returncode == 0, check.stdout + check.stderr


def test_it_wakes_with_a_copy_without_one_and_with_a_damaged_one():
    with Service("--store", "link") as service:
        assert service.apply(manifest(idle="300ms")).status == 200
        rows = Rows(service)
        rows.send(900)
        service.wait_phase("counts", "Asleep", 30)

        def flip(path):
            bytes_ = bytearray(path.read_bytes())
            for at in range(0, len(bytes_), 4096):
                bytes_[at + at // 4096 % 4000] ^= 0x40
            path.write_bytes(bytes_)

        for spoil in (lambda _: None, os.unlink, flip, lambda x: os.truncate(x, 5000), lambda x: x.write_bytes(b"")):
            copies = caches(service)
            assert copies
            for path in copies:
                spoil(path)
            rows.send(700)
            wait_for(lambda: service.phase("counts") != "Asleep")
            service.wait_phase("counts", "Asleep", 30)
        rows.close()
        rows.check()


def test_a_killed_worker_is_replaced_by_one_without_copies():
    with Service("--store", "link") as service:
        assert service.apply(manifest()).status == 200
        rows = Rows(service)
        chance = random.Random(1)
        for _ in range(6):
            rows.send(500)
            time.sleep(chance.uniform(0, 0.4))
            for pid in service.workers():
                os.kill(pid, signal.SIGKILL)
        rows.close()
        rows.check()
        wait_for(lambda: len(list((e2e.FOLDER / service.data / "cache").iterdir())) <= len(service.workers()))


def test_parts_of_a_stream_keep_their_own():
    with Service("--store", "link") as service:
        assert service.apply(manifest(workers=3)).status == 200
        rows = Rows(service)
        rows.send(900)
        wait_for(lambda: [x for x in kept(service) if "-p" in x.name])
        for _ in range(2):
            os.kill(random.Random(2).choice(service.workers()), signal.SIGKILL)
            rows.send(900)
            time.sleep(0.5)
        rows.close()
        rows.check()


def test_the_control_process_dies_while_files_come():
    """The worker goes on with the file where the next control process has it."""
    with Service("--store", "link") as service:
        assert service.apply(manifest()).status == 200
        rows = Rows(service)
        for _ in range(5):
            rows.send(500)
            time.sleep(0.15)
            service.kill()
            service.start()
        rows.close()
        rows.check()


class Persistent:
    """Sends each request until it is answered, over any number of control processes."""

    def __init__(self, service):
        self.service = service
        self.sequence = 0
        self.messages = service.messages
        self.ends = set()  # exit codes of control processes

    def post(self, topic, lines):
        def sent():
            if self.service.process.poll() is not None:
                self.ends.add(self.service.process.poll())
                self.service.start()
            try:
                self.service.post(topic, lines, Ebb_Producer="p", Ebb_Sequence=str(self.sequence))
                return True
            except (OSError, http.client.HTTPException):
                return False

        wait_for(sent, 60)
        self.sequence += lines.count("\n")


class Ended:
    """Ends it, and what of it is left."""

    def __init__(self, service):
        self.service = service

    def close(self):
        self.service.stop()
        for pid in self.service.workers():
            os.kill(pid, signal.SIGKILL)


def check_step(step, side):
    folder = e2e.FOLDER / f"{step}-{side}"
    folder.mkdir()
    service = Service("--store", "link", data=str(folder / "data"))
    service.log = folder / "up.log"
    start_armed(service, f"{step}:{side}:3")
    with contextlib.closing(Ended(service)):
        assert service.apply(manifest()).status == 200
        sender = Persistent(service)
        rows = Rows(sender)

        def died():
            rows.send(200)
            time.sleep(0.12)
            return CRASHED in sender.ends or service.process.poll() == CRASHED or f"exit code {CRASHED}" in service.said()

        wait_for(died, 30)
        # Those that were started by the first control process go, and with them what is armed.
        for pid in service.workers():
            os.kill(pid, signal.SIGKILL)
        if service.process.poll() is None:
            service.kill()
        rows.close()
        rows.check()


def test_every_step_of_a_transfer():
    for step in STORE:
        for side in ("before", "after"):
            check_step(step, side)


def test_files_of_streams_stay_where_they_are():
    """`--files` is a folder that workers need; output on its way to a file is kept by the control process."""
    folder = e2e.FOLDER / "files"
    folder.mkdir()
    with Service("--store", "link", "--files", str(folder)) as service:
        assert service.apply(FILES).status == 200
        for first in range(0, 2000, 400):
            service.post("in", "".join(f'{{"id":{i}}}\n' for i in range(first, first + 400)))
            time.sleep(0.2)
            for pid in service.workers():
                os.kill(pid, signal.SIGKILL)
        target = folder / "out.ndjson"

        def written():
            return [json.loads(x)["id"] for x in target.read_text(encoding="utf-8").splitlines()] if target.exists() else []

        wait_for(lambda: len(written()) >= 2000, 60)
        assert written() == list(range(2000))


def test_topics_are_read_over_tls_too():
    with Service("--store", "link", "--links", "tls") as service:
        assert service.apply(copy_manifest()).status == 200
        for first in range(0, 3000, 1000):
            service.post("in", "".join(f'{{"id":{i}}}\n' for i in range(first, first + 1000)))
        wait_for(lambda: len(service.messages("out")) >= 3000)
        assert [x["id"] for x in service.messages("out")] == list(range(3000))


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items())
                             if name.startswith("test_") and x.__module__ == "__main__"])
