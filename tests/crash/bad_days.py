"""Bad days: state that does not fit, folders in use or not writable, input that has changed. Each
must say what is wrong, where and what to do, and lose nothing: the fault repaired, the stream ends
with the right answer."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

import workload
from cases import Case
from failpoints import save
from process import Run, run_to_end
from verdict import drop_older_parts, judge


def begun(small, folder, seconds=1.2, after=0.7):
    """A run that was killed on its way; its arguments."""
    arguments = small.prepare(folder, seconds)
    run = Run(small.ebb, folder, arguments)
    assert run.wait(after) is None, f"ended by itself: {run.said()}"
    run.kill()
    return arguments


def refused(small, folder, arguments, *wanted, codes=(1, 2, 4), environment=None):
    """The run is refused, says `wanted` and what to do, and touches no output."""
    watch = small.watch(folder)
    for last in (False, True):
        before = {name: file.size for name, file in watch.files.items()}
        code, said = run_to_end(small.ebb, folder, arguments, environment)
        assert code in codes, f"exit {code}, wanted one of {codes}: {said[-1500:]}"
        for text in (*wanted, r"(?m)^hint: \S"):
            assert re.search(text, said), f"{text!r} is not in: {said[-1500:]}"
        watch.verify()
        assert not watch.complaints, watch.complaints
        if {name: file.size for name, file in watch.files.items()} == before:
            return said
        # Committed output of the run's other streams may have waited for its target, once.
        assert not last, "outputs were touched"
    return None


def edit(path, old, new):
    """Returns the function that undoes it."""
    text = path.read_text()
    assert old in text, f"{old!r} is not in {path}"
    path.write_text(text.replace(old, new))
    return lambda: path.write_text(text)


def changed_manifest(name, old, new, *wanted):
    def day(small, folder):
        arguments = begun(small, folder)
        undo = edit(folder / f"{name}.yaml", old, new)
        refused(small, folder, arguments, name, *wanted)
        undo()
        small.finish(folder, arguments, small.watch(folder))
    return day


def two_runs(small, folder):
    arguments = small.prepare(folder, seconds=1.5)
    first = Run(small.ebb, folder, arguments)
    time.sleep(0.5)
    code, said = run_to_end(small.ebb, folder, arguments, seconds=20)
    assert code in (1, 4), f"exit {code}: {said}"
    assert str(first.process.pid) in said, f"does not name process {first.process.pid}: {said}"
    assert first.wait(60) == 0, first.said()
    small.check_whole(folder)


def killed_holder(small, folder):
    """What a killed process leaves behind does not lock the folder."""
    arguments = begun(small, folder)
    assert (folder / "data" / "control.lock").exists()
    small.finish(folder, arguments)


def other_streams_segments(small, folder):
    """Files of one stream in the place of another's."""
    arguments = begun(small, folder)
    kept = folder / "kept"
    shutil.copytree(folder / "data", kept, ignore=shutil.ignore_patterns("*.sock"))
    streams = sorted(x for x in (folder / "data" / "streams").iterdir() if any(x.rglob("*.seg")))
    assert len(streams) >= 2, streams
    for stream, other in zip(streams, streams[1:] + streams[:1]):
        theirs = sorted((kept / "streams" / other.name / "segments").iterdir())
        for path in (stream / "segments").iterdir():
            shutil.copy(theirs[-1], path)
    refused(small, folder, arguments, "data/streams/", "segment")
    shutil.rmtree(folder / "data")
    shutil.copytree(kept, folder / "data")
    small.finish(folder, arguments)


def deleted_control(small, folder):
    """Nothing found for streams that once had records: a hard stop, not a fresh start."""
    arguments = begun(small, folder)
    control = folder / "data" / "control.mdb"
    control.rename(folder / "control.mdb")
    refused(small, folder, arguments, "control.mdb")
    if control.exists():
        control.unlink()
    (folder / "control.mdb").rename(control)
    small.finish(folder, arguments)


def fresh_needs_yes(small, folder):
    arguments = begun(small, folder)
    refused(small, folder, [*arguments, "--from", "fresh"], "--yes")
    small.finish(folder, arguments, small.watch(folder))


def fresh_with_yes(small, folder):
    """Deleting and beginning again adopts nothing of the old state; a folder keeps the old parts."""
    arguments = begun(small, folder)
    code, said = run_to_end(small.ebb, folder, [*arguments, "--from", "fresh", "--yes"])
    assert code == 0, f"exit {code}: {said}"
    drop_older_parts(folder)
    small.check_whole(folder)


def read_only_folder(small, folder):
    arguments = begun(small, folder)
    data = folder / "data"
    if os.geteuid() == 0:
        subprocess.run(["mount", "--bind", data, data], check=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", data], check=True)
        try:
            refused(small, folder, arguments, "data", "[Rr]ead-only")
        finally:
            subprocess.run(["umount", data], check=True)
    else:
        data.chmod(0o555)
        (data / "control.mdb").chmod(0o444)
        try:
            refused(small, folder, arguments, "data", "[Pp]ermission")
        finally:
            data.chmod(0o755)
            (data / "control.mdb").chmod(0o644)
    small.finish(folder, arguments, small.watch(folder))


def network_disk(small, folder):
    """What statfs says is played; the file system itself would need a server."""
    shim = folder / "network_disk.so"
    arguments = small.prepare(folder)
    source = pathlib.Path(__file__).with_name("network_disk.c")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, source, "-ldl"], check=True)
    played = {"LD_PRELOAD": str(shim)}
    refused(small, folder, arguments, r"data: it lies on a (NFS file system|network file system \(NFS\))", "local disk", environment=played)
    assert not any((folder / "data").glob("*")), "something was written"
    begun(small, folder)
    refused(small, folder, arguments, r"data: it lies on a (NFS file system|network file system \(NFS\))", environment=played)
    small.finish(folder, arguments)


def data_is_a_file(small, folder):
    arguments = small.prepare(folder)
    (folder / "data").write_text("not a folder")
    refused(small, folder, arguments, "data")
    (folder / "data").unlink()
    small.finish(folder, arguments)


def own_input(small, folder):
    """A join whose files belong to the case, stopped in their middle; payments are followed, so
    that they are not read to the end."""
    folder.mkdir(parents=True, exist_ok=True)
    small.load.write_manifests(folder, "50ms", 1.0, follow=True)
    lines = small.load.payment_lines
    payments = folder / "payments.ndjson"
    payments.write_text("".join(lines[:len(lines) // 2]))
    arguments = ["run", "join.yaml", "--data", "data"]
    run = Run(small.ebb, folder, arguments)
    assert run.wait(0.8) is None, f"ended by itself: {run.said()}"
    run.kill()
    return arguments, payments, "".join(lines)


def follow_to_the_end(small, folder, arguments, payments, whole):
    payments.write_text(whole)
    run = Run(small.ebb, folder, arguments)
    end = time.monotonic() + 30
    size = -1
    while time.monotonic() < end:
        time.sleep(0.6)
        now = (folder / "join.ndjson").stat().st_size if (folder / "join.ndjson").exists() else 0
        if now == size:
            break
        size = now
    code = run.interrupt()
    assert code == 130, f"exit {code}: {run.said()[-1500:]}"
    verdict = judge(folder, small.expected, streams=("join",))
    assert not verdict.bad(), f"{verdict}\n" + "\n".join(verdict.examples)


def source_shrank(small, folder):
    arguments, payments, whole = own_input(small, folder)
    payments.write_text(whole[:len(whole) // 10])
    refused(small, folder, arguments, "payments.ndjson")
    follow_to_the_end(small, folder, arguments, payments, whole)


def source_changed(small, folder):
    """Same size, other bytes before the position."""
    arguments, payments, whole = own_input(small, folder)
    text = payments.read_text()
    payments.write_text(text.replace('"amount": ', '"amount":1', 3))
    refused(small, folder, arguments, "payments.ndjson")
    follow_to_the_end(small, folder, arguments, payments, whole)


def source_gone(small, folder):
    arguments, payments, whole = own_input(small, folder)
    payments.unlink()
    refused(small, folder, arguments, "payments.ndjson")
    follow_to_the_end(small, folder, arguments, payments, whole)


def target_cut(small, folder):
    """Somebody cut the file that the sink appends to: its committed rows are gone."""
    arguments = begun(small, folder, seconds=2.0, after=1.2)
    path = folder / "sessions.csv"
    text = path.read_bytes()
    assert text.count(b"\n") > 2, "nothing was written yet"
    path.write_bytes(text[:len(text) // 2])
    refused(small, folder, ["run", "sessions.yaml", "--data", "data"], "sessions.csv")
    path.write_bytes(text)
    small.finish(folder, arguments, small.watch(folder))


def stopped_by(number):
    def day(small, folder):
        arguments = small.prepare(folder, seconds=1.5)
        for _ in range(3):
            run = Run(small.ebb, folder, arguments)
            if run.wait(0.5) is not None:
                break
            run.process.send_signal(number)
            code = run.wait(30)
            assert code == 130, f"exit {code}, wanted 130: {run.said()[-1000:]}"
            small.check_so_far(folder)
        small.finish(folder, arguments, small.watch(folder))
    return day


def finished_stays(small, folder):
    """Run again with its data, a finished stream says so, writes nothing, exit 0."""
    arguments = small.prepare(folder, seconds=0.5)
    small.finish(folder, arguments)
    watch = small.watch(folder)
    for extra in ([], ["--parallelism", "2"]):
        said = small.finish(folder, [*arguments, *extra], watch)
        assert "finished" in said, said


def at_least_once(small, folder):
    """Written at once: after a kill rows may come twice; none is lost, and no line is cut."""
    arguments = small.prepare(folder, seconds=1.5)
    for name in workload.STREAMS:
        edit(folder / f"{name}.yaml", "interval: 50ms}", "interval: 50ms, mode: at-least-once}")
    for _ in range(5):
        run = Run(small.ebb, folder, arguments)
        if run.wait(0.45) is not None:
            break
        run.kill()
    code, said = run_to_end(small.ebb, folder, arguments)
    assert code == 0, f"exit {code}: {said[-1500:]}"
    verdict = judge(folder, small.expected)
    assert not verdict.lost + verdict.wrong + verdict.reordered, f"{verdict}\n" + "\n".join(verdict.examples)


def follows_savepoint(stream):
    """Back to a savepoint that the sinks are past: refused; with `--sinks rewind` the answer is
    right."""
    def day(small, folder):
        arguments = small.prepare(folder, seconds=4.0)
        run = Run(small.ebb, folder, arguments)
        assert save(small, folder, run, stream), f"no savepoint: {run.said()}"
        assert run.wait(1.2) is None, run.said()
        run.kill()
        alone = ["run", f"{stream}.yaml", "--data", "data", "--from", "here"]
        refused(small, folder, alone, "here", "--sinks")
        code, said = run_to_end(small.ebb, folder, [*alone, "--sinks", "rewind"])
        assert code == 0, f"exit {code}: {said}"
        assert "took back" in said, said
        small.finish(folder, arguments)
    return day


# Between the staging of an epoch's output and its application.
STAGED = ("output.rename:after", "control.commit:before", "control.commit:after", "apply.rename:before",
          "apply.rename:after", "apply.append:before", "apply.append:after")


def stopped_while_staged(small, folder, arguments, step):
    code, said = run_to_end(small.ebb, folder, arguments, {"EBB_FAILPOINT": f"{step}:3"})
    assert code == 137, f"exit {code}, wanted a crash at {step}: {said[-1000:]}"


def moved(step, absolute):
    """Everything is moved elsewhere while an epoch's output waits."""
    def day(small, folder):
        before, after = folder / "before", folder / "after"
        arguments = small.prepare(before)
        paths = {"hop": "hop/", "join": "join.ndjson", "sessions": "sessions.csv"}
        if absolute:
            for name, path in paths.items():
                edit(before / f"{name}.yaml", f"path: {path}", f"path: {before}/{path}")
        stopped_while_staged(small, before, arguments, step)
        before.rename(after)
        if absolute:
            for name, path in paths.items():
                edit(after / f"{name}.yaml", f"path: {before}/{path}", f"path: {after}/{path}")
        small.finish(after, arguments)
        left = [x.name for x in (after / "hop").iterdir() if x.name.startswith(".")]
        assert not left, left
        assert not before.exists()
    return day


def moved_data(small, folder):
    """The data folder alone goes elsewhere."""
    arguments = small.prepare(folder)
    stopped_while_staged(small, folder, arguments, "apply.append:before")
    (folder / "data").rename(folder / "other")
    small.finish(folder, [*arguments[:-1], "other"])


def copied(small, folder):
    """A copy and the original go on, each with what waits for it."""
    one, two = folder / "one", folder / "two"
    arguments = small.prepare(one)
    stopped_while_staged(small, one, arguments, "apply.rename:before")
    shutil.copytree(one, two, ignore=shutil.ignore_patterns("*.sock"))
    small.finish(two, arguments)
    small.finish(one, arguments)


DAYS = {
    "two runs on one folder": two_runs,
    "the lock of a killed process": killed_holder,
    "files of another stream": other_streams_segments,
    "control database gone": deleted_control,
    "fresh without --yes": fresh_needs_yes,
    "fresh with --yes": fresh_with_yes,
    "read-only folder": read_only_folder,
    "network file system": network_disk,
    "--data is a file": data_is_a_file,
    "source shrank": source_shrank,
    "source changed": source_changed,
    "source gone": source_gone,
    "target cut": target_cut,
    "SIGINT thrice": stopped_by(signal.SIGINT),
    "SIGTERM thrice": stopped_by(signal.SIGTERM),
    "a finished stream": finished_stays,
    "at least once": at_least_once,
    "back to a savepoint": follows_savepoint("sessions"),
    "back to a savepoint, parts": follows_savepoint("hop"),
    **{f"moved at {step}": moved(step, False) for step in STAGED},
    **{f"moved with its paths at {step}": moved(step, True) for step in STAGED[2:4] + STAGED[-1:]},
    "data moved": moved_data,
    "copied": copied,
    "other key groups": changed_manifest("hop", "spec:\n", "spec:\n  maxParallelism: 64\n", "128", "64"),
    "other key types": changed_manifest("sessions", "user_id BIGINT", "user_id INTEGER", "visits/.* keeps other state"),
    "another operator": changed_manifest("hop", "- name: hops", "- name: jumps", "hops/.* is gone", "onChange: reset"),
    "another column as key": changed_manifest("hop", "auction", "bidder", "hops", "keys bidder", "before of keys auction"),
    "another column in an aggregate": changed_manifest("sessions", "sum(n) AS total", "sum(user_id) AS total", "visits", "sum\\(user_id\\)"),
    "another key": changed_manifest("hop", "window_end, auction\n", "window_end, auction, bidder\n", "hops/.* keeps other state"),
    "another window": changed_manifest("hop", "INTERVAL '20 seconds'", "INTERVAL '30 seconds'", "hops/.* keeps other state"),
    "another gap": changed_manifest("sessions", "INTERVAL '4 seconds'", "INTERVAL '5 seconds'", "visits/.* keeps other state"),
    "another aggregate": changed_manifest("sessions", "max(n) AS last", "avg(n) AS last", "visits/.* keeps other state"),
}


def cases(small):
    for name, day in DAYS.items():
        yield Case(f"days:{name}", lambda folder, run=day: run(small, pathlib.Path(folder)))
