#!/usr/bin/env python3
"""client_cli.py EBB [TEST…]: the commands that ask a service, as people use them.

Against tests/client/recorded_service.py; a test gets a service and an empty folder. Ends in `N passed, N failed`.
"""
import hashlib
import json
import os
import pathlib
import pty
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from recorded_service import Service, Topic, problem, stream

EBB = os.path.abspath(sys.argv[1])
MANIFEST = "apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: NAME}\nspec:\n  sinks: []\n"


class Case:
    """One test's service, folder and environment."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.service = Service().start()
        self.server = f"http://127.0.0.1:{self.service.port}"
        self.variables = {}

    def environment(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith("EBB_") and k != "XDG_CONFIG_HOME"}
        return {**kept, "HOME": str(self.folder), "EBB_SERVER": self.server, **self.variables}

    def run(self, *arguments, stdin=""):
        return subprocess.run([EBB, *map(str, arguments)], cwd=self.folder, env=self.environment(), text=True,
                              input=stdin, capture_output=True, timeout=60, check=False)

    def start(self, *arguments, **options):
        return subprocess.Popen([EBB, *map(str, arguments)], cwd=self.folder, env=self.environment(), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def good(self, *arguments, stdin=""):
        run = self.run(*arguments, stdin=stdin)
        assert run.returncode == 0, (arguments, run.returncode, run.stdout, run.stderr)
        return run.stdout

    def bad(self, code, *arguments, stdin="", says=()):
        run = self.run(*arguments, stdin=stdin)
        assert run.returncode == code, (arguments, run.returncode, run.stdout, run.stderr)
        for text in says:
            assert text in run.stderr, (text, run.stderr)
        return run

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path


def wait_for(what, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if what():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come about")


def rows(count, first=0):
    return "".join(f'{{"a": {i}}}\n' for i in range(first, first + count))


# --- which service -----------------------------------------------------------------------------


def test_nobody_listens(case):
    case.service.stop()
    case.bad(1, "get", "streams", says=["no service listens at " + case.server, "ebb up"])
    case.variables["EBB_SERVER"] = "ftp://x"
    case.bad(2, "get", "streams", says=["neither http nor https"])
    case.variables["EBB_SERVER"] = "http://no-such-host.invalid"
    case.bad(1, "get", "streams", says=["cannot find the host"])


def test_default_is_this_machine(case):
    case.variables["EBB_SERVER"] = ""
    run = case.run("get", "streams")
    assert run.returncode == 0 or "http://127.0.0.1:8181" in run.stderr, run.stderr


def test_contexts(case):
    case.service.answer("GET", "/v1/streams", (200, {}, {"items": [stream("delays")]}))
    assert "ebb context set" in case.run("context", "list").stderr
    case.write("token", "ebb_secret\n")
    assert case.good("context", "set", "here", "--server", case.server, "--token-file", "token", "-n",
                     "team") == "context here created, in use\n"
    config = case.folder / ".config/ebb/config.yaml"
    assert config.stat().st_mode & 0o777 == 0o600
    case.good("context", "set", "there", "--server", "https://ebb.example:8443")
    listed = case.good("context", "list").splitlines()
    assert listed[1].split() == ["*", "here", case.server, "team", "yes"], listed
    assert listed[2].split() == ["there", "https://ebb.example:8443", "default", "no"], listed
    case.variables["EBB_SERVER"] = ""
    case.service.token = "ebb_secret"
    case.good("get", "streams")
    assert case.service.requests[-1]["query"]["namespace"] == "team"
    case.good("get", "streams", "-n", "other")
    assert case.service.requests[-1]["query"]["namespace"] == "other"
    # The token belongs to the context's service and goes to no other.
    other = Service().start()
    case.bad(3, "get", "streams", "--server", f"http://127.0.0.1:{other.port}")
    assert "Authorization" not in other.requests[0]["headers"]
    other.stop()
    config.chmod(0o644)
    case.bad(2, "get", "streams", says=["chmod 600", "config.yaml"])
    config.chmod(0o600)
    assert case.good("context", "use", "there") == "context there is in use\n"
    case.bad(3, "context", "use", "nowhere", says=["ebb context list"])
    case.good("context", "delete", "here")
    case.bad(3, "context", "delete", "here")
    case.bad(3, "get", "streams", "--context", "here")
    case.write(".config/ebb/config.yaml", "current: x\ncontexts:\n  x: {sever: a}\n")
    case.bad(2, "get", "streams", says=["config.yaml:3:7", "did you mean server?"])


def test_tokens(case):
    case.service.token = "ebb_1"
    case.service.answer("GET", "/v1/streams", (200, {}, {"items": []}))
    case.bad(1, "get", "streams", says=["a token is missing", "EBB_TOKEN", "ebb context set"])
    case.variables["EBB_TOKEN"] = "ebb_1"
    case.good("get", "streams")
    case.variables["EBB_TOKEN"] = "ebb_1\nX: y"
    case.bad(2, "get", "streams", says=["line ends"])
    case.variables.update(EBB_TOKEN="ebb_1", EBB_SERVER="http://192.0.2.1:8181")
    case.bad(2, "get", "streams", says=["in clear text", "https://"])


def certificate(folder, name="127.0.0.1"):
    key, made = folder / "key.pem", folder / "cert.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", made, "-days", "2", "-subj", "/CN=ebb", "-addext",
                    f"subjectAltName=IP:{name}"], check=True, capture_output=True)
    der = ssl.PEM_cert_to_DER_cert(made.read_text(encoding="utf-8"))
    return made, key, hashlib.sha256(der).hexdigest()


def test_tls_is_verified(case):
    made, key, pin = certificate(case.folder)
    service = Service().start((made, key))
    service.answer("GET", "/v1/streams", (200, {}, {"items": []}))
    service.token = case.variables["EBB_TOKEN"] = "ebb_1"
    case.server = f"https://127.0.0.1:{service.port}"
    case.bad(2, "get", "streams", says=["is not trusted", "--ca", "--pin " + pin])
    assert not service.requests
    case.good("get", "streams", "--ca", made)
    case.good("get", "streams", "--pin", ":".join(pin[i:i + 2] for i in range(0, 64, 2)).upper())
    case.bad(2, "get", "streams", "--pin", "0" * 64, says=["not the pinned one", pin])
    case.bad(2, "get", "streams", "--pin", "12", says=["64 hex digits"])
    case.bad(2, "get", "streams", "--ca", "nowhere.pem", says=["nowhere.pem"])
    case.server = f"https://localhost:{service.port}"
    case.bad(2, "get", "streams", "--ca", made, says=["is not trusted"])
    seen = len(service.requests)
    case.server = f"http://127.0.0.1:{service.port}"
    case.bad(1, "get", "streams", says=["by https://"])
    assert len(service.requests) == seen
    service.stop()
    case.server = f"https://127.0.0.1:{case.service.port}"
    case.bad(1, "get", "streams", says=["does the service speak TLS"])


# --- answers that are none ---------------------------------------------------------------------


def test_problems_and_exit_codes(case):
    for status, code in ((400, 2), (422, 2), (404, 3), (409, 4), (403, 1), (429, 1), (500, 1), (503, 1)):
        case.service.answer("GET", "/v1/streams/x", problem(status, "kind", "it is wrong", field="spec.sinks[0]",
                                                             hint="make it right"))
        run = case.bad(code, "get", "stream", "x")
        assert run.stderr == "error: spec.sinks[0]: it is wrong\nhint: make it right\n", run.stderr
    case.service.answer("GET", "/v1/streams/x", (422, {}, {"detail": "two faults", "errors": [
        {"field": "a", "detail": "one", "hint": "h"}, {"field": "b", "detail": "two"}]}))
    assert "\n  a: one (h)\n  b: two\n" in case.bad(2, "get", "stream", "x").stderr
    case.service.answer("GET", "/v1/streams/x", (502, {}, b"<html>"))
    case.bad(1, "get", "stream", "x", says=["the service answers 502"])
    case.service.answer("GET", "/v1/streams/x", (200, {}, b"<html>"))
    case.bad(1, "get", "stream", "x", says=["no JSON: <html>", "another program"])


def test_cut_and_slow_answers(case):
    case.service.answer("GET", "/v1/streams/x", (200, {}, stream("x")))
    case.service.fail("/v1/streams/x", ["cut"])
    case.bad(1, "get", "stream", "x", says=["cut"])
    case.service.fail("/v1/streams/x", ["slow"])
    case.bad(1, "get", "stream", "x", "--request-timeout", "300ms", says=["in time"])
    case.service.fail("/v1/streams/x", ["slow"])
    case.good("get", "stream", "x")


def test_interrupt_while_waiting(case):
    case.service.fail("/v1/streams/x", ["slow"])
    run = case.start("get", "stream", "x")
    wait_for(lambda: case.service.requests)
    run.send_signal(signal.SIGINT)
    out, said = run.communicate(timeout=30)
    assert (run.returncode, out, said) == (130, "", ""), (run.returncode, out, said)


def test_a_reader_that_leaves(case):
    case.service.answer("GET", "/v1/streams", (200, {}, {"items": [stream(f"s{i}") for i in range(5000)]}))
    command = f"{EBB} get streams | head -1"
    run = subprocess.run(command, shell=True, env=case.environment(), capture_output=True, text=True, check=False)
    assert run.returncode == 0 and run.stdout.startswith("NAME") and not run.stderr, run


# --- get, describe -----------------------------------------------------------------------------


def test_get(case):
    case.service.answer("GET", "/v1/streams", lambda query, _: (200, {}, {
        "items": [stream("b", "Asleep", nextWake="2126-01-31T12:00:00Z")]} if query.get("after") == "a" else {
            "items": [stream("a", message="line\nend\x1b[31m")], "next": "a"}))
    table = case.good("get", "streams").splitlines()
    assert table[0].split() == ["NAME", "PHASE", "REASON", "SINCE", "CHECKPOINT", "WRITTEN", "NEXT", "WAKE", "AGE"]
    assert table[1].split()[:3] == ["a", "Running", "Message"] and "2.0 KiB" in table[1], table
    assert table[2].split()[:2] == ["b", "Asleep"] and "in 3" in table[2], table
    assert table[0].index("PHASE") == table[1].index("Running") == table[2].index("Asleep")
    assert case.good("get", "stream", "-o", "name") == "stream/a\nstream/b\n"
    both = json.loads(case.good("get", "streams", "-o", "json"))
    assert [x["metadata"]["name"] for x in both["items"]] == ["a", "b"]
    # One thing is printed as it came, byte by byte.
    text = b'{"kind": "Stream",  "n": 1.10, "metadata":{"name":"a"}}'
    case.service.answer("GET", "/v1/streams/a", (200, {}, text))
    assert case.good("get", "stream/a", "-o", "json") == text.decode() + "\n"
    text = b'{ "items": [{"metadata":{"name":"f"},"n":1.10}]}\n'
    case.service.answer("GET", "/v1/functions", (200, {}, text))
    assert case.good("get", "functions", "-o", "json") == text.decode()
    case.service.answer("GET", "/v1/topics", (200, {}, {"items": [{
        "kind": "Topic", "metadata": {"name": "orders"}, "spec": {},
        "status": {"partitions": [{"partition": 0, "begin": 0, "end": 1234}], "rows": 1234, "bytes": 5 << 20,
                   "users": ["a", "b"]}}]}))
    assert case.good("get", "topics").splitlines()[1].split() == ["orders", "1", "1,234", "5.0", "MiB", "a,", "b"]
    case.service.answer("GET", "/v1/topics", (200, {}, {"items": []}))
    run = case.run("get", "topics")
    assert run.returncode == 0 and not run.stdout and "no topics" in run.stderr
    case.bad(2, "get", "steams", says=["did you mean streams?"])
    case.bad(2, "get", "stream/a", "b", says=["stream/NAME"])


def test_yaml_is_read_back_equal(case):
    import yaml  # pylint: disable=import-outside-toplevel
    made = stream("x")
    made["spec"] = {"sql": "SELECT *\nFROM t\n", "end": "a\nb", "blank": "", "number": "012", "real": 1.5,
                    "time": "2026-01-31T12:00:00Z", "yes": "no", "colon": "a: b", "hash": "a #b", "dash": "- a",
                    "deep": {"empty": {}, "none": [], "lists": [[1, [2, {"a": [3]}]], {"b": {"c": "d\ne\n\n"}}]},
                    "null": None, "true": True, "lead": "  x\ny", "tab": "\t", "uni": "é😀", "star": "*a",
                    "quote": "it's \"so\"", "type": "TIMESTAMP, n::BIGINT", "percent": "%a", "tilde": "~", "on": "On",
                    "odd": "a\x7f\x85\u2028\u2029\ufeffb\u009f", "oddlines": "a\n\x85b", "more": "x > 1 AND y[1] = '{*'",
                    "10s": "10s", "size": "64Mi", "float": "1e5", "sexagesimal": "12:30"}
    case.service.answer("GET", "/v1/streams/x", (200, {}, made))
    assert yaml.safe_load(case.good("get", "stream", "x", "-o", "yaml")) == made


def test_views(case):
    wakes = {"items": [{"cause": "message", "at": "2026-01-31T12:00:00Z", "totalMillis": 12.5},
                       {"cause": "clock", "at": "2026-01-31T12:00:01Z", "totalMillis": 3, "note": "late"}]}
    case.service.answer("GET", "/v1/streams/x/wakes", (200, {}, wakes))
    lines = case.good("get", "wakes", "x", "--limit", "2").splitlines()
    assert case.service.requests[-1]["query"] == {"limit": "2"}
    assert lines[0].split() == ["CAUSE", "AT", "TOTAL", "MILLIS", "NOTE"], lines
    assert lines[1].index("12.5") + 4 == lines[2].index(" 3 ") + 2, lines
    case.bad(2, "get", "wakes", says=["ebb get wakes STREAM"])
    case.service.answer("GET", "/v1/streams/x/checkpoints", (200, {}, {"items": [{"epoch": 3}]}))
    assert case.good("checkpoints", "x") == "EPOCH\n    3\n"
    case.service.answer("GET", "/v1/streams/x/checkpoints", (200, {}, {"items": [{"epoch": 3}, {"epoch": 2, "savepoint": "a"}]}))
    assert case.good("get", "checkpoints", "x", "-o", "name") == "checkpoint/3\ncheckpoint/a\n"
    case.service.answer("GET", "/v1/streams/x/errors", (200, {}, {"items": [{"time": "T"}]}))
    assert case.good("get", "errors", "x", "-o", "name") == "error/T\n"
    case.service.answer("GET", "/v1/streams/x/why", (200, {}, {"phase": "Asleep", "sentences": ["One.", "Two."]}))
    assert case.good("why", "x") == "One.\nTwo.\n"
    case.service.answer("GET", "/v1/streams/x/state/counts", (200, {}, {"epoch": 4, "entries": [{"key": "a=1"}]}))
    assert case.good("inspect", "x", "counts", "a=1") == "epoch 4\nKEY\na=1\n"
    assert case.service.requests[-1]["query"] == {"limit": "100", "key": "a=1"}
    log = '{"time":"T","level":"warning","message":"m","operator":"o","epoch":3}\n'
    case.service.answer("GET", "/v1/streams/x/logs", (200, {}, log + log))
    assert case.good("logs", "x", "--level", "warning") == "T WARNING m operator=o epoch=3\n" * 2
    assert case.good("logs", "x", "-o", "json") == log + log
    case.bad(2, "logs", "x", "--level", "loud")
    good = '{"stream":"x","namespace":"default","file":"a.seg","bytes":12,"good":true,"result":"good"}\n'
    bad = '{"topic":"t","namespace":"default","file":"partition 0","rows":3,"good":false,"result":"block 2"}\n'
    case.service.answer("GET", "/v1/verify", (200, {}, good + '{"files":1,"damaged":0}\n'))
    assert "x" in case.good("verify") and case.service.requests[-1]["query"] == {}
    assert case.good("verify", "-o", "json") == good + '{"files":1,"damaged":0}\n'
    case.service.answer("GET", "/v1/verify", (200, {}, good + bad + '{"files":2,"damaged":1}\n'))
    case.bad(1, "verify", says=["1 file is damaged"])
    case.service.answer("GET", "/v1/verify", (200, {}, good))
    case.bad(1, "verify", says=["before all was read"])


def test_describe(case):
    case.service.answer("GET", "/v1/streams/x", (200, {}, stream("x", message="waits")))
    case.service.answer("GET", "/v1/streams/x/why", (200, {}, {"sentences": ["It sleeps."]}))
    case.service.answer("GET", "/v1/streams/x/wakes", (200, {}, {"items": [{"cause": "message"}]}))
    text = case.good("describe", "stream", "x")
    for part in ("Name:        x\n", "Message:     waits\n", "epoch 12, 2026-01-31T12:00:00Z", "2.0 KiB, took 7 ms",
                 "\nSpec:\n  sources:\n  - name: in\n", "\nConditions:\n  TYPE", "\nWhy:\n  It sleeps.\n",
                 "\nNewest wakes:\n  CAUSE\n  message\n"):
        assert part in text, (part, text)
    case.bad(2, "describe", "stream", says=["ebb get stream"])


def test_watch_shows_changes(case):
    now = [stream("a")]
    case.service.answer("GET", "/v1/streams", lambda *_: (200, {}, {"items": list(now)}))
    run = case.start("get", "streams", "--watch")
    assert run.stdout.readline().startswith("NAME") and run.stdout.readline().split()[:2] == ["a", "Running"]
    case.service.fail("/v1/streams", ["cut", problem(503, "busy", "stopping")])
    now[0] = stream("a", "Asleep")
    assert run.stdout.readline().split()[:2] == ["a", "Asleep"]
    run.send_signal(signal.SIGINT)
    assert run.communicate(timeout=5)[0] == "" and run.returncode == 130


def test_watch_shows_new_entries(case):
    now = [{"time": "T1", "cause": "Created"}]
    case.service.answer("GET", "/v1/streams/x/wakes", lambda *_: (200, {}, {"items": list(now)}))
    run = case.start("get", "wakes", "x", "--watch")
    assert [run.stdout.readline().split() for _ in range(2)] == [["TIME", "CAUSE"], ["T1", "Created"]]
    now.insert(0, {"time": "T2", "cause": "InputArrived"})
    assert run.stdout.readline().split() == ["T2", "InputArrived"]
    run.send_signal(signal.SIGINT)
    assert run.communicate(timeout=5)[0] == "" and run.returncode == 130


def on_terminal(case, *arguments, until, seconds=15):
    """Output of a command on a terminal until it has a text; then Ctrl-C. And its exit code."""
    child, master = pty.fork()
    if child == 0:
        try:
            os.chdir(case.folder)
            os.execve(EBB, [EBB, *arguments], case.environment())
        finally:
            os._exit(127)  # pylint: disable=protected-access
    seen = b""
    end = time.monotonic() + seconds
    try:
        while until not in seen and time.monotonic() < end:
            seen += os.read(master, 65536)
        os.write(master, b"\x03")
        while True:
            seen += os.read(master, 65536)
    except OSError:
        pass
    os.close(master)
    return seen, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_watch_redraws_on_a_terminal(case):
    phases = iter(["Running", "GoingToSleep"] + ["Asleep"] * 100)
    case.service.answer("GET", "/v1/streams", lambda *_: (200, {}, {"items": [stream("a", next(phases))]}))
    seen, code = on_terminal(case, "get", "streams", "-w", until=b"Asleep")
    assert code == 130 and seen.count(b"\x1b[2A") >= 2 and b"GoingToSleep" in seen, seen


# --- apply, delete -----------------------------------------------------------------------------


def applied(*results):
    return 200, {}, {"results": [{"kind": k, "name": n, "namespace": "default", "action": a, **more}
                                 for k, n, a, more in results]}


def test_apply(case):
    case.write("d/b.yaml", MANIFEST.replace("NAME", "b").rstrip())
    case.write("d/a.yml", "# one\n" + MANIFEST.replace("NAME", "a"))
    case.write("d/ignored.txt", "x")
    case.service.answer("POST", "/v1/apply", applied(("Topic", "t", "unchanged", {}), ("Stream", "a", "created", {}),
                                                     ("Stream", "b", "configured", {"warnings": ["it grows"]})))
    run = case.run("apply", "-f", "d")
    assert run.stdout == "topic/t unchanged\nstream/a created\nstream/b configured\n", run
    assert run.stderr == "warning: stream/b: it grows\n"
    sent = case.service.requests[-1]
    assert sent["headers"]["Content-Type"] == "application/yaml" and sent["query"] == {}
    assert sent["body"].decode().count("\n---\n") == 1 and sent["body"].decode().index("name: a") < sent[
        "body"].decode().index("name: b")
    out = case.good("apply", "-f", "-", "--dry-run", stdin=MANIFEST)
    assert "stream/a created (dry run)\n" in out and case.service.requests[-1]["query"] == {"dryRun": "true"}
    # A place in what was sent is one in a file.
    for line, place in ((4, "d/a.yml:4:5"), (10, "d/b.yaml:3:5")):
        case.service.answer("POST", "/v1/apply", problem(400, "manifest", "unknown field \"x\"", field="metadata",
                                                          line=line, column=5, hint="did you mean y?"))
        run = case.bad(2, "apply", "-f", "d/a.yml", "-f", "d/b.yaml", says=[place + ": metadata: unknown", "hint: did"])
        assert "\nmetadata: {name: " in run.stderr and "\n    ^\n" in run.stderr, run.stderr
    case.bad(2, "apply", "-f", "nowhere.yaml", says=["nowhere.yaml", "check the path"])
    case.write("empty/x.txt", "")
    case.bad(2, "apply", "-f", "empty", says=["no manifests"])
    case.write("big.yaml", "a" * (5 << 20))
    case.bad(2, "apply", "-f", "big.yaml", says=["4Mi", "ebb send"])
    case.bad(2, "apply", says=["filename"])


def test_apply_waits(case):
    case.service.answer("POST", "/v1/apply", applied(("Stream", "a", "created", {})))
    phases = iter(["Waking", "Waking"] + ["Running"] * 100)
    case.service.answer("GET", "/v1/streams/a", lambda *_: (200, {}, stream("a", next(phases), conditions=[])))
    case.write("m.yaml", MANIFEST)
    case.service.fail("/v1/streams/a", ["cut", problem(503, "busy", "stopping")])
    assert case.good("apply", "-f", "m.yaml", "--wait=running") == "stream/a created\n"
    case.bad(5, "apply", "-f", "m.yaml", "--wait", "--timeout", "300ms", says=["is not Ready in time; it is Running"])
    case.service.answer("GET", "/v1/streams/a", (200, {}, stream("a")))
    case.good("apply", "-f", "m.yaml", "--wait")
    # What has come to its end becomes Ready no more.
    case.service.answer("GET", "/v1/streams/a", (200, {}, stream("a", "Stopped", reason="Completed", conditions=[])))
    for wish in ("--wait", "--wait=Completed", "--wait=stopped"):
        case.good("apply", "-f", "m.yaml", wish)
    case.bad(2, "apply", "-f", "m.yaml", "--wait=Aslep", says=["no condition or phase Aslep", "--wait=Asleep?"])
    case.service.answer("GET", "/v1/streams/a", (200, {}, stream("a", "Failed", conditions=[], message="no file")))
    case.bad(1, "apply", "-f", "m.yaml", "--wait", says=["is Failed (Message): no file", "ebb why a"])


def test_delete(case):
    for kind, name in (("streams", "a"), ("streams", "b"), ("topics", "t")):
        case.service.answer("DELETE", f"/v1/{kind}/{name}", (200, {}, {"kind": kind, "name": name}))
    case.service.answer("DELETE", "/v1/topics/used", problem(409, "used", "topic used is read by stream a"))
    assert case.good("delete", "stream", "a", "b") == "stream/a deleted\nstream/b deleted\n"
    assert case.good("delete", "topic/t") == "topic/t deleted\n"
    case.bad(3, "delete", "stream", "x")
    case.good("delete", "stream", "x", "--ignore-not-found")
    case.bad(4, "delete", "topic", "used", says=["is read by stream a"])
    case.write("m.yaml", "apiVersion: v\nkind: Topic\nmetadata: {name: t}\n---\n" + MANIFEST.replace("NAME", "a")
               + "---\n" + MANIFEST.replace("{name: NAME}", "{name: b, namespace: team}"))
    assert case.good("delete", "-f", "m.yaml") == "stream/a deleted\nstream/b deleted\ntopic/t deleted\n"
    assert [x["query"] for x in case.service.requests[-3:]] == [{}, {"namespace": "team"}, {}]
    case.bad(2, "delete", "stream", says=["ebb get stream"])
    case.bad(2, "delete", says=["-f FILE"])
    case.bad(2, "delete", "-f", "m.yaml", "stream", "a", says=["both"])
    case.write("n.yaml", "kind: Stream\n")
    case.bad(2, "delete", "-f", "n.yaml", says=["metadata.name", "n.yaml:1"])


# --- operations --------------------------------------------------------------------------------


def test_operations(case):
    told = iter([{"id": "7", "phase": "Pending"}, {"id": "7", "phase": "Running", "message": "merging"},
                 {"id": "7", "phase": "Succeeded"}] * 100)
    case.service.answer("GET", "/v1/operations/7", lambda *_: (200, {}, next(told)))
    for verb, rest, query, says in (
            ("sleep", [], {}, "stream/a is asleep"), ("wake", [], {}, "stream/a is awake"),
            ("scale", ["4"], {"parallelism": "4"}, "stream/a is scaled to 4"),
            ("savepoint", ["s1"], {"name": "s1"}, "savepoint s1 of stream/a is made"),
            ("restore", ["s1", "--sinks", "keep"], {"savepoint": "s1", "sinks": "keep"},
             "stream/a is restored to savepoint s1")):
        path = "/v1/streams/a:" + verb
        case.service.answer("POST", path, (202, {}, {"id": "7", "phase": "Pending"}))
        assert case.good(verb, "a", *rest) == says + "\n"
        asked = case.service.seen(path)[-1]
        assert asked["query"] == query and asked["headers"]["Content-Length"] == "0", asked
        assert case.service.requests[-1]["path"] == "/v1/operations/7"
        assert case.good(verb, "a", *rest, "--no-wait").endswith(": operation 7\n")
        assert case.service.requests[-1]["path"] == path
    case.service.answer("GET", "/v1/operations/7", (200, {}, {"id": "7", "phase": "Failed", "message": "no worker",
                                                              "hint": "start one"}))
    case.bad(1, "wake", "a", says=["waking stream/a failed: no worker", "hint: start one"])
    for kind, code in (("not-found", 3), ("conflict", 4), ("invalid", 2), ("input-output", 1)):
        case.service.answer("GET", "/v1/operations/7", (200, {}, {"id": "7", "phase": "Failed", "message": "no",
                                                                  "type": "https://ebb.dev/problems/" + kind}))
        case.bad(code, "restore", "a", "s1", says=["failed: no"])
    case.service.answer("GET", "/v1/operations/7", (200, {}, {"id": "7", "phase": "Running"}))
    case.bad(5, "sleep", "a", "--timeout", "300ms", says=["goes on as operation 7"])
    case.service.answer("POST", "/v1/streams/a:restore", problem(409, "past", "sink out is past it", hint="--sinks"))
    case.bad(4, "restore", "a", "s1", says=["past it"])
    case.bad(2, "scale", "a", "0")
    case.bad(2, "scale", "a")


# --- send, tail --------------------------------------------------------------------------------


def test_send_in_batches(case):
    case.write("m.ndjson", "\ufeff" + rows(1500) + "\n  \n" + rows(1000, 1500) + '{"a": 2500}')
    assert case.good("send", "orders", "m.ndjson") == "sent 2,501 messages, offsets 0-2500\n"
    sent = case.service.requests
    assert [x["body"].count(b"\n") for x in sent] == [1000, 1000, 501]
    assert [x["headers"]["Ebb-Sequence"] for x in sent] == ["0", "1000", "2000"]
    assert len({x["headers"]["Ebb-Producer"] for x in sent}) == 1 and case.service.connections == 1
    assert [json.loads(x)["a"] for x in case.service.topics["orders"].rows] == list(range(2501))
    # About a MiB a request.
    case.write("wide.ndjson", ('{"a":"' + "x" * 300_000 + '"}\n') * 5)
    case.good("send", "orders", "wide.ndjson")
    assert [x["body"].count(b"\n") for x in sent[3:]] == [3, 2]
    assert case.good("send", "orders", stdin="") == "sent 0 messages\n"
    assert case.good("send", "orders", "-", "--batch", "2", stdin=rows(3)) == "sent 3 messages, offsets 2506-2508\n"
    case.bad(2, "send", "orders", "nowhere", says=["nowhere", "check the path"])
    case.bad(3, "send", "odres", stdin=rows(1), says=["no topic odres"])


def test_send_doubles_nothing(case):
    path = "/v1/topics/orders/messages"
    case.write("m.ndjson", rows(5000))
    busy = problem(429, "quota", "too much")
    case.service.fail(path, ["cut after", (429, {"Retry-After": "1"}, busy[2]), problem(503, "busy", "stopping"), "cut",
                             "cut after", None, "cut after"])
    began = time.monotonic()
    # The first request meets a service that has never answered: no second try.
    case.bad(1, "send", "orders", "m.ndjson", says=["cut", "0 messages had been sent"])
    case.service.topics["orders"] = Topic()
    case.service.faults[path].insert(0, None)
    out = case.good("send", "orders", "m.ndjson")
    assert out.startswith("sent 5,000 messages, offsets 0-4999, 2,000 of them were there already"), out
    assert time.monotonic() - began > 1, "Retry-After was not heeded"
    assert [json.loads(x)["a"] for x in case.service.topics["orders"].rows] == list(range(5000))


def test_send_goes_on_by_producer(case):
    path = "/v1/topics/orders/messages"
    case.write("m.ndjson", rows(3000))
    case.service.fail(path, [None, "cut after"] + ["cut"] * 100)
    case.bad(1, "send", "orders", "m.ndjson", "--producer", "p", "--timeout", "500ms",
             says=["1,000 messages had been sent, offsets 0-999", "--producer p"])
    case.service.faults.clear()
    assert case.good("send", "orders", "m.ndjson", "--producer", "p") == \
        "sent 3,000 messages, offsets 0-2999, 2,000 of them were there already\n"
    # Other batches, and requests that are forgotten: the service says how far the producer has come.
    case.service.topics["orders"].producers["p"]["requests"].clear()
    case.write("m.ndjson", rows(3500))
    assert case.good("send", "orders", "m.ndjson", "--producer", "p", "--batch", "700") == \
        "sent 3,500 messages, offsets 3000-3499, 3,000 of them were there already\n"
    assert [json.loads(x)["a"] for x in case.service.topics["orders"].rows] == list(range(3500))
    case.bad(4, "send", "orders", "m.ndjson", "--producer", "p", "--sequence", "9000", says=["expected 3500"])


def test_send_shows_the_bad_line(case):
    case.write("m.ndjson", rows(1200) + "\n" + '{"a": "bad"}\n')
    case.bad(2, "send", "orders", "m.ndjson", says=["m.ndjson:1202: a: this is no number",
                                                    "of the lines from 1001 to 1202 none was kept",
                                                    "1,000 messages had been sent"])


def test_send_from_a_pipe_waits_for_nobody(case):
    run = case.start("send", "orders", stdin=subprocess.PIPE)
    for count in (1, 2):
        run.stdin.write(f'{{"a": {count}}}\n')
        run.stdin.flush()
        wait_for(lambda: len(case.service.topics["orders"].rows) == count)  # pylint: disable=cell-var-from-loop
    time.sleep(0.2)  # its answer, too
    run.send_signal(signal.SIGINT)
    assert run.wait(5) == 130 and "had been sent, offsets 0-" in run.stderr.read()
    run.stdin.close()


def test_send_waits_for_acknowledgement(case):
    case.service.pending_acks = 3
    out = case.good("send", "orders", "--ack", "committed", "--stream", "a", stdin=rows(1500))
    assert out == "sent 1,500 messages, offsets 0-1499, all committed\n", out
    posts = case.service.seen("/v1/topics/orders/messages")
    assert posts[0]["query"] == {"ack": "committed", "timeout": "0ms", "stream": "a"}
    # Between them it looks whether the stream has failed.
    acks = [x["path"] for x in case.service.requests[len(posts):] if x["path"] != "/v1/streams/a"]
    assert acks == ["/v1/acks/t0"] * 4 + ["/v1/acks/t1000"], acks
    case.service.pending_acks = 1 << 30
    case.bad(1, "send", "orders", "--ack", "checkpointed", "--timeout", "300ms", stdin=rows(1),
             says=["are logged, but not checkpointed in time"])


def test_tail(case):
    case.service.put("orders", {"a": 1}, {"a": 2}, {"a": 3})
    assert case.good("tail", "orders", "--from", "earliest", "--no-follow") == '{"a": 1}\n{"a": 2}\n{"a": 3}\n'
    assert case.good("tail", "orders", "--from", "1", "--limit", "1") == '{"a": 2}\n'
    assert case.good("tail", "orders", "--no-follow") == ""
    assert json.loads(case.good("tail", "orders", "--from", "2", "--limit", "1", "--meta")) == \
        {"partition": 0, "offset": 2, "time": "2026-01-31T12:00:00Z", "value": {"a": 3}}
    case.bad(2, "tail", "orders", "--limit", "0")
    case.bad(2, "tail", "orders", "--partition", "-1")


def test_tail_follows_over_cuts(case):
    case.service.put("orders", {"a": 0})
    run = case.start("tail", "orders")
    wait_for(lambda: case.service.seen("/v1/topics/orders/messages"))
    time.sleep(0.2)
    case.service.cut_after_rows = 2
    case.service.put("orders", {"a": 1}, {"a": 2}, {"a": 3})
    assert [json.loads(run.stdout.readline())["a"] for _ in range(3)] == [1, 2, 3]
    time.sleep(0.2)  # the service has counted them
    case.service.fail("/v1/topics/orders/messages", ["cut", problem(503, "busy", "stopping")])
    case.service.cut_after_rows = 1
    case.service.put("orders", {"a": 4}, {"a": 5})
    assert [json.loads(run.stdout.readline())["a"] for _ in range(2)] == [4, 5]
    run.send_signal(signal.SIGINT)
    assert run.communicate(timeout=5) == ("", "") and run.returncode == 130
    places = [x["headers"].get("Last-Event-ID") for x in case.service.requests]
    assert places == [None, "0:3", "0:5", "0:5", "0:5"], places


def test_tail_of_a_sink(case):
    case.service.answer("GET", "/v1/streams/a", (200, {}, stream("a")))
    case.service.put("results", {"n": 1})
    assert case.good("tail", "a/sink", "--from", "earliest", "--no-follow") == '{"n": 1}\n'
    case.bad(2, "tail", "a/kept", says=["does not write to a topic"])
    case.bad(3, "tail", "a/other", says=["its sinks are sink, kept"])
    case.bad(3, "tail", "a", says=["no topic a", "ebb tail a/sink"])


# --- progress, completion ----------------------------------------------------------------------


def test_progress_is_for_terminals(case):
    told = iter([{"id": "7", "phase": "Running", "message": "merging"}] * 3 + [{"id": "7", "phase": "Succeeded"}])
    case.service.answer("GET", "/v1/operations/7", lambda *_: (200, {}, next(told)))
    case.service.answer("POST", "/v1/streams/a:sleep", (202, {}, {"id": "7", "phase": "Pending"}))
    seen, code = on_terminal(case, "sleep", "a", until=b"is asleep")
    assert code == 0 and b"putting stream/a to sleep: merging" in seen, (code, seen)


def test_completion(case):
    case.service.answer("GET", "/v1/streams", (200, {}, {"items": [stream("delays"), stream("dear")]}))
    assert case.good("__names", "streams") == "delays\ndear\n"
    assert "__names" not in case.good("--help")
    script = case.write("bash", case.good("completion", "bash"))
    assert "__names)" not in script.read_text(encoding="utf-8")

    def complete(line):
        words = line.split(" ")
        quoted = " ".join(f"'{x}'" for x in words)
        run = subprocess.run(["bash", "-c", f'PATH={os.path.dirname(os.path.abspath(EBB))}:$PATH; . {script}; '
                              f'COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; _ebb; echo "${{COMPREPLY[@]}}"'],
                             env=case.environment(), text=True, capture_output=True, check=True)
        assert not run.stderr, run.stderr
        return run.stdout.split()

    assert "describe" in complete("ebb de") and "delete" in complete("ebb de")
    assert complete("ebb why de") == ["delays", "dear"] and complete("ebb get stream del") == ["delays"]
    assert "topics" in complete("ebb get t") and "--follow" in complete("ebb logs --f")
    assert complete("ebb context u") == ["use"]
    case.service.stop()
    began = time.monotonic()
    assert complete("ebb why de") == [] and time.monotonic() - began < 2
    for shell in ("zsh", "fish"):
        text = case.good("completion", shell)
        assert "__names streams" in text and "checkpoints" in text


def main():
    passed = failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (sys.argv[2:] and name not in sys.argv[2:]):
            continue
        with tempfile.TemporaryDirectory() as folder:
            case = Case(folder)
            began = time.monotonic()
            try:
                test(case)
                passed += 1
            except Exception:  # pylint: disable=broad-except
                failed += 1
                print(f"{name}:\n{traceback.format_exc()}")
            if threading.active_count() > 100:
                print(f"{name}: leaves threads")
            if os.environ.get("TIMES"):
                print(f"{time.monotonic() - began:6.2f} s {name}")
            case.service.server.server_close()
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
