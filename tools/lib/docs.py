#!/usr/bin/env python3
"""docs.py EBB LIST_FUNCTIONS [--update]: the documentation says what the program does.

docs/functions.md equals what the catalogs print (`--update` rewrites it); every whole manifest in
the documentation is valid; every ```sql block of docs/sql.md plans over the tables that the page
declares; the tests that docs/reliability.md names exist; commands have the options that are shown,
links and the pages that are named exist. Ends in `N passed, N failed`.
"""
import functools
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.S | re.M)
FENCE = re.compile(r"^```(\w+)\n(.*?)^```", re.S | re.M)


def blocks(path, language):
    text = path.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        if match[1] == language:
            yield text.count("\n", 0, match.start()) + 1, match[2]


def validate(ebb, manifest):
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(manifest)
        file.flush()
        run = subprocess.run([ebb, "validate", file.name], text=True, capture_output=True, check=False)
    return None if run.returncode == 0 else run.stderr


def tables():
    """The sources that docs/sql.md declares in its first ```yaml block, indented for a manifest."""
    return "".join("    " + line for line in next(blocks(ROOT / "docs" / "sql.md", "yaml"))[1]
                   .splitlines(keepends=True))


def query_manifest(sql):
    body = "".join(f"        {line}\n" for line in sql.strip().splitlines())
    return ("apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: doc}\nspec:\n  sources:\n"
            f"{tables()}  operators:\n    - name: query\n      sql: |\n{body}  sinks:\n    - discard: {{}}\n")


def commands(text):
    """`ebb …` of the text, in blocks and in the running text: words of each."""
    whole = [x for _, language, x in FENCED.findall(text) if language in ("sh", "console")]
    lines = [line.split("  #")[0] for x in whole for line in re.sub(r"\\\n", " ", x).splitlines()]
    lines += re.findall(r"`([^`\n]*)`", FENCED.sub("", text))
    for line in lines:
        for part in re.split(r"\|\|?|&&|;|\$\(", line):
            words = part.split()
            if words[:1] == ["ebb"] and len(words) > 1 and re.fullmatch(r"[a-z]+", words[1]):
                yield words[1:]


@functools.lru_cache(maxsize=None)
def help_of(ebb, *words):
    run = subprocess.run([ebb, *words, "--help"], text=True, capture_output=True, check=False)
    return run.stdout if run.returncode == 0 else None


def wrong_command(ebb, words):
    """What is wrong with a command that the documentation shows; None = nothing."""
    names = [words[0]]
    shown = help_of(ebb, *names)
    while shown and "SUBCOMMAND" in shown and len(words) > len(names):
        names.append(words[len(names)])
        shown = help_of(ebb, *names)
    if shown is None:
        return f"there is no command ebb {' '.join(names)}"
    options = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", shown))
    for word in words[len(names):]:
        option = re.match(r"--?[a-z][a-z-]*(?=$|=)", word)
        if option and option[0] not in options:
            return f"ebb {' '.join(names)} has no {option[0]}"
    return None


def dead_links(path, text):
    plain = FENCED.sub("", text)
    named = [path.parent / x.split("#")[0] for x in re.findall(r"\]\(([^)#:]+(?:#[\w-]*)?)\)", plain)]
    named += [ROOT / x for x in re.findall(r"(?<![\w/.])docs/[\w-]+\.md", plain)]
    return sorted({str(x.name) for x in named if not x.exists()})


def missing_tests():
    """Names of tests in docs/reliability.md that no test has."""
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")))
    there = set()
    for path in (ROOT / "tests").rglob("*.py"):
        there |= set(re.findall(r"^def (test_\w+)", path.read_text(encoding="utf-8"), re.M))
    return sorted(named - there)


def main():
    ebb, lister = sys.argv[1:3]
    passed = failed = 0

    def check(name, problem):
        nonlocal passed, failed
        passed += problem is None
        failed += problem is not None
        if problem is not None:
            print(f"{name}: {problem}")

    functions = ROOT / "docs" / "functions.md"
    printed = subprocess.run([lister], text=True, capture_output=True, check=True).stdout
    if "--update" in sys.argv:
        functions.write_text(printed, encoding="utf-8")
    same = functions.exists() and functions.read_text(encoding="utf-8") == printed
    check("docs/functions.md", None if same else "is not what the catalogs say; run "
          "tools/lib/docs.py build/tools/ebb build/tests/list_functions --update")
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for line, text in blocks(path, "yaml"):
            if text.startswith("apiVersion"):
                check(f"{path.name}:{line}", validate(ebb, text))
        text = path.read_text(encoding="utf-8")
        for words in commands(text):
            check(f"{path.name}: {' '.join(words)}", wrong_command(ebb, words))
        check(path.name, "names " + ", ".join(dead_links(path, text)) if dead_links(path, text) else None)
    for line, sql in blocks(ROOT / "docs" / "sql.md", "sql"):
        check(f"sql.md:{line}", validate(ebb, query_manifest(sql)))
    check("reliability.md", "no test is named " + ", ".join(missing_tests()) if missing_tests() else None)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
