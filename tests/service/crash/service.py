#!/usr/bin/env python3
"""Kills the service's processes and checks what its topics hold.

    service.py EBB [--seconds N] [--cycles N] [--seed S] [--store link]

--seconds: kill -9 of the control process and of workers every 1 to 3 s for that long, under traffic.
--cycles: that many falls asleep and wakes under random traffic, without kills.
Both, one after the other, where both are given. Ends in `N passed, N failed`; what belongs to a violation
is kept, and the command that repeats it is printed. A seed repeats the plan; real processes are never
twice at the same place.
"""
import argparse
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time

import checker
from chain import Chain, apply
from killer import Killer
from service_process import Service, Unanswered
from verdict import Verdict

PHASES = ("decide", "grant", "place", "start", "map", "firstRecord", "firstOutput")


def read_arguments():
    parser = argparse.ArgumentParser(description="Kills the service's processes and checks what its topics hold.")
    parser.add_argument("ebb")
    parser.add_argument("--seconds", type=float, default=0, help="how long to kill")
    parser.add_argument("--cycles", type=int, default=0, help="falls asleep and wakes without kills")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--store", choices=("folder", "link"), default="folder", help="of workers (ebb up --store)")
    parser.add_argument("--keep", action="store_true", help="keep the folder")
    arguments = parser.parse_args()
    if not arguments.seconds and not arguments.cycles:
        arguments.seconds = 600
    return arguments


def share(values, part):
    return values[min(len(values) - 1, int(len(values) * part))] if values else 0


def print_wakes(wakes):
    causes = {}
    for x in wakes:
        causes[x["cause"]] = causes.get(x["cause"], 0) + 1
    print(f"  wakes: {len(wakes)} ({', '.join(f'{n} {x}' for x, n in sorted(causes.items()))})")
    from_sleep = [x for x in wakes if x["cause"] == "InputArrived"]
    if not from_sleep:
        return
    print(f"  {'ms after the trigger':<22} {'p50':>8} {'p90':>8} {'p99':>8} {'max':>8} {'count':>6}")
    for phase in PHASES:
        values = sorted(x["millisAfterTrigger"][phase] for x in from_sleep if phase in x["millisAfterTrigger"])
        if values:
            print(f"  {phase:<22} {share(values, .5):>8.1f} {share(values, .9):>8.1f} {share(values, .99):>8.1f} "
                  f"{values[-1]:>8.1f} {len(values):>6}")


def end_service(service, verdict):
    """A clean end, after which nothing of it runs."""
    begin = time.monotonic()
    said = service.log.stat().st_size
    code = service.stop(60)
    if code != 0:
        verdict.say("end", f"exit code {code} within 60 s of SIGTERM")
    took = time.monotonic() - begin
    while service.workers() and time.monotonic() - begin < took + 5:
        time.sleep(0.05)
    left = service.workers()
    if left:
        verdict.say("processes left", str(left))
    # Workers end by themselves.
    for line in service.log.read_bytes()[said:].decode(errors="replace").splitlines():
        if "killed by signal" in line:
            verdict.say("end", line)
    print(f"  ended in {took:.2f} s")


def settle(service, chains, verdict, seconds, begin):
    """From the last message to the verdict."""
    for chain in chains:
        chain.end_traffic()
    print(f"  traffic ended after {time.monotonic() - begin:.0f} s", flush=True)
    ended = time.monotonic()
    for chain in chains:
        hindrance = chain.wait_quiet(seconds)
        if hindrance:
            verdict.say("not quiet", hindrance)
    print(f"  quiet {time.monotonic() - ended:.1f} s later", flush=True)
    wakes, errors, latencies = [], {}, []
    for chain in chains:
        chain.judge(verdict)
        chain.keep_events(service.folder)
        wakes += chain.wakes()
        for text, count in chain.errors().items():
            errors[text] = errors.get(text, 0) + count
        for text in chain.failed():
            verdict.say("failed", text)
        latencies += chain.latencies
    for line in service.strange_ends():
        verdict.say("crashed", line)
    requests = [x for chain in chains for p in chain.producers for x in p.requests]
    rows = {x: sum(chain.rows[x] for chain in chains) for x in Chain.TOPICS}
    print(f"  requests: {len(requests)}, {sum(x.ranges is not None for x in requests)} acknowledged, "
          f"{sum(p.retries for c in chains for p in c.producers)} attempts without answer, "
          f"{sum(p.duplicates for c in chains for p in c.producers)} answered as duplicates, "
          f"{sum(p.repeated for c in chains for p in c.producers)} sent again later")
    print(f"  messages: {sum(len(x.rows) for x in requests if x.ranges is not None)} acknowledged; rows in "
          + ", ".join(f"{x} {n}" for x, n in rows.items())
          + f"; {sum(c.windows for c in chains)} windows")
    print_wakes(wakes)
    latencies.sort()
    if latencies:
        values = [x[0] for x in latencies]
        print(f"  event to result, s: p50 {share(values, .5):.3f}, p90 {share(values, .9):.3f}, "
              f"p99 {share(values, .99):.3f}, max {values[-1]:.3f}")
    for text, count in sorted(errors.items(), key=lambda x: -x[1])[:12]:
        print(f"  {count} × {text}")
    return latencies


def slowest(latencies, killer, folder):
    """What happened around the row that waited the longest for its result."""
    (folder / "kills.txt").write_text("".join(
        f"{time.strftime('%H:%M:%S', time.gmtime(at))}.{int(at * 1000) % 1000:03} {what}\n" for at, what in killer.events))
    if not latencies:
        return
    took, when, row = latencies[-1]
    print(f"  slowest recovery: {took:.2f} s ({row}); control process served within {killer.slowest_start:.2f} s, "
          f"ended within {killer.slowest_stop:.2f} s; meanwhile:")
    shown = [x for x in killer.events if when - took - 3 <= x[0] <= when]
    for at, what in shown[-25:]:
        print(f"    {at - (when - took):+7.2f} s {what}")


def run_kills(arguments, folder, verdict):
    rng = random.Random(f"{arguments.seed}-kills")
    service = Service(os.path.abspath(arguments.ebb), folder, "--store", arguments.store)
    begin = time.monotonic()
    try:
        service.start()
        if not service.ready(30):
            verdict.say("start", f"not ready: {service.log.read_text(errors='replace')[-500:]}")
            return
        idle, interval = rng.choice(["1s", "2s", "3s"]), rng.choice(["100ms", "200ms"])
        parallelism = rng.choice([1, 2])
        # Two chains: a kill finds streams in all states. Streams of one are spread over workers; with
        # parallelism 1 the second one has nothing to do.
        chains = [Chain(service, x, arguments.seed, 4, idle, interval, parallelism, busy, True, workers)
                  for x, busy, workers in (("", 0.8, 2), ("-2", 0.3, 1))]
        print(f"  idleAfter {idle}, checkpoints every {interval}, parallelism {parallelism}, "
              "one chain over 2 workers", flush=True)
        apply(service, chains)
        for chain in chains:
            chain.begin()
        killer = Killer(service, rng, arguments.seconds)
        killer.start()
        killer.join()
        for text in killer.complaints:
            verdict.say("control process", text)
        print("  " + ", ".join(f"{n} {what}" for what, n in sorted(killer.counts.items()))
              + f"; {service.starts} starts", flush=True)
        slowest(settle(service, chains, verdict, 180, begin), killer, folder)
        end_service(service, verdict)
    finally:
        service.end_all()


def check_use(verdict, early, late):
    """What a cycle leaves behind shows after many of them."""
    for who, before, after in zip(("control process", "largest worker"), early, late):
        print(f"  {who}: {before[0]:.0f} MB, {before[1]} files, {before[2]} threads after a quarter; "
              f"{after[0]:.0f} MB, {after[1]} files, {after[2]} threads at the end")
        if after[0] > before[0] + 64 or after[1] > before[1] + 48 or after[2] > before[2] + 16:
            verdict.say("growth", f"{who}: {before} to {after}")


def run_cycles(arguments, folder, verdict):
    service = Service(os.path.abspath(arguments.ebb), folder, "--store", arguments.store)
    begin = time.monotonic()
    try:
        service.start()
        if not service.ready(30):
            verdict.say("start", f"not ready: {service.log.read_text(errors='replace')[-500:]}")
            return
        chains = [Chain(service, f"-{i}", arguments.seed, 2, "1ms", "100ms", 1, 0.0, False)
                  for i in range(1, 5)]
        apply(service, chains)
        for chain in chains:
            chain.begin()
        # Each cycle takes about the shortest time that a stream stays awake.
        patience = 120 + arguments.cycles * 3
        wakes = 0
        early = None
        while wakes < arguments.cycles:
            if time.monotonic() - begin > patience:
                verdict.say("slow", f"only {wakes} wakes in {patience} s")
                break
            if service.code() is not None:
                verdict.say("control process", f"ended by itself: {service.code()}")
                return
            time.sleep(0.5)
            try:
                wakes = sum(x["cause"] == "InputArrived" for chain in chains for x in chain.wakes())
            except Unanswered as problem:
                verdict.say("unanswered", str(problem))
                break
            if early is None and wakes >= arguments.cycles / 4:
                early = service.use()
        print(f"  {wakes} wakes in {time.monotonic() - begin:.0f} s", flush=True)
        check_use(verdict, early or service.use(), service.use())
        settle(service, chains, verdict, 60, begin)
        end_service(service, verdict)
    finally:
        service.end_all()


def main():
    # Started in the background, it would hand on that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = read_arguments()
    # Short: the path of a socket lies below it.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ebb-svc-"))
    passed = failed = 0
    for text in checker.run(arguments.seed):
        failed += 1
        print(f"VIOLATION of the checks themselves: {text}")
    passed += not failed
    modes = [(f"--seconds {arguments.seconds:g}", run_kills)] if arguments.seconds else []
    modes += [(f"--cycles {arguments.cycles}", run_cycles)] if arguments.cycles else []
    for wish, run in modes:
        name = wish.split()[0].strip("-")
        again = f"tools/crash service {wish} --seed {arguments.seed} --store {arguments.store}"
        print(f"{again}", flush=True)
        verdict = Verdict()
        below = folder / name
        below.mkdir()
        try:
            run(arguments, below, verdict)
        except (Unanswered, RuntimeError) as problem:
            verdict.say("unanswered", str(problem))
        for text in verdict.violations:
            print(f"  VIOLATION {text}")
        if verdict.counts:
            print(f"  violations: {dict(verdict.counts)}; kept: {below}; again: {again}")
        failed += bool(verdict.counts)
        passed += not verdict.counts
    if not failed and not arguments.keep:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
