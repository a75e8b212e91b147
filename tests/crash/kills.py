"""Real kills: three streams at full speed or paced, ended with SIGKILL again and again until all
input is worked off. Their outputs must then hold every row once, in order, and must never have
changed on the way."""
import dataclasses
import itertools
import math
import random
import shutil
import time

import workload
from process import Run, run_to_end
from verdict import Verdict, Watch, judge, output_of


@dataclasses.dataclass
class Tally:
    rounds: int = 0
    runs: int = 0
    kills: int = 0
    interrupts: int = 0
    rescaled: int = 0
    rows: int = 0
    verdict: Verdict = dataclasses.field(default_factory=Verdict)
    complaints: list = dataclasses.field(default_factory=list)


class Feeder:
    """Writes the payments' file while the stream follows it; cuts lines in two on the way."""

    def __init__(self, path, lines, seconds, rng):
        self.data = "".join(lines).encode()
        self.path = path
        self.path.write_bytes(b"")
        self.rate = len(self.data) / seconds
        self.begin = time.monotonic()
        self.rng = rng
        self.at = 0

    def feed(self):
        allowed = min(len(self.data), int((time.monotonic() - self.begin) * self.rate))
        if allowed - self.at > 4096 * self.rng.random() or allowed == len(self.data):
            with open(self.path, "ab") as file:
                file.write(self.data[self.at:allowed])
            self.at = allowed

    def done(self):
        return self.at == len(self.data)


class Round:
    # After this time it may work off the rest undisturbed.
    KILLING_SECONDS = 25
    FINISH_SECONDS = 180

    def __init__(self, ebb, folder, load, expected, interval, rng):
        self.ebb, self.folder, self.load, self.expected, self.rng = ebb, folder, load, expected, rng
        folder.mkdir(parents=True)
        seconds = rng.choice([None, None, 2, 4, 7])
        self.follow = rng.random() < 0.4
        self.manifests = load.write_manifests(folder, interval, seconds, self.follow)
        self.feeder = Feeder(folder / "payments.ndjson", load.payment_lines, rng.choice([1, 3, 6]), rng) \
            if self.follow else None
        self.watch = Watch(folder)
        self.shape = f"{'paced' if seconds else 'as fast as it goes'}{', followed file' if self.follow else ''}"
        self.looked = 0.0
        self.complete_since = None
        self.sizes = {}
        self.complaints = []

    def poll(self):
        if self.feeder:
            self.feeder.feed()
        if time.monotonic() - self.looked > 0.05:
            self.watch.look()
            self.looked = time.monotonic()

    def start(self, tally):
        arguments = ["run", *self.manifests, "--data", "data"]
        if self.rng.random() < 0.5:
            arguments += ["--parallelism", self.rng.choice([1, 2, 3])]
            tally.rescaled += 1
        tally.runs += 1
        return Run(self.ebb, self.folder, arguments)

    def written(self):
        return {name: file.size for name, file in self.watch.files.items()}

    def has_all(self):
        """Of a followed source: all is fed, and the outputs are as long as they must be, or have
        not grown for a while."""
        if not self.feeder.done():
            return False
        sizes = self.written()
        if sizes != self.sizes:
            self.sizes, self.complete_since = sizes, time.monotonic()
            return False
        quiet = time.monotonic() - self.complete_since
        if quiet < 0.5:
            return False
        return quiet > 20 or all(len(output_of(self.folder, stream).lines) >= len(self.expected[stream])
                                 for stream in workload.STREAMS)

    def delay(self):
        # Short ones, which hit the recovery, beside those of 0.2 to 3 s.
        if self.rng.random() < 0.15:
            return self.rng.uniform(0, 0.2)
        return math.exp(self.rng.uniform(math.log(0.2), math.log(3)))

    def disturb(self, run, tally):
        """Ends a run. False when it had come to its end by itself."""
        if self.rng.random() < 0.15:
            tally.interrupts += 1
            code = run.interrupt(30)
            if code == 0 and not self.follow:
                return False
            if code != 130:
                self.complaints.append(f"SIGINT: exit {code}, wanted 130: {run.said()[-500:]}")
        else:
            tally.kills += 1
            run.kill()
        return True

    def run(self, tally, end):
        killing_end = min(end, time.monotonic() + self.KILLING_SECONDS)
        while True:
            run = self.start(tally)
            killing = time.monotonic() < killing_end
            wait_end = time.monotonic() + (self.delay() if killing else self.FINISH_SECONDS)
            code = None
            while code is None and time.monotonic() < wait_end:
                code = run.wait(min(0.25, max(0.0, wait_end - time.monotonic())), self.poll)
                if code is None and self.follow and not killing and self.has_all():
                    break
            if code is None and killing:
                going_on = self.disturb(run, tally)
                self.watch.verify()
                if going_on and not self.broken():
                    continue
                break
            if code is None and self.follow and self.has_all():
                code = run.interrupt(30)
                if code != 130:
                    self.complaints.append(f"SIGINT at the end: exit {code}, wanted 130: {run.said()[-500:]}")
            elif code is None:
                run.kill()
                self.complaints.append(f"not finished after {self.FINISH_SECONDS} s: {run.said()[-500:]}")
            elif code != 0 or self.follow:
                self.complaints.append(f"exit {code}: {run.said()[-500:]}")
            break
        self.watch.verify()
        return self.close(tally)

    def broken(self):
        return self.complaints or self.watch.complaints

    def close(self, tally):
        """The verdict of the round, and one run more, which may change nothing."""
        verdict = judge(self.folder, self.expected)
        if not self.broken():
            before = self.written()
            arguments = ["run", *self.manifests, "--data", "data"]
            if self.follow:
                run = Run(self.ebb, self.folder, arguments)
                run.wait(0.7)
                code, said, wanted = run.interrupt(), run.said(), 130
            else:
                code, said = run_to_end(self.ebb, self.folder, arguments)
                wanted = 0
            if code != wanted:
                self.complaints.append(f"run again: exit {code}, wanted {wanted}: {said[-500:]}")
            elif not self.follow and "finished" not in said:
                self.complaints.append(f"run again: does not say that it is finished: {said[-500:]}")
            self.watch.verify()
            if self.written() != before:
                self.complaints.append("run again: the outputs changed")
        tally.rounds += 1
        tally.rows += verdict.rows
        total = tally.verdict
        for field in ("rows", "lost", "doubled", "wrong", "reordered"):
            setattr(total, field, getattr(total, field) + getattr(verdict, field))
        complaints = self.complaints + self.watch.complaints + verdict.examples
        tally.complaints += complaints
        return not complaints and not verdict.bad()


def run_kills(ebb, folder, seconds, seed, interval, size, only_round=None):
    """Runs rounds until the time is over. Whether all of them were right."""
    load = workload.Workload(ebb, folder / "input", seed, size)
    expected = load.expected()
    tally = Tally()
    bad = 0
    begin = time.monotonic()
    end = begin + seconds
    for number in ([only_round] if only_round is not None else itertools.count()):
        if time.monotonic() >= end and only_round is None:
            break
        rng = random.Random(f"{seed}/{number}")
        one = Round(ebb, folder / f"round-{number}", load, expected, interval, rng)
        before = tally.kills
        began = time.monotonic()
        known = len(tally.complaints)
        if one.run(tally, end):
            shutil.rmtree(one.folder)
        else:
            bad += 1
            print(f"round {number} ({one.shape}): VIOLATION, kept in {one.folder}")
            for text in tally.complaints[known:]:
                print("  " + text.replace("\n", "\n  "))
            print(f"  again: tools/crash --only kills --seconds {seconds} --seed {seed} "
                  f"--interval {interval} --round {number}")
        print(f"round {number} ({one.shape}): {tally.kills - before} kills, "
              f"{time.monotonic() - began:.1f} s", flush=True)
        if bad >= 5:
            print("kills: giving up after five violations")
            break
    print(f"kills: {tally.rounds} rounds, {tally.runs} starts ({tally.rescaled} with another parallelism), "
          f"{tally.kills} kills, {tally.interrupts} interrupts in {time.monotonic() - begin:.0f} s: "
          f"{tally.verdict}; {len(tally.complaints)} complaints")
    return bad == 0 and tally.kills > 0
