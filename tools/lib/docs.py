#!/usr/bin/env python3
"""docs.py EBB LIST_FUNCTIONS [--update]: the documentation says what the program does.

docs/functions.md equals what the catalogs print (`--update` rewrites it); every whole manifest in
the documentation is valid; every ```sql block of docs/sql.md plans over the tables that the page
declares; the tests that docs/reliability.md names exist. Ends in `N passed, N failed`.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
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
    for line, sql in blocks(ROOT / "docs" / "sql.md", "sql"):
        check(f"sql.md:{line}", validate(ebb, query_manifest(sql)))
    check("reliability.md", "no test is named " + ", ".join(missing_tests()) if missing_tests() else None)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
