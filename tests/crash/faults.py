"""Failing system calls: the n-th of one checkpoint with EIO, ENOSPC, half a write or EINTR, and a
full disk. A run goes on with the right answer, or stops with a clear error and has the right answer
after the next start."""
import os
import pathlib
import re
import subprocess

from cases import Case
from process import Run, run_to_end

KINDS = ("eio", "enospc", "short", "eintr")
NAMED_ERROR = re.compile(r"data|no space left|input/output error|interrupted|short write", re.I)
ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCE = ROOT / "tests" / "support" / "io_faults.cpp"


def build_shim(folder):
    """The library to preload."""
    shim = folder / "io_faults.so"
    subprocess.run(["g++", "-std=c++20", "-shared", "-fPIC", "-O1", f"-I{ROOT}", "-o", shim, SOURCE, "-ldl"],
                   check=True)
    return shim


def environment(shim, folder, kind, first, count=1, log=None):
    """Calls `first` to `first + count - 1` on files below `folder` fail."""
    return {"LD_PRELOAD": str(shim), "EBB_IO_FAULTS": f"{kind}:{first}:{count}", "EBB_IO_FAULTS_FOLDER": str(folder),
            **({"EBB_IO_FAULTS_LOG": str(log)} if log else {})}


def prepare(small, folder, seconds=1.0):
    """As Small.prepare, with a path by which the calls can be told."""
    arguments = small.prepare(folder, seconds, "100ms")
    return [*arguments[:-1], folder / "data"]


def one_checkpoint(small, shim, folder):
    """(first, last, of all): numbers of the calls between two records of each stream, from the
    middle of a run without faults."""
    arguments = prepare(small, folder)
    log = folder / "calls"
    code, said = run_to_end(small.ebb, folder, arguments, environment(shim, folder, "eio", 1 << 60, 1, log))
    assert code == 0, f"exit {code}: {said}"
    small.check_whole(folder)
    calls = [line.split(" ", 1) for line in log.read_text().splitlines()]
    # Two streams at least (the third has soon worked off its files) begin a checkpoint and end one.
    begin, end = len(calls) // 3, len(calls)
    seen = {}
    for number, (call, path) in enumerate(calls[begin:], begin + 1):
        if call == "renameat2" and "/segments/" in path:
            uid = path.split("/streams/")[1].split("/")[0]
            seen[uid] = seen.get(uid, 0) + 1
        if len(seen) >= 2 and all(count >= 2 for count in seen.values()):
            end = number
            break
    assert len(seen) >= 2, f"streams seen: {seen}"
    return begin + 1, end, len(calls)


def fail_once(small, shim, folder, number, kind, count=1):
    arguments = prepare(small, folder)
    code, said = run_to_end(small.ebb, folder, arguments,
                            environment(shim, folder, kind, number, count))
    if code == 0:
        small.check_whole(folder)
        return
    assert code == 1, f"exit {code}, wanted 0 or 1: {said[-1500:]}"
    assert NAMED_ERROR.search(said), f"no clear error: {said[-1500:]}"
    small.check_so_far(folder)
    small.finish(folder, arguments, small.watch(folder))


def fail_during_start(small, shim, folder, number, kind):
    """The same while a stream is being restored."""
    arguments = prepare(small, folder)
    run = Run(small.ebb, folder, arguments)
    assert run.wait(0.6) is None, f"ended by itself: {run.said()}"
    run.kill()
    code, said = run_to_end(small.ebb, folder, arguments,
                            environment(shim, folder, kind, number))
    if code == 0:
        small.check_whole(folder)
        return
    assert code in (1, 2), f"exit {code}, wanted 0 or 1: {said[-1500:]}"
    assert NAMED_ERROR.search(said), f"no clear error: {said[-1500:]}"
    small.check_so_far(folder)
    small.finish(folder, arguments, small.watch(folder))


ALARM = re.compile("held up.*no space", re.I)


class SmallDisk:
    """A file system of its own as the data folder."""

    def __init__(self, data):
        self.data = data
        self.ballast = data / "ballast"

    def __enter__(self):
        self.data.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", self.data], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self.data], check=False)

    def fill(self, leave=0):
        """Leaves so much room."""
        with open(self.ballast, "wb", buffering=0) as file:
            stat = os.statvfs(self.data)
            left = stat.f_bavail * stat.f_frsize - leave
            try:
                while left > 0:
                    left -= file.write(b"x" * min(left, 1 << 16))
            except OSError:
                pass

    def empty(self):
        self.ballast.unlink()


def full_disk(small, folder, percent):
    """Filled up to a share of what a checkpoint needs."""
    arguments = prepare(small, folder, 3.0)
    # What a checkpoint writes of state and output; measured at this size of input.
    checkpoint = 256 << 10
    with SmallDisk(folder / "data") as disk:
        run = Run(small.ebb, folder, arguments)
        assert run.wait(0.8) is None, f"ended by itself: {run.said()}"
        disk.fill(checkpoint * percent // 100)
        code = run.wait(1.5)
        assert code is None, f"did not go on: exit {code}: {run.said()[-1500:]}"
        said = run.said()
        assert "warning" in said and ALARM.search(said), f"no alarm: {said[-1500:]!r}"
        small.check_so_far(folder, amid_append=True)
        if percent == 0:
            late = subprocess.run([small.ebb, "savepoint", "hop", "late", "--data", "data", "--timeout", "500ms"], cwd=folder,
                                  capture_output=True, text=True, timeout=30, check=False)
            assert late.returncode == 5 and ALARM.search(late.stderr), f"what a savepoint waits for: {late}"
        disk.empty()
        code = run.wait(60)
        assert code == 0, f"exit {code}: {run.said()[-1500:]}"
        small.check_whole(folder)


def full_disk_at_start(small, folder):
    """A stream that has state waits for room, as it does while it runs; a new one says what is wrong.
    Where the control database has pages to reuse, it is the first checkpoint that waits."""
    arguments = prepare(small, folder, 3.0)
    with SmallDisk(folder / "data") as disk:
        disk.fill()
        code, said = run_to_end(small.ebb, folder, arguments)
        assert code == 1 and "No space left" in said and "make room" in said, f"exit {code}: {said[-1500:]}"
        disk.empty()
        run = Run(small.ebb, folder, arguments)
        assert run.wait(0.8) is None, f"ended by itself: {run.said()}"
        run.kill()
        for ending in ("interrupt", "room"):
            disk.fill()  # what the run before has swept away made room
            run = Run(small.ebb, folder, arguments)
            code = run.wait(2.5)
            said = run.said()
            assert code is None, f"did not wait: exit {code}: {said[-1500:]}"
            assert ALARM.search(said) and str(folder / "data") in said, f"no alarm ({ending}): {said[-1500:]!r}"
            if "the start is held up" in said:
                why = subprocess.run([small.ebb, "why", "sessions", "--data", "data"], cwd=folder,
                                     capture_output=True, text=True, timeout=30, check=False)
                assert "is held up" in why.stdout, why
                if ending == "interrupt":
                    code = run.interrupt(10)
                    assert code == 130, f"SIGINT: exit {code}, wanted 130: {run.said()[-1500:]}"
            if ending == "interrupt" and run.code() is None:
                run.kill()
            small.check_so_far(folder, amid_append=True)
        held_up = "the start is held up" in said
        disk.empty()
        code = run.wait(60)
        assert code == 0, f"exit {code}: {run.said()[-1500:]}"
        assert not held_up or "room again" in run.said(), run.said()
        small.check_whole(folder)


def cases(small, folder, thorough):
    folder.mkdir(parents=True, exist_ok=True)
    shim = build_shim(folder)
    if thorough:
        first, last, count = one_checkpoint(small, shim, folder / "record")
        print(f"faults: calls {first} to {last} of {count} belong to the checkpoints chosen")
        for number in range(first, last + 1):
            for kind in KINDS:
                yield Case(f"faults:{kind}:{number}",
                           lambda at, x=(number, kind): fail_once(small, shim, at, *x))
        for number in range(1, 25):
            for kind in ("eio", "enospc"):
                yield Case(f"faults:start:{kind}:{number}",
                           lambda at, x=(number, kind): fail_during_start(small, shim, at, *x))
    else:
        for index, number in enumerate((1, 3, 10, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72)):
            kind = KINDS[index % len(KINDS)]
            yield Case(f"faults:{kind}:{number}",
                       lambda at, x=(number, kind): fail_once(small, shim, at, *x))
        for kind, number in (("eio", 5), ("enospc", 9)):
            yield Case(f"faults:start:{kind}:{number}",
                       lambda at, x=(number, kind): fail_during_start(small, shim, at, *x))
    if os.geteuid() == 0:
        for percent in (0, 1, 50, 99):
            yield Case(f"faults:full disk:{percent}", lambda at, x=percent: full_disk(small, at, x))
        yield Case("faults:full disk:start", lambda at: full_disk_at_start(small, at))
