#!/usr/bin/env python3
"""run_mutants.py BUILD [--check] [NAME…]: rules broken on purpose, which a simulation must find.

Each `*.patch` here breaks one rule of the production code. Its source files are copied to
BUILD/mutants, patched and compiled with the commands of BUILD, and the program of the simulation, or
of a crash test, is linked with them in place of its own; the tree and BUILD stay as they are. The
mutant must fail, within 1,000 seeds where there are seeds. With --check only: do the patches still apply? The last line is `N passed, N failed`.
"""
import concurrent.futures
import json
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SEEDS = 1000
EBB_SIM = ("tools/ebb", ["sim"])
# Programs of simulations by the folder of what is patched, with their first arguments.
PROGRAMS = {"actors/service/lifecycle": ("tests/service/lifecycle/simulate_lifecycle", [])}
# What only streams of several parts can show.
OF_PARTS = ("commit_without_a_part", "unheard_part")
# The same of crash tests, which have no seeds.
CRASH_TESTS = {"storage": ("tests/test_topics", ["--run_test=topic_faults/a_crash_at_each_durable_step"])}


class survived(Exception):
    """Why a mutant counts as a failure."""


def run(arguments, **more):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, **more)
    if done.returncode != 0:
        raise survived(f"{arguments[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def patched_sources(patch, folder):
    """Copies what the patch is about into the folder and applies it there."""
    names = re.findall(r"^\+\+\+ b/(\S+)", patch.read_text(encoding="utf-8"), re.M)
    if not names or not all(x.endswith(".cpp") for x in names):
        raise survived("a patch changes .cpp files only")
    shutil.rmtree(folder, ignore_errors=True)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    run(["patch", "--quiet", "--no-backup-if-mismatch", "-p1", "-d", str(folder), "-i", str(patch)])
    return names


def compiled(build, names, folder):
    """Objects of the patched sources, made as the build makes them."""
    commands = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    objects = []
    for name in names:
        entry = next((x for x in commands if (build / x["file"]).resolve() == ROOT / name), None)
        if entry is None:
            raise survived(f"{name} is not part of the build")
        made = folder / (name.replace("/", "_") + ".o")
        arguments = shlex.split(entry["command"])
        for i, x in enumerate(arguments):
            if x == entry["file"]:
                arguments[i] = str(folder / name)
            elif i > 0 and arguments[i - 1] in ("-o", "-MQ"):
                arguments[i] = str(made)
            elif i > 0 and arguments[i - 1] == "-MF":
                arguments[i] = str(made) + ".d"
        run(arguments, cwd=build)
        objects.append(str(made))
    return objects


def linked(build, program, objects, folder):
    """The program with these objects: what they define is not taken from the archives."""
    link = run(["ninja", "-C", str(build), "-t", "commands", program]).strip().splitlines()[-1]
    arguments = shlex.split(link)
    at = arguments.index("-o")
    mutant = folder / pathlib.Path(program).name
    arguments[at + 1] = str(mutant)
    run(arguments[:at + 2] + objects + arguments[at + 2:], cwd=build)
    return mutant


def hunt(build, patch, only_check):
    folder = build / "mutants" / patch.stem
    names = patched_sources(patch, folder)
    if only_check:
        return "applies"
    folder_of_patched = str(pathlib.Path(names[0]).parent)
    has_seeds = folder_of_patched not in CRASH_TESTS
    program, arguments = (PROGRAMS.get(folder_of_patched, EBB_SIM) if has_seeds
                          else CRASH_TESTS[folder_of_patched])
    if patch.stem in OF_PARTS:
        arguments = [*arguments, "--parts"]
    mutant = linked(build, program, compiled(build, names, folder), folder)
    start = time.monotonic()
    try:
        seeds = ["--seed", "1", "--count", str(SEEDS)] if has_seeds else []
        done = subprocess.run([str(mutant), *arguments, *seeds], capture_output=True, text=True, timeout=600,
                              check=False)
    except subprocess.TimeoutExpired as late:
        raise survived("the simulation does not end") from late
    if not has_seeds:
        failures = re.findall(r"error: (in .*)$", done.stdout, re.M)
        if done.returncode == 0 or not failures:
            raise survived("survived the crash test")
        return f"found in {time.monotonic() - start:.1f} s: {failures[0][:160]}"
    found = re.findall(r"^seed (\d+).*$", done.stdout, re.M)
    if done.returncode == 0 or not found:
        raise survived(f"survived {SEEDS} seeds")
    line = re.findall(r"^seed \d+.*$", done.stdout, re.M)[-1]
    return f"found in {time.monotonic() - start:.1f} s: {line[:160]}"


def main():
    arguments = [x for x in sys.argv[1:] if x != "--check"]
    if not arguments:
        print(__doc__)
        return 2
    build = pathlib.Path(arguments[0]).resolve()
    patches = [x for x in sorted(HERE.glob("*.patch"))
               if not arguments[1:] or x.stem in arguments[1:]]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        hunts = {x: pool.submit(hunt, build, x, "--check" in sys.argv) for x in patches}
        for patch, result in hunts.items():
            try:
                print(f"{patch.stem}: {result.result()}", flush=True)
                passed += 1
            except survived as why:
                print(f"{patch.stem}: FAILED: {why}", flush=True)
                failed += 1
    if not patches:
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
