#!/usr/bin/env python3
"""Proof by killing: real processes, an independent checker.

    crash.py EBB [--all] [--only SUITE[,SUITE]] [--seconds N] [--seed S] [--interval 200ms]

SUITE: checker, kills, revised, failpoints, faults, power, damage, days. Ends in `N passed, N failed`; exit code 1 on any
violation. What belongs to a violation is kept, and the command that repeats it is printed.
"""
import argparse
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import time

import bad_days
import checker
import damage
import failpoints
import faults
import kills
import power
import revised
import workload
from cases import Case, Small, run_cases

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUITES = ("checker", "kills", "revised", "failpoints", "faults", "power", "damage", "days")


def suites(text):
    chosen = text.split(",")
    unknown = [x for x in chosen if x not in SUITES]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]}: not one of {', '.join(SUITES)}")
    return chosen


def read_arguments():
    parser = argparse.ArgumentParser(description="Kills ebb and checks what it wrote.")
    parser.add_argument("ebb")
    parser.add_argument("--all", action="store_true", help="every case; else a share of them")
    parser.add_argument("--only", type=suites, metavar="SUITE[,SUITE]", help=", ".join(SUITES))
    parser.add_argument("--seconds", type=float, default=600, help="how long to kill (600)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--interval", default="200ms", help="between checkpoints (200ms)")
    parser.add_argument("--size", choices=("small", "medium", "large"),
                        help="input of a round of kills (large; medium for less than five minutes)")
    parser.add_argument("--round", type=int, help="only this round of kills")
    parser.add_argument("--case", help="only cases whose name contains this")
    parser.add_argument("--workers", type=int, default=3, help="cases at once (3)")
    return parser.parse_args()


def main():
    # Started in the background, it would hand on that SIGINT is ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    arguments = read_arguments()
    chosen = arguments.only or (list(SUITES) if arguments.all else ["checker", "kills"])
    ebb = os.path.abspath(arguments.ebb)
    # Short: the path of a socket lies below it.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="ebb-crash-"))
    passed = failed = 0
    if "kills" in chosen and not arguments.case:
        size = arguments.size or ("large" if arguments.seconds >= 300 else "medium")
        size = getattr(workload, size.upper())
        right = kills.run_kills(ebb, folder / "kills", arguments.seconds, arguments.seed,
                                arguments.interval, size, arguments.round)
        passed += right
        failed += not right
    others = [suite for suite in chosen if suite != "kills"]
    if others:
        small = Small(ebb, folder / "small", arguments.seed)
        for suite in others:
            begin = time.monotonic()
            cases = {
                "checker": lambda: checker.cases(small),
                "revised": lambda: revised.cases(ebb, Case, arguments.seed, arguments.all),
                "failpoints": lambda: failpoints.cases(small, ROOT, arguments.all),
                "faults": lambda: faults.cases(small, folder / "shim", arguments.all),
                "power": lambda: power.cases(small, folder / "recorder", arguments.seed, arguments.all),
                "damage": lambda: damage.cases(small, arguments.seed, arguments.all),
                "days": lambda: bad_days.cases(small),
            }[suite]()
            cases = [case for case in cases if (arguments.case or "") in case.name]
            again = f"tools/crash --only {suite} --seed {arguments.seed}{' --all' if arguments.all else ''}"
            good, bad = run_cases(cases, folder / suite, again, arguments.workers)
            passed += good
            failed += bad
            print(f"{suite}: {good} passed, {bad} failed, {time.monotonic() - begin:.0f} s", flush=True)
    if not failed:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
