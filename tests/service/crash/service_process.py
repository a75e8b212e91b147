"""`ebb up` and its workers as processes that can be killed, stopped and counted."""
import http.client
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time


def free_port():
    with socket.socket() as x:
        x.bind(("127.0.0.1", 0))
        return x.getsockname()[1]


class Unanswered(Exception):
    """Nobody knows what became of the request."""


def call(port, method, path, body=None, kind=None, timeout=10):
    """(status, headers, body) of one request on a connection of its own."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        link.request(method, path, body, {"Content-Type": kind} if kind else {})
        answer = link.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    except (OSError, http.client.HTTPException) as problem:
        raise Unanswered(repr(problem)) from problem
    finally:
        link.close()


def get(port, path, timeout=10):
    status, _, body = call(port, "GET", path, timeout=timeout)
    if status != 200:
        raise Unanswered(f"{path}: {status} {body[:200]!r}")
    return json.loads(body)


def state_of(pid):
    """R, S, T, Z …; nothing when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return None


def use_of(pid):
    """(MB of its own memory, open files, threads) of a process; zeros when it is gone."""
    try:
        with open(f"/proc/{pid}/status", encoding="utf-8") as file:
            fields = dict(line.split(":", 1) for line in file.read().splitlines() if ":" in line)
        return (int(fields["RssAnon"].split()[0]) / 1024, len(os.listdir(f"/proc/{pid}/fd")),
                int(fields["Threads"]))
    except (OSError, KeyError, ValueError):
        return 0.0, 0, 0


class Service:
    """The control process is a child; workers are found by the folder in their arguments, since
    they outlive the process that started them."""

    def __init__(self, ebb, folder, *arguments):
        self.ebb = ebb
        self.arguments = arguments
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.log = self.folder / "up.log"
        self.port = free_port()
        self.process = None
        self.starts = 0

    def start(self):
        self.starts += 1
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [self.ebb, "up", "--data", str(self.data), "--listen", f"127.0.0.1:{self.port}",
                 *self.arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder)

    def ready(self, seconds):
        """Whether it answers within that time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                return False
            try:
                if call(self.port, "GET", "/readyz", timeout=2)[0] == 200:
                    return True
            except Unanswered:
                pass
            time.sleep(0.01)
        return False

    def code(self):
        return self.process.poll()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def workers(self):
        """Process ids, without those that have ended."""
        found = []
        mark = f"{self.data}/workers.sock".encode()
        for name in os.listdir("/proc"):
            if not name.isdigit():
                continue
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    parts = file.read().split(b"\0")
            except OSError:
                continue
            if b"worker" in parts and mark in parts and state_of(name) not in (None, "Z"):
                found.append(int(name))
        return sorted(found)

    def use(self):
        """Of the control process; the most of one worker."""
        workers = [use_of(x) for x in self.workers()] or [(0.0, 0, 0)]
        return use_of(self.process.pid), tuple(max(x[i] for x in workers) for i in range(3))

    def stop(self, seconds):
        """Exit code of a clean end; None when it did not end in time, it is killed then."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def strange_ends(self):
        """Ends of workers that nobody here caused: other signals than SIGKILL and SIGTERM, other exit
        codes than 0."""
        text = self.log.read_text(errors="replace")
        return [line for line in text.splitlines()
                if re.search(r": (killed by signal (?!9$|15$)\d+|exit code (?!0$)\d+)$", line)
                or "assertion" in line.lower() or "Sanitizer" in line or "terminate called" in line]

    def end_all(self):
        """For the end of a test that failed: nothing of it stays."""
        if self.process and self.process.poll() is None:
            self.kill()
        for pid in self.workers():
            signal_to(pid, signal.SIGKILL)


def signal_to(pid, what):
    try:
        os.kill(pid, what)
        return True
    except ProcessLookupError:
        return False
