"""A crash before and after each durable step. The steps are those that the source names, so that
none can be left out."""
import itertools
import os
import pathlib
import re
import time

from cases import Case
from process import Run, run_to_end
from verdict import drop_older_parts

NAMED = re.compile(r'\b(?:failpoint|commit)\(\s*"([a-z_.-]+)"')
# `ebb run` has no topics: tests/storage/topic_faults_test.cpp comes to their steps. Those of a service
# alone: tests/e2e/service_failpoints.py.
SERVICE = ("control.apply", "control.end", "control.event", "control.incarnation", "control.life", "control.restore", "control.savepoint")
# Of files on their way to the control process: tests/e2e/service_store.py.
STORE = ("store.send", "store.write", "store.sync", "store.rename")
ELSEWHERE = ("topic.", "store.", *SERVICE)
CRASHED = 137
SIDES = ("before", "after")


def names(root):
    """All durable steps of the source."""
    found = set()
    for folder in ("storage", "actors", "tools"):
        for path in sorted((pathlib.Path(root) / folder).rglob("*.cpp")):
            found.update(NAMED.findall(path.read_text(encoding="utf-8")))
    return sorted(name for name in found if not name.startswith(ELSEWHERE))


def plain_run(small, folder, arguments, armed):
    return run_to_end(small.ebb, folder, arguments, armed)


def resumed_run(small, folder, arguments, armed):
    """The step belongs to a start with state."""
    run = Run(small.ebb, folder, arguments)
    if run.wait(0.5, lambda: None) is None:
        run.kill()
    return run_to_end(small.ebb, folder, arguments, armed)


def rescaled_run(small, folder, arguments, armed):
    run = Run(small.ebb, folder, arguments)
    if run.wait(0.5) is None:
        run.kill()
    return run_to_end(small.ebb, folder, [*arguments, "--parallelism", "3"], armed)


def save(small, folder, run, stream="sessions"):
    """Makes the savepoint `here` while the run goes on; whether that went well."""
    end = time.monotonic() + 20
    while run.code() is None and time.monotonic() < end:
        code, _ = run_to_end(small.ebb, folder, ["savepoint", stream, "here", "--data", "data"], None, 20)
        if code == 0:
            return True
        time.sleep(0.1)
    return False


def saved_run(small, folder, arguments, armed):
    """The step belongs to savepoints."""
    small.prepare(folder, seconds=2.0)
    run = Run(small.ebb, folder, arguments, armed)
    save(small, folder, run)
    code = run.wait(60)
    if code is None:
        run.kill()
    return code, run.said()


def rewound_run(small, folder, arguments, armed, stream="sessions"):
    """The step belongs to going back to a savepoint."""
    small.prepare(folder, seconds=2.0)
    run = Run(small.ebb, folder, arguments)
    saved = save(small, folder, run, stream)
    run.wait(0.5)
    run.kill()
    assert saved, f"no savepoint: {run.said()}"
    return run_to_end(small.ebb, folder, ["run", f"{stream}.yaml", "--data", "data", "--from", "here",
                                          "--sinks", "rewind"], armed)


def parts_taken_back_run(small, folder, arguments, armed):
    """The same where the sink writes a folder of parts."""
    return rewound_run(small, folder, arguments, armed, "hop")


def fresh_run(small, folder, arguments, armed):
    """The step belongs to dropping state."""
    run = Run(small.ebb, folder, arguments)
    if run.wait(0.5) is None:
        run.kill()
    return run_to_end(small.ebb, folder, [*arguments, "--from", "fresh", "--yes"], armed)


SHAPES = (plain_run, resumed_run, saved_run, rescaled_run, rewound_run, parts_taken_back_run, fresh_run)


def crash_at(small, folder, name, side, nth):
    """Dies at the n-th time, or at the first where there is no n-th; some run must come to it."""
    for times, shape in itertools.product(sorted({nth, 1}, reverse=True), SHAPES):
        place = folder / f"{shape.__name__}-{times}"
        arguments = small.prepare(place)
        armed = {"EBB_FAILPOINT": f"{name}:{side}:{times}"}
        code, said = shape(small, place, arguments, armed)
        if code == 0:
            continue  # not reached in this shape
        assert code == CRASHED, f"{shape.__name__}: exit {code}, wanted {CRASHED}: {said[-1500:]}"
        watch = None
        if shape not in (rewound_run, parts_taken_back_run, fresh_run):  # these may take output back
            # Other threads of the process may have been appending to files when it died.
            small.check_so_far(place, amid_append=True)
            watch = small.watch(place)
        # Once more at the same step, which may now be part of the recovery.
        code, said = run_to_end(small.ebb, place, arguments,
                                {"EBB_FAILPOINT": f"{name}:{side}:1"})
        assert code in (0, CRASHED), f"{shape.__name__}, again: exit {code}: {said[-1500:]}"
        if shape is fresh_run:
            code, said = run_to_end(small.ebb, place, arguments)
            assert code == 0, f"exit {code}: {said[-1500:]}"
            drop_older_parts(place)
            small.check_whole(place)
        else:
            small.finish(place, arguments, watch)
        return
    raise AssertionError("no run came to this step")


def cases(small, root, thorough):
    for name in names(root):
        for side in SIDES:
            for nth in (1, 2, 5) if thorough else (2,):
                yield Case(f"{name}:{side}:{nth}",
                           lambda folder, at=(name, side, nth): crash_at(small, folder, *at))


if __name__ == "__main__":
    print("\n".join(names(os.path.join(os.path.dirname(__file__), "..", ".."))))
