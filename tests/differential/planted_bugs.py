#!/usr/bin/python3
"""Plants bugs into the engine, one at a time: the comparison must find each.

    planted_bugs.py [--seed N] [--expressions N] [--only WORD] [--folder FOLDER] [--as-is]

Works on a copy of the last commit with a build folder of its own, kept in FOLDER so that the next
run compiles little. Neither the checkout nor the copy is changed: a file with a bug is compiled
aside and linked before the libraries. Ends with `N passed, N failed`; a bug that is not found, or
whose place in the source is gone, fails, and so does a comparison that fails without any bug.
With --as-is the copy and its build stay as they are.
"""
import argparse
import io
import json
import os
import pathlib
import shlex
import subprocess
import sys
import tarfile
import tempfile

from bugs import BUGS

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROGRAM = "tests/run_manifests"


def copy_commit(tree):
    """Makes `tree` the last commit's files; those that are the same keep their time."""
    archive = subprocess.run(["git", "-C", ROOT, "archive", "HEAD"], check=True, capture_output=True).stdout
    files = set()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            path = tree / member.name
            if not member.isfile():
                continue
            files.add(path)
            content = tar.extractfile(member).read()
            if not path.exists() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                path.chmod(member.mode)
    for path in tree.rglob("*"):
        if path.is_file() and path not in files and "build" not in path.relative_to(tree).parts[:1]:
            path.unlink()


def build(tree):
    if not (tree / "build" / "build.ninja").exists():
        subprocess.run(["meson", "setup", "build"], cwd=tree, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", "build", "--quiet", PROGRAM], cwd=tree, check=True)


class Planter:
    """Makes programs with a bug in `folder`."""

    def __init__(self, tree, folder):
        self.tree = tree
        self.build = tree / "build"
        self.folder = folder
        self.compile_of = {}
        for entry in json.loads((self.build / "compile_commands.json").read_text()):
            source = os.path.relpath((self.build / entry["file"]).resolve(), tree)
            self.compile_of[source] = shlex.split(entry["command"])
        commands = subprocess.run(["ninja", "-C", self.build, "-t", "commands", PROGRAM], check=True,
                                  capture_output=True, text=True).stdout
        self.link = shlex.split(commands.splitlines()[-1])

    def program(self, bug):
        """Path of run_manifests with the bug; raises ValueError when its place is not there."""
        text = (self.tree / bug.file).read_text()
        if text.count(bug.right) != 1:
            raise ValueError(f"{text.count(bug.right)} places for it in {bug.file}")
        planted = self.folder / bug.file
        planted.parent.mkdir(parents=True, exist_ok=True)
        planted.write_text(text.replace(bug.right, bug.wrong))
        try:
            objects = [self.compile(source, planted if source == bug.file else self.tree / source)
                       for source in bug.compiled or [bug.file]]
        finally:
            planted.unlink()
        program = self.folder / "run_manifests"
        link = list(self.link)
        link[link.index("-o") + 1] = str(program)
        at = next(n for n, word in enumerate(link) if word.endswith(".o") and n > 0)
        link[at:at] = objects
        subprocess.run(link, cwd=self.build, check=True)
        return program

    def compile(self, source, file):
        """Path of the object; a planted header comes before the one of the project."""
        made = self.folder / (source.replace("/", "_") + ".o")
        command = list(self.compile_of[source])
        command[command.index("-o") + 1] = str(made)
        command[-1] = str(file)
        for option in ("-MF", "-MQ"):
            at = command.index(option)
            del command[at:at + 2]
        command.remove("-MD")
        first = next(n for n, word in enumerate(command) if word.startswith("-I"))
        command.insert(first, f"-I{self.folder}")
        subprocess.run(command + ["-w", "-O1"], cwd=self.build, check=True)
        return str(made)


def first_difference(tree, program, options):
    """Two lines about it; empty when there is none. Raises RuntimeError when the comparison breaks."""
    run = subprocess.run([sys.executable, tree / "tests/differential/differential.py", program, "--seed", str(options.seed),
                          "--expressions", str(options.expressions), "--queries", "0", "--stop"],
                         capture_output=True, text=True)
    lines = run.stdout.splitlines()
    shown = next((n for n, line in enumerate(lines) if line.startswith("DIFFERENT")), None)
    if shown is not None:
        return f"  {lines[shown][:150]}\n{lines[shown + 1][:150]}"
    if not lines or " passed, " not in lines[-1]:
        raise RuntimeError(run.stderr.strip())
    return ""


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--expressions", type=int, default=5000)
    arguments.add_argument("--only", default="")
    arguments.add_argument("--folder", type=pathlib.Path, default=pathlib.Path.home() / ".cache/ebb/planted-tree")
    arguments.add_argument("--as-is", action="store_true")
    options = arguments.parse_args()
    os.nice(10)
    tree = options.folder.resolve()
    if not options.as_is:
        copy_commit(tree)
        build(tree)
    difference = first_difference(tree, tree / "build" / PROGRAM, options)
    if difference:
        print(f"without any bug:\n{difference}\n0 passed, 1 failed")
        return 1
    found = missed = 0
    with tempfile.TemporaryDirectory(prefix="ebb-planted-") as folder:
        planter = Planter(tree, pathlib.Path(folder))
        for bug in (bug for bug in BUGS if options.only in bug.what):
            try:
                difference = first_difference(tree, planter.program(bug), options)
            except (RuntimeError, ValueError) as problem:
                print(f"STALE  {bug.what}: {problem}", flush=True)
                missed += 1
                continue
            print(f"found  {bug.what}\n{difference}" if difference else f"MISSED {bug.what}", flush=True)
            found += bool(difference)
            missed += not difference
    print(f"{found} passed, {missed} failed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
