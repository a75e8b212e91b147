#!/usr/bin/env python3
"""cli_docs.py EBB [--update]: docs/cli.md from its heading `## Commands` on is what `ebb COMMAND --help` prints.

`--update` rewrites that part. Ends in `N passed, N failed`.
"""
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "cli.md"
MARK = "## Commands\n"


def help_of(ebb, command):
    return subprocess.run([ebb, *command, "--help"], text=True, capture_output=True, check=True).stdout


def commands_in(text):
    below = text.partition("\nSubcommands:\n")[2]
    return re.findall(r"^  (\S+)", below, re.M)


def section(ebb, command):
    """A command's lines, and those of the commands below it."""
    text = help_of(ebb, command)
    summary, _, rest = text.partition("\n")
    below = commands_in(text)
    rest = rest.partition("\nSubcommands:\n")[0]
    asks = "\nService:\n" in rest
    rest = re.sub(r"\n+Service:\n(  .*\n)*", "\n", rest)
    rest = re.sub(r"^  -h,--help .*\n", "", rest, flags=re.M)
    rest = re.sub(r"\n*Options:\n(?=\n*$)", "\n", rest)
    rest = re.sub(r"\n{2,}", "\n", rest.replace("Usage: ", "", 1)).strip()
    lines = [f"### ebb {' '.join(command)}\n", f"\n{summary}.{' Takes the options of the service.' if asks else ''}\n"]
    if not below:
        lines.append(f"\n```text\n{rest}\n```\n")
    lines.append("\n")
    return "".join(lines) + "".join(section(ebb, [*command, x]) for x in below)


def generated(ebb):
    service = help_of(ebb, ["get"]).partition("\nService:\n")[2]
    text = MARK + "\nThe options of the service, of all commands that ask one:\n\n```text\n" + service.rstrip() + "\n```\n\n"
    text += "".join(section(ebb, [x]) for x in commands_in(help_of(ebb, [])))
    return text.rstrip() + "\n"


def main():
    ebb = sys.argv[1]
    head, mark, body = PAGE.read_text(encoding="utf-8").partition(MARK)
    made = generated(ebb)
    if "--update" in sys.argv:
        PAGE.write_text(head + made, encoding="utf-8")
        body = made.partition(MARK)[2]
        mark = MARK
    failed = mark + body != made
    if failed:
        print("docs/cli.md is not what ebb prints; run tests/client/cli_docs.py build/tools/ebb --update")
    unknown = [x for x in re.findall(r"`ebb ([a-z]+)", head) if f"### ebb {x}\n" not in made]
    if unknown:
        print("docs/cli.md names commands that there are not:", *unknown)
    print(f"{2 - failed - bool(unknown)} passed, {failed + bool(unknown)} failed")
    return 1 if failed or unknown else 0


if __name__ == "__main__":
    sys.exit(main())
