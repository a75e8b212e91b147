"""Kills, stops and ends processes of a service, one every one to three seconds."""
import collections
import signal
import threading
import time

from service_process import signal_to, state_of


class Killer(threading.Thread):
    """What happened and when is in `events`, by time.time()."""

    PLAN = (("worker", 36), ("control", 24), ("worker and control", 10), ("all workers", 8),
            ("freeze", 14), ("clean restart", 8))

    def __init__(self, service, rng, seconds):
        super().__init__(daemon=True)
        self.service, self.rng, self.seconds = service, rng, seconds
        self.counts = collections.Counter()
        self.events = []
        self.complaints = []
        self.frozen = {}
        self.slowest_start = 0.0
        self.slowest_stop = 0.0

    def note(self, what):
        self.events.append((time.time(), what))

    def run(self):
        try:
            end = time.monotonic() + self.seconds
            while True:
                pause = self.rng.uniform(1, 3)
                if time.monotonic() + pause > end:
                    break
                self.rest(pause)
                self.strike(self.rng.choices([x for x, _ in self.PLAN], [n for _, n in self.PLAN])[0])
        except Exception as problem:  # a fault of this test: it must not pass
            self.complaints.append(f"the killer ended: {problem!r}")
        finally:
            self.thaw(everything=True)
            if self.service.code() is not None:
                self.restart()

    def rest(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.thaw()
            self.look()
            time.sleep(0.05)

    def look(self):
        code = self.service.code()
        if code is not None:
            self.complaints.append(f"the control process ended by itself: {code}")
            self.restart()

    def thaw(self, everything=False):
        for pid, until in list(self.frozen.items()):
            if everything or time.monotonic() >= until:
                signal_to(pid, signal.SIGCONT)
                del self.frozen[pid]

    def victim(self):
        workers = self.service.workers()
        return self.rng.choice(workers) if workers else None

    def strike(self, what):
        if what in ("worker", "worker and control", "all workers"):
            chosen = self.service.workers() if what == "all workers" else [self.victim()]
            for pid in chosen:
                if pid and signal_to(pid, signal.SIGKILL):
                    self.counts["workers killed"] += 1
                    self.note(f"worker {pid} killed")
        if what in ("control", "worker and control"):
            self.look()
            self.service.kill()
            self.counts["control processes killed"] += 1
            self.note("control process killed")
            self.restart()
        if what == "freeze":
            pid = self.victim()
            if pid and pid not in self.frozen and signal_to(pid, signal.SIGSTOP):
                span = self.rng.uniform(1, 6)
                self.frozen[pid] = time.monotonic() + span
                self.counts["workers frozen"] += 1
                self.note(f"worker {pid} frozen for {span:.1f} s")
        if what == "clean restart":
            self.clean_restart()

    def clean_restart(self):
        self.look()
        begin = time.monotonic()
        self.service.process.send_signal(signal.SIGTERM)
        self.note("control process asked to end")
        patience = 60 if self.rng.random() < 0.7 else self.rng.choice([0.01, 0.1, 0.3])
        while self.service.code() is None and time.monotonic() - begin < patience:
            self.thaw()
            time.sleep(0.01)
        code = self.service.code()
        if code is None:
            self.service.kill()
            if patience == 60:
                self.complaints.append("the control process did not end within 60 s of SIGTERM")
            self.counts["control processes killed while they ended"] += 1
            self.note("control process killed while it ended")
        else:
            if code != 0:
                self.complaints.append(f"exit code {code} after SIGTERM")
            self.counts["clean restarts"] += 1
            self.slowest_stop = max(self.slowest_stop, time.monotonic() - begin)
            self.note(f"control process ended after {time.monotonic() - begin:.2f} s")
        self.restart()

    def restart(self):
        time.sleep(self.rng.choice([0, 0.05, 0.3, 1]))
        begin = time.monotonic()
        self.service.start()
        # Sometimes killed again before it serves.
        if self.rng.random() < 0.15:
            time.sleep(self.rng.uniform(0, 0.2))
            if self.service.code() is None:
                self.service.kill()
                self.counts["control processes killed while they started"] += 1
                self.note("control process killed while it started")
            begin = time.monotonic()
            self.service.start()
        if not self.service.ready(30):
            self.complaints.append(f"the control process does not serve after 30 s (exit code {self.service.code()})")
        self.slowest_start = max(self.slowest_start, time.monotonic() - begin)
        self.note("control process serves")


def is_frozen(pid):
    return state_of(pid) == "T"
