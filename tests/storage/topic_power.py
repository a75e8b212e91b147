#!/usr/bin/env python3
"""topic_power.py WORKER [--images N] [--seed N]: power failures of a topic's log.

One run of appends, rolls and retention is recorded; then disks are built as they may be when the power
goes (tests/crash/power.py), and each must hold what had been acknowledged. Ends in
`N passed, N failed`."""
import argparse
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "crash"))
from power import Disk, build_recorder, read_record  # noqa: E402

GROUPS = 150


def put(folder, image):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, content in sorted(image.items()):
        if content is None:
            pathlib.Path(path).mkdir(parents=True, exist_ok=True)
        elif not path.endswith("/acks"):
            pathlib.Path(path).write_bytes(content)


def acknowledged(calls, stop):
    for operation, _, data, path, _ in reversed(calls[:stop]):
        if operation == "write" and path.endswith("/acks"):
            return int(data)
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("worker")
    parser.add_argument("--images", type=int, default=150)
    parser.add_argument("--seed", default="1")
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="ebb-topic-power-") as scratch:
        scratch = pathlib.Path(scratch)
        folder = scratch / "disk"
        folder.mkdir()
        record = scratch / "record"
        subprocess.run([arguments.worker, "write", folder, str(GROUPS)], check=True,
                       env={"LD_PRELOAD": str(build_recorder(scratch)), "IO_RECORD_FOLDER": str(folder),
                            "IO_RECORD_TO": str(record)})
        calls = read_record(record)
        syncs = [i for i, call in enumerate(calls) if call[0] in ("sync", "durable")]
        names = [i for i, call in enumerate(calls) if call[0] in ("rename", "remove")]
        assert len(syncs) > 2 * GROUPS and len(names) > 10, f"{len(syncs)} syncs, {len(names)} names"
        # Right before and after a sync or a change of names, and anywhere.
        chosen = sorted(rng.choice([rng.choice(syncs), rng.choice(syncs) + 1, rng.choice(names),
                                    rng.choice(names) + 1, rng.randrange(len(calls))])
                        for _ in range(arguments.images))
        disk = Disk(folder)
        done = 0
        for stop in chosen:
            for call in calls[done:stop]:
                disk.call(*call)
            done = stop
            keep = rng.choice([0, 0, 0.5, 0.9, 1])
            put(folder, disk.after_power_failure(rng, keep))
            run = subprocess.run([arguments.worker, "check", folder, str(acknowledged(calls, stop))],
                                 text=True, capture_output=True, check=False)
            passed += run.returncode == 0
            failed += run.returncode != 0
            if run.returncode != 0:
                print(f"power failure at call {stop} of {len(calls)}, kept {keep}: "
                      f"exit {run.returncode}: {run.stderr[-500:]}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
