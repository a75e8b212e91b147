#!/usr/bin/env python3
"""short_run.py TARGET CORPUS SECONDS [DICTIONARY]: every file of the corpus, then random inputs.

Each file is a case, the random inputs together one more. What breaks a promise is kept beside the
program. Ends in `N passed, N failed`.
"""
import os
import re
import subprocess
import sys
import tempfile

LIMITS = ["-timeout=60", "-rss_limit_mb=1024"]


def run(target, *arguments):
    # Meson ends a test that hangs; libFuzzer itself ends an input that takes long.
    return subprocess.run([target, *LIMITS, f"-artifact_prefix={os.path.dirname(target)}/", *arguments],
                          text=True, errors="replace", capture_output=True, check=False)


def replay(target, files):
    """The files that fail. libFuzzer stops at the first one, so the others run after it."""
    failed = []
    while files:
        done = run(target, *files)
        if done.returncode == 0:
            break
        count = len(re.findall(r"^Executed ", done.stderr, re.M))
        failed.append(files[count])
        print(f"{files[count]}:\n{done.stderr[-4000:]}")
        files = files[count + 1:]
    return failed


def main():
    target, corpus, seconds, *dictionary = sys.argv[1:]
    files = sorted(os.path.join(corpus, name) for name in os.listdir(corpus))
    failed = len(replay(target, files))
    with tempfile.TemporaryDirectory() as found:
        done = run(target, "-seed=1", f"-max_total_time={seconds}", "-print_final_stats=1",
                   *[f"-dict={path}" for path in dictionary], found, corpus)
    stats = dict(re.findall(r"^stat::(\w+):\s+(\d+)", done.stderr, re.M))
    print(f"{len(files)} files, {stats.get('number_of_executed_units', '?')} inputs")
    if done.returncode != 0:
        failed += 1
        print(done.stderr[-8000:])
    print(f"{len(files) + 1 - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
