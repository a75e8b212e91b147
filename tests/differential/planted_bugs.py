#!/usr/bin/python3
"""Plants bugs into copies of the engine's sources, one at a time: the comparison must find each.

    planted_bugs.py BUILD [--seed N] [--expressions N] [--only WORD]

BUILD is the build folder, with everything built. Nothing in it and nothing in the sources changes:
the file with the bug is compiled aside and linked before the libraries. Ends with
`N passed, N failed`; a bug that is not found, or whose place in the source is gone, fails.
"""
import argparse
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tempfile

from bugs import BUGS

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class Builder:
    def __init__(self, build, folder):
        self.build = build
        self.folder = folder
        commands = json.loads((build / "compile_commands.json").read_text())
        self.compile_of = {}
        for entry in commands:
            source = os.path.relpath((pathlib.Path(entry["directory"]) / entry["file"]).resolve(), ROOT)
            self.compile_of[source] = shlex.split(entry["command"])
        last = subprocess.run(["ninja", "-C", build, "-t", "commands", "tests/run_manifests"], check=True,
                              capture_output=True, text=True).stdout.splitlines()[-1]
        self.link = shlex.split(last)

    def program(self, bug):
        """Path of run_manifests with the bug; raises ValueError when its place is not there."""
        text = (ROOT / bug.file).read_text()
        if text.count(bug.right) != 1:
            raise ValueError(f"{text.count(bug.right)} places for it in {bug.file}")
        planted = self.folder / bug.file
        planted.parent.mkdir(parents=True, exist_ok=True)
        planted.write_text(text.replace(bug.right, bug.wrong))
        objects = []
        try:
            for source in bug.compiled or [bug.file]:
                objects.append(self.folder / (source.replace("/", "_") + ".o"))
                command = list(self.compile_of[source])
                file = planted if source == bug.file else ROOT / source
                command[command.index("-o") + 1] = str(objects[-1])
                command[-1] = str(file)
                for option in ("-MF", "-MQ"):
                    at = command.index(option)
                    del command[at:at + 2]
                command.remove("-MD")
                command.insert(command.index("-c"), f"-I{self.folder}")
                # The planted header comes before the one of the project.
                first = next(n for n, word in enumerate(command) if word.startswith("-I"))
                command.insert(first, f"-I{self.folder}")
                subprocess.run(command + ["-w", "-O1"], cwd=self.build, check=True)
        finally:
            planted.unlink()
        program = self.folder / "run_manifests"
        link = list(self.link)
        link[link.index("-o") + 1] = str(program)
        at = next(n for n, word in enumerate(link) if word.endswith(".o") and n > 0)
        link[at:at] = map(str, objects)
        subprocess.run(link, cwd=self.build, check=True)
        return program


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("build", type=pathlib.Path)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--expressions", type=int, default=5000)
    arguments.add_argument("--only", default="")
    options = arguments.parse_args()
    found = missed = 0
    with tempfile.TemporaryDirectory(prefix="ebb-planted-") as folder:
        builder = Builder(options.build.resolve(), pathlib.Path(folder))
        for bug in BUGS:
            if options.only not in bug.what:
                continue
            try:
                program = builder.program(bug)
            except ValueError as problem:
                print(f"STALE  {bug.what}: {problem}", flush=True)
                missed += 1
                continue
            run = subprocess.run([sys.executable, HERE / "differential.py", program, "--seed", str(options.seed),
                                  "--expressions", str(options.expressions), "--queries", "0", "--stop"],
                                 capture_output=True, text=True)
            lines = run.stdout.splitlines()
            shown = next((n for n, line in enumerate(lines) if line.startswith("DIFFERENT")), None)
            if shown is None:
                print(f"MISSED {bug.what}: {run.stderr.strip()}", flush=True)
                missed += 1
            else:
                print(f"found  {bug.what}\n  {lines[shown][:150]}\n{lines[shown + 1][:150]}", flush=True)
                found += 1
    print(f"{found} passed, {missed} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
