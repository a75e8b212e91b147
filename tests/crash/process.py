"""Runs of ebb that can be killed, interrupted and waited for."""
import os
import pathlib
import signal
import subprocess
import time


class Run:
    """One process. What it says goes to `FOLDER/stderr` (appended). Without an environment of its
    own, every second one loads restored state as it needs it, as streams with much state do."""

    count = 0

    def __init__(self, ebb, folder, arguments, environment=None):
        if environment is None:
            Run.count += 1
            environment = {"EBB_SMALL_STATE": "0"} if Run.count % 2 == 0 else {}
        self.folder = pathlib.Path(folder)
        self.log = self.folder / "stderr"
        self.begin = self.log.stat().st_size if self.log.exists() else 0
        with open(self.log, "ab") as err, open(self.folder / "stdout", "ab") as out:
            self.process = subprocess.Popen([ebb, *map(str, arguments)], cwd=folder, stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=err,
                                            env=dict(os.environ, **environment))

    def code(self):
        """Exit code, negative for a signal; None while it runs."""
        return self.process.poll()

    def wait(self, seconds, poll=None):
        """The exit code; None when it still runs after that time."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            if poll:
                poll()
            time.sleep(min(0.02, max(0.0, end - time.monotonic())))
        return self.process.poll()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        return self.process.wait()

    def interrupt(self, seconds=30):
        """SIGINT; kills it when it does not end in time, and returns None then. One that came before
        the process could catch it shows as 130, too, as it does to a shell."""
        self.process.send_signal(signal.SIGINT)
        code = self.wait(seconds)
        if code is None:
            self.kill()
        return 130 if code == -signal.SIGINT else code

    def said(self):
        with open(self.log, "rb") as file:
            file.seek(self.begin)
            return file.read().decode("utf-8", "replace")


def run_to_end(ebb, folder, arguments, environment=None, seconds=60):
    """(exit code or None for one that hangs, what it said)"""
    run = Run(ebb, folder, arguments, environment)
    code = run.wait(seconds)
    if code is None:
        run.kill()
    return code, run.said()
