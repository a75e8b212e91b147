#!/usr/bin/env python3
"""run_tests.py ROOT "FOLDER ARGUMENTS…"…: runs Meson's tests and adds up what they say.

A Boost.Test program counts its test cases, a script prints `N passed, N failed` as its last line;
anything else counts as one. A test that cannot run here exits with 77 and says why: it is counted as
skipped. The last line printed is the sum. Exit status 1 when something failed.
"""
import json
import os
import re
import subprocess
import sys

BOOST = re.compile(r"(\d+) test cases? out of (\d+) (passed|failed|aborted|skipped)")
SKIPPED = re.compile(r"^skipped: (.*)$", re.M)
PLAIN = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)


def count(test):
    """Passed and failed of one entry of Meson's log."""
    text = (test.get("stdout") or "") + "\n" + (test.get("stderr") or "")
    ok = test["result"] in ("OK", "EXPECTEDFAIL")
    plain = PLAIN.findall(text)
    if plain:
        passed, failed = (int(n) for n in plain[-1])
        return passed, failed if ok or failed else 1
    boost = BOOST.findall(text)
    if boost:
        total = int(boost[0][1])
        passed = sum(int(n) for n, _, what in boost if what == "passed")
        failed = total - passed
        return passed, failed if ok or failed else 1
    return (1, 0) if ok else (0, 1)


def run(folder, arguments):
    """Meson's log of one test run in a build folder; empty when nothing ran."""
    environment = dict(os.environ, BOOST_TEST_REPORT_LEVEL="short", BOOST_TEST_COLOR_OUTPUT="no")
    log = os.path.join(folder, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.remove(log)
    # Sanitized frames are several times as large.
    stack = [] if os.path.basename(folder) == "build" else ["prlimit", "--stack=67108864:"]
    subprocess.run([*stack, "meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs",
                    *arguments], env=environment, check=False)
    try:
        with open(log, encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]
    except FileNotFoundError:
        return []


def main():
    root, *runs = sys.argv[1:]
    passed = failed = 0
    rows = []
    skipped = []
    for one in runs:
        folder, *arguments = one.split()
        tests = run(os.path.join(root, folder), arguments)
        if not tests:
            print(f"no test ran in {folder}/")
            failed += 1
        for test in tests:
            if test["result"] == "SKIP":
                why = SKIPPED.search(test.get("stdout") or "")
                skipped.append((test["name"], why[1] if why else "it does not say why"))
                continue
            good, bad = count(test)
            passed += good
            failed += bad
            rows.append((folder, test["name"], good, bad, test["duration"]))
    print(f"\n{'build':<12} {'suite':<28} {'passed':>7} {'failed':>7} {'seconds':>8}")
    for folder, name, good, bad, seconds in rows:
        print(f"{folder:<12} {name:<28} {good:>7} {bad:>7} {seconds:>8.1f}")
    for name, why in skipped:
        print(f"skipped: {name}: {why}")
    if skipped:
        print(f"{len(skipped)} skipped")
    print(f"\n{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
