"""Many small cases at once: each has a folder of its own and fails by an AssertionError."""
import concurrent.futures
import dataclasses
import pathlib
import shutil
import threading
import traceback
import typing

import workload
from process import run_to_end
from verdict import Watch, judge


@dataclasses.dataclass
class Case:
    name: str
    run: typing.Callable[[pathlib.Path], object]


def run_cases(cases, folder, again, workers=3):
    """(passed, failed). `again`: the command that runs one case, before its name."""
    lock = threading.Lock()
    counts = [0, 0]

    def one(number, case):
        place = folder / str(number)
        place.mkdir(parents=True)
        problem = None
        try:
            case.run(place)
        except AssertionError as error:
            problem = str(error)
        except Exception:  # what a case did not expect is its failure, not the end of all
            problem = traceback.format_exc()
        with lock:
            counts[problem is not None] += 1
            if problem is None:
                shutil.rmtree(place, ignore_errors=True)
                return
            print(f"FAILED {case.name}: kept in {place}\n  " + problem[:2000].replace("\n", "\n  "))
            print(f"  again: {again} --case '{case.name}'", flush=True)

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for done in [pool.submit(one, number, case) for number, case in enumerate(cases)]:
            done.result()
    return tuple(counts)


class Small:
    """A small workload, what it must write, and what is asked of every case."""

    def __init__(self, ebb, folder, seed, size=workload.SMALL):
        self.ebb = ebb
        self.load = workload.Workload(ebb, folder / "input", seed, size)
        self.expected = self.load.expected()

    def prepare(self, folder, seconds=1.0, interval="50ms"):
        """Arguments of `ebb` for a new run in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        return ["run", *self.load.write_manifests(folder, interval, seconds), "--data", "data"]

    def check_so_far(self, folder, watch=None, amid_append=False):
        """No row that is wrong, doubled or out of order; nothing that was there has changed.
        `amid_append`: as `judge` has it."""
        verdict = judge(folder, self.expected, whole=False, amid_append=amid_append)
        assert not verdict.bad(), f"{verdict}\n" + "\n".join(verdict.examples)
        if watch:
            watch.verify()
            assert not watch.complaints, "\n".join(watch.complaints)

    def check_whole(self, folder, watch=None):
        verdict = judge(folder, self.expected)
        assert not verdict.bad(), f"{verdict}\n" + "\n".join(verdict.examples)
        if watch:
            watch.verify()
            assert not watch.complaints, "\n".join(watch.complaints)

    def finish(self, folder, arguments, watch=None, seconds=60):
        """Runs to the end without a fault: the answer is right."""
        code, said = run_to_end(self.ebb, folder, arguments, seconds=seconds)
        assert code == 0, f"the run after it: exit {code}: {said[-1500:]}"
        self.check_whole(folder, watch)
        return said

    def watch(self, folder):
        watch = Watch(folder)
        watch.look()
        return watch
