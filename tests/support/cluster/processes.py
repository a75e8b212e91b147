"""The processes of one test cluster: started, watched, and ended by recorded process id."""
import ctypes
import os
import pathlib
import signal
import subprocess
import time

PR_SET_PDEATHSIG = 1


def end_with_parent():
    """In the child: a killed test takes its cluster with it. It ends with the thread that has started it, too."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def is_running(pid):
    """Whether the process is there and no zombie."""
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


class Processes:
    """Logs and process ids live under `folder`, so that another process can end what this one started."""

    def __init__(self, folder, tied=True):
        self.logs = folder / "log"
        self.pids = folder / "pids"
        self.tied = tied
        self.children = {}
        for x in (self.logs, self.pids):
            x.mkdir(parents=True, exist_ok=True)

    def start(self, name, *command, environment=None):
        with open(self.logs / f"{name}.log", "ab") as log:
            child = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     start_new_session=True, env=dict(os.environ, **(environment or {})),
                                     preexec_fn=end_with_parent if self.tied else None)
        (self.pids / name).write_text(str(child.pid), encoding="ascii")
        self.children[name] = child
        return child.pid

    def pid(self, name):
        try:
            return int((self.pids / name).read_text(encoding="ascii"))
        except (OSError, ValueError):
            return None

    def names(self, beginning=""):
        return sorted(x.name for x in self.pids.iterdir() if x.name.startswith(beginning))

    def ended(self):
        """The name of a process that ended by itself, and its last words; None while all run."""
        for name in self.names():
            if not is_running(self.pid(name)):
                lines = (self.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace").splitlines()
                return f"{name} ended: " + (lines[-1] if lines else "it said nothing")
        return None

    def wait_for(self, what, condition, seconds=60):
        """Until `condition()` is true; a process that ends, or time, is an error that says which."""
        end = time.monotonic() + seconds
        while not condition():
            ended = self.ended()
            if ended:
                raise RuntimeError(ended)
            if time.monotonic() > end:
                raise RuntimeError(f"{what}: not within {seconds} s; see {self.logs}")
            time.sleep(0.1)

    def stop(self, name, patience=2.0, kill=signal.SIGTERM):
        """Asks, waits, then kills. Nothing happens when it is not running."""
        pid = self.pid(name)
        (self.pids / name).unlink(missing_ok=True)
        if pid is None or not is_running(pid):
            return
        for what, seconds in ((kill, patience), (signal.SIGKILL, 5.0)):
            try:
                os.kill(pid, what)
            except ProcessLookupError:
                return
            end = time.monotonic() + seconds
            while is_running(pid) and time.monotonic() < end:
                time.sleep(0.02)
            if not is_running(pid):
                break
        if name in self.children:
            self.children.pop(name).wait()
