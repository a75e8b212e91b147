#!/usr/bin/env python3
"""auth_cli.py EBB: `ebb auth` on a data folder. Ends in `N passed, N failed`."""
import json
import os
import re
import stat
import subprocess
import sys
import tempfile

EBB = sys.argv[1]


def ebb(*arguments, code=0):
    run = subprocess.run([EBB, "auth", *arguments], text=True, capture_output=True, check=False)
    assert run.returncode == code, (arguments, run.returncode, run.stdout, run.stderr)
    return run


def test_first_token_is_an_operators(data):
    made = ebb("init", "--data", data)
    assert re.fullmatch(r"ebb_[0-9a-f]{8}_[0-9a-f]{64}\n", made.stdout), made.stdout
    assert "operator" in made.stderr and "not shown again" in made.stderr
    path = os.path.join(data, "auth", "tokens.json")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode) == 0o700
    with open(path, encoding="utf-8") as file:
        assert made.stdout.strip()[13:] not in file.read()
    again = ebb("init", "--data", data, code=4)
    assert "ebb auth token create" in again.stderr


def test_tokens_are_listed_and_revoked(data):
    assert "ebb auth init" in ebb("token", "list", "--data", data, code=3).stderr
    ebb("init", "--data", data)
    made = json.loads(ebb("token", "create", "--data", data, "--role", "submitter", "--topic", "a", "--topic", "b",
                          "--expires", "90d", "-o", "json").stdout)
    assert made["role"] == "submitter" and made["topics"] == ["a", "b"] and "expires" in made
    listed = json.loads(ebb("token", "list", "--data", data, "-o", "json").stdout)
    assert [x["role"] for x in listed] == ["operator", "submitter"]
    assert all("token" not in x and "hash" not in x for x in listed)
    assert made["id"] in ebb("token", "list", "--data", data).stdout
    ebb("token", "revoke", made["id"], "--data", data)
    ebb("token", "revoke", made["id"], "--data", data, code=3)
    assert len(json.loads(ebb("token", "list", "--data", data, "-o", "json").stdout)) == 1


def test_wrong_wishes_are_refused(data):
    ebb("init", "--data", data)
    for wrong in (["--role", "king"], [], ["--role", "viewer", "--expires", "0s"],
                  ["--role", "viewer", "--expires", "soon"], ["--role", "viewer", "--topic", "No Topic"]):
        ebb("token", "create", "--data", data, *wrong, code=2)
    assert len(json.loads(ebb("token", "list", "--data", data, "-o", "json").stdout)) == 1


def test_a_damaged_file_is_no_reason_to_begin_anew(data):
    ebb("init", "--data", data)
    with open(os.path.join(data, "auth", "tokens.json"), "w", encoding="utf-8") as file:
        file.write("{")
    assert "tokens.json" in ebb("init", "--data", data, code=1).stderr
    ebb("token", "list", "--data", data, code=1)


def main():
    passed = failed = 0
    for name, test in sorted(globals().items()):
        if not name.startswith("test_"):
            continue
        with tempfile.TemporaryDirectory() as data:
            try:
                test(data)
                passed += 1
            except AssertionError as problem:
                failed += 1
                print(f"{name}: {problem}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
