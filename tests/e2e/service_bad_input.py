#!/usr/bin/env python3
"""What a real service says to wrong requests, route by route.

    service_bad_input.py EBB [TEST…]

The routes and their parameters are those of its own OpenAPI document. Whatever is sent, the answer is a problem
document that names the field, nothing changes, and the service goes on. Ends in `N passed, N failed`.
"""
import json
import re
import socket
import sys
import urllib.parse

import e2e
from service import Service, certificate, wait_for

TOPIC = """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: NAME}
spec:
  schema: id BIGINT NOT NULL, at TIMESTAMP, note TEXT, small SMALLINT
"""
STREAM = """apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: NAME}
spec:
  sleep: {idleAfter: 2s}
  checkpoint: {interval: 100ms}
  sources:
    - name: src
      schema: id BIGINT NOT NULL, at TIMESTAMP
      eventTime: {column: at}
      topic: {name: SOURCE}
  operators:
    - name: counts
      sql: |
        SELECT window_start, id % 2 AS odd, count(*) AS n FROM tumble(src, at, INTERVAL '1 hour')
        GROUP BY window_start, window_end, id % 2
  sinks:
    - topic: {name: TARGET}
"""
COUNTS = TOPIC.replace("id BIGINT NOT NULL, at TIMESTAMP, note TEXT, small SMALLINT",
                       "window_start TIMESTAMP, odd BIGINT, n BIGINT")


def topic(name):
    return TOPIC.replace("NAME", name)


def stream(name, source="numbers", sink="counts"):
    return STREAM.replace("NAME", name).replace("SOURCE", source).replace("TARGET", sink)


def to_file(name, path):
    return stream(name).replace("- topic: {name: counts}", f"- file: {{path: {path}, format: json}}")


def all_of(*documents):
    return "---\n".join(documents)


WHOLE = all_of(topic("numbers"), COUNTS.replace("NAME", "counts"), stream("s"))


def problem(answer, status, field=None, *parts):
    """Checks that it is a problem document; `status` is one or several."""
    allowed = status if isinstance(status, tuple) else (status,)
    assert answer.status in allowed, (allowed, answer)
    assert answer.headers["Content-Type"] == "application/problem+json", answer.headers
    said = answer.json()
    assert said["status"] == answer.status and said["title"] and said["detail"], said
    assert re.fullmatch(r"https://ebb\.dev/problems/[a-z0-9-]+", said["type"]), said
    if field is not None:
        assert said.get("field") == field, (field, said)
    for part in parts:
        assert part in said["detail"] + said.get("hint", ""), (part, said)
    return said


def good(answer, status=200):
    assert answer.status == status, answer
    return answer.json()


# --- every route --------------------------------------------------------------------------------

VALUES = {"stream": "s", "topic": "numbers", "function": "f", "operator": "counts", "operation": "no-such",
          "token": "AAAA"}


def routes(service):
    """method, path pattern, what the OpenAPI document says of it."""
    document = good(service.ask("GET", "/v1/openapi.json"))
    for path, methods in document["paths"].items():
        for method, said in methods.items():
            if method in ("get", "post", "delete", "put", "patch"):
                yield method.upper(), path, said


def target(path, query="", **changed):
    values = {**VALUES, **changed}
    filled = re.sub(r"\{(\w+)\}", lambda m: urllib.parse.quote(values[m[1]], safe=""), path)
    return filled + ("?" + query if query else "")


def required(said, but=""):
    """A query with what must be there."""
    return "&".join(f"{x['name']}={'1' if x['schema'].get('type') == 'integer' else 'x'}"
                    for x in said.get("parameters", ()) if x["in"] == "query" and x.get("required") and x["name"] != but)


def wrong_values(schema):
    """Values that the schema does not allow."""
    kind = schema.get("type")
    if kind == "integer":
        found = ["", "x", "1.5", "0x10", "1e3", "99999999999999999999999", "-99999999999999999999999"]
        if "minimum" in schema:
            found.append(str(schema["minimum"] - 1))
        if "maximum" in schema:
            found.append(str(schema["maximum"] + 1))
        return found
    if kind == "boolean":
        return ["", "maybe", "TRUE", "2"]
    if "enum" in schema:
        return ["", "x", schema["enum"][0].upper()]
    pattern = schema.get("pattern", "")
    if schema.get("format") == "duration" or "ms" in pattern:
        return ["", "10", "-1s", "1 s", "999999999999999999999d", "s"]
    if "maxLength" in schema and not schema.get("minLength", 0):
        return ["x" * (schema["maxLength"] + 1), "%00", "%ff"]
    return ["x" * 4000]


def test_unknown_parameters_and_headers():
    with Service() as service:
        good(service.apply(WHOLE))
        checked = 0
        for method, path, said in routes(service):
            if path in ("/metrics", "/healthz", "/readyz"):
                continue
            body = b"{}" if "requestBody" in said else None
            where = f"{method} {path}"
            query = required(said)
            more = "&" if query else ""
            answer = service.ask(method, target(path, query + more + "nonsense=1"), body)
            assert problem(answer, 400, "query.nonsense"), where
            answer = service.ask(method, target(path, query), body, Ebb_Nonsense="1")
            assert problem(answer, 400, "header.Ebb-Nonsense"), where
            checked += 1
        assert checked >= 25, checked
        # A slip of the finger is told.
        said = problem(service.ask("GET", "/v1/streams?limt=1"), 400, "query.limt")
        assert "limit" in said["hint"], said


def test_one_file_has_one_stream_whatever_it_is_called():
    files = e2e.FOLDER / "files"
    (files / "real").mkdir(parents=True)
    (files / "also").symlink_to("real")
    (files / "dangling.ndjson").symlink_to("real/out.ndjson")
    with Service("--files", "files") as service:
        good(service.apply(all_of(topic("numbers"), to_file("one", "real/out.ndjson"))))
        # Before the first row comes there is no file, and links mean the one that will be.
        names = ["also/out.ndjson", "dangling.ndjson"]
        for name in names:
            problem(service.apply(to_file("two", name)), 409, None, "stream one writes the file", "file of its own")
        service.wait_phase("one", "Asleep")
        if not (files / "real/out.ndjson").exists():
            (files / "real/out.ndjson").touch()
        (files / "hard.ndjson").hardlink_to(files / "real/out.ndjson")
        for name in [*names, "hard.ndjson"]:
            problem(service.apply(to_file("two", name)), 409, None, "stream one writes the file")
        problem(service.apply(all_of(to_file("two", "new.ndjson"), to_file("three", "real/../new.ndjson"))), 409, None,
                "stream two writes the file")
        good(service.apply(to_file("two", "real/other.ndjson")))
        good(service.ask("DELETE", "/v1/streams/one"))
        good(service.apply(to_file("three", "also/out.ndjson")))


def test_wrong_values_of_every_parameter():
    with Service() as service:
        good(service.apply(WHOLE))
        checked = 0
        for method, path, said in routes(service):
            body = b"{}" if "requestBody" in said else None
            for x in said.get("parameters", ()):
                name = x["name"]
                for value in wrong_values(x["schema"]):
                    text = value if value.startswith("%") else urllib.parse.quote(value)
                    if x["in"] == "query":
                        rest = required(said, name)
                        answer = service.ask(method, target(path, rest + ("&" if rest else "") + name + "=" + text),
                                             body)
                        field = "query" if value.startswith("%") else "query." + name
                    elif x["in"] == "header":
                        if value == "" or value.startswith("%"):
                            continue
                        answer = service.ask(method, target(path, required(said)), body, **{name: value})
                        field = "header." + name
                    else:
                        continue
                    try:
                        problem(answer, 400, field)
                    except AssertionError as error:
                        raise AssertionError(f"{method} {path} {name}={value[:50]!r}: {error}") from error
                    checked += 1
                if x["in"] == "query":
                    rest = required(said, name)
                    twice = target(path, rest + ("&" if rest else "") + f"{name}=1&{name}=1")
                    problem(service.ask(method, twice, body), 400)
        assert checked > 200, checked
        assert service.stream("s")["metadata"]["name"] == "s"


def test_wrong_names_in_paths():
    with Service() as service:
        for method, path, said in routes(service):
            body = b"{}" if "requestBody" in said else None
            for part in re.findall(r"\{(\w+)\}", path):
                if part in ("token", "operation", "operator"):
                    continue
                for name in ("UPPER", "a_b", "-a", "a-", "x" * 64, "ü", "a b", "a\x00"):
                    answer = service.ask(method, target(path, required(said), **{part: name}), body)
                    problem(answer, (400, 404))
                absent = service.ask(method, target(path, required(said), **{part: "absent"}), body)
                problem(absent, 404)
        for bad in ("/", "/v1", "/v1/", "/v1/streams/", "/v1//streams", "/v2/streams", "/v1/streams/a/b/c",
                    "/v1/streams/s:nap", "/v1/streams/%2e%2e/x", "/v1/streams/..", "/v1/streams/a%2fb", "/v1/streams/%zz",
                    "/v1/streams/%00"):
            problem(service.ask("GET", bad), (400, 404, 405))


def test_wrong_methods():
    with Service() as service:
        allowed = {}
        for method, path, _ in routes(service):
            allowed.setdefault(path, set()).add(method)
        for path, methods in allowed.items():
            for method in {"GET", "POST", "PUT", "DELETE", "PATCH"} - methods:
                answer = service.ask(method, target(path))
                problem(answer, 405)
                assert methods <= set(re.findall(r"\w+", answer.headers["Allow"])), (path, answer.headers["Allow"])
        problem(service.ask("BREW", "/v1/streams"), (400, 405, 501))


# --- bodies -------------------------------------------------------------------------------------

def raw(service, data, seconds=15):
    """Sends bytes and no more; what came back until the connection was closed."""
    host, port = re.sub(r"^https?://", "", service.url).rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=seconds) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        came = b""
        while True:
            piece = connection.recv(65536)
            if not piece:
                return came
            came += piece


def test_bodies_that_are_not_what_they_say():
    deep = 100_000
    with Service() as service:
        good(service.apply(WHOLE))
        messages = "/v1/topics/numbers/messages"
        for path in ("/v1/apply", messages):
            for kind in ("text/html", "application/octet-stream", "nonsense", "application/json; charset=utf-16"):
                problem(service.ask("POST", path, b"{}", Content_Type=kind), 415)
            problem(service.ask("POST", path, b"{}", Content_Encoding="gzip"), 415)
            for kind in ("application/json", "application/yaml") if path == "/v1/apply" else (
                    "application/json", "application/x-ndjson", "application/x-ebb-batch"):
                for body in (b"\xff\xfe", b"{\"id\": \"\xc3\x28\"}", b"{", b"[", b"null", b"7", b"\"x\"", b"[{}]",
                             b"{\"id\": 1}}", b"\x00", b"[" * deep, b"{\"id\":" * deep,
                             b"{\"id\":1,\"note\":" + b"[" * deep + b"]" * deep + b"}", b"- " * deep,
                             b"{\"id\": 1, \"id\": 2}"):
                    answer = service.ask("POST", path, body, Content_Type=kind)
                    problem(answer, (400, 422)), (path, kind, body[:40])
            # Empty, too large (what is announced counts), cut.
            problem(service.ask("POST", path, b""), (400, 422))
            host = re.sub(r"^https?://", "", service.url)
            head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: "
            came = raw(service, f"{head}17179869184\r\n\r\n{{".encode())
            assert b" 413 " in came.split(b"\r\n")[0] and b"problem+json" in came, came
            came = raw(service, f"{head}400\r\n\r\n{{\"id\": 1".encode())
            assert came == b"" or b" 400 " in came.split(b"\r\n")[0], came
            came = raw(service, f"{head}-1\r\n\r\n".encode())
            assert b" 400 " in came.split(b"\r\n")[0], came
        assert service.messages("numbers") == []


def test_bad_messages():
    with Service() as service:
        good(service.apply(WHOLE))
        path = "/v1/topics/numbers/messages"
        for body, field in (({"id": "x"}, "id"), ({"id": 9223372036854775808}, "id"), ({"id": 1.5}, "id"), ({}, "id"),
                            ({"id": None}, "id"), ({"id": 1, "small": 40000}, "small"),
                            ({"id": 1, "at": "yesterday noon"}, "at"), ({"id": 1, "at": "2024-02-30T00:00:00"}, "at"),
                            ({"id": True}, "id"), ({"id": [1]}, "id"), ({"id": 1, "note": "a\x00b"}, "note")):
            problem(service.ask("POST", path, body), 400, field)
        problem(service.ask("POST", path, b'{"id": 1e999}'), 400, "id")
        # One of a thousand: none is kept.
        lines = [f'{{"id": {i}}}' for i in range(1000)]
        lines[56] = '{"id": "fifty-seven"}'
        said = problem(service.ask("POST", path, "\n".join(lines), Content_Type="application/x-ndjson"), 400, "id")
        assert said["line"] == 57, said
        assert service.messages("numbers") == []
        lines[56] = '{"id": 56'
        said = problem(service.ask("POST", path, "\n".join(lines), Content_Type="application/x-ndjson"), 400)
        assert said["line"] == 57, said
        assert service.messages("numbers") == []


def test_places_that_are_not_there():
    with Service() as service:
        good(service.apply(topic("numbers")))
        path = "/v1/topics/numbers/messages"
        problem(service.ask("GET", path + "?partition=1"), 400, "query.partition", "no partition 1", "one, number 0")
        problem(service.ask("GET", path + "?from=1"), 400, "query.from", "offset 1", "earliest")
        problem(service.ask("POST", path + "?ack=committed", {"id": 1}), 409, None, "no stream reads", "apply a stream")
        problem(service.ask("POST", path + "?ack=committed&stream=absent", {"id": 1}), (404, 409), None, "absent")
        problem(service.ask("GET", "/v1/acks/AAAA"), (400, 404))
        problem(service.ask("GET", "/v1/operations/absent"), 404)
        assert service.messages("numbers") == []


def test_sequences():
    with Service() as service:
        good(service.apply(topic("numbers")))
        path = "/v1/topics/numbers/messages"

        def send(first, count=1, **headers):
            lines = "\n".join(f'{{"id": {first + i}}}' for i in range(count))
            return service.ask("POST", path, lines, Content_Type="application/x-ndjson", Ebb_Sequence=str(first),
                               **headers)

        problem(send(0), 400)  # no producer
        problem(send(0, Ebb_Producer="p", Idempotency_Key="k"), 400)
        assert good(send(0, 10, Ebb_Producer="p"))["partitions"] == [{"partition": 0, "first": 0, "last": 9}]
        again = good(send(0, 10, Ebb_Producer="p"))
        assert again["duplicate"] is True and again["partitions"][0]["first"] == 0
        gap = send(12, Ebb_Producer="p")
        problem(gap, 409, None, "10")
        assert gap.headers["Ebb-Expected-Sequence"] == "10", gap.headers
        problem(send(0, 9, Ebb_Producer="p"), 409)
        assert good(send(10, Ebb_Producer="p"))["partitions"][0]["first"] == 10
        assert good(send(100, Ebb_Producer="p", Ebb_Producer_Epoch="1"))["partitions"][0]["first"] == 11
        problem(send(11, Ebb_Producer="p"), 409)  # fenced
        assert len(service.messages("numbers")) == 12


# --- manifests ----------------------------------------------------------------------------------

def names(service, kind):
    return [x["metadata"]["name"] for x in good(service.ask("GET", "/v1/" + kind))["items"]]


def test_apply_is_all_or_nothing():
    with Service() as service:
        broken = topic("b").replace("BIGINT", "BIGGINT")
        said = problem(service.apply(all_of(topic("a"), broken)), (400, 422))
        assert "line" in said or "field" in said, said
        assert names(service, "topics") == []
        said = problem(service.apply(all_of(topic("numbers"), stream("s"))), (400, 422), None, "counts")
        assert said.get("field") and said.get("hint"), said
        assert names(service, "topics") == [] and names(service, "streams") == []
        problem(service.apply(all_of(topic("a"), topic("a"))), (400, 409, 422), None, "a")
        problem(service.apply(topic("a").replace("kind: Topic", "kind: Tropic")), (400, 422), "kind", "Topic")
        problem(service.apply(topic("a").replace("schema", "shema")), (400, 422), None, "schema")
        problem(service.apply(topic("a").replace("v1alpha1", "v9")), (400, 422), "apiVersion")
        problem(service.apply(topic("Upper")), (400, 422), "metadata.name")
        problem(service.apply(topic("a") + "  partitions: 0\n"), (400, 422), "spec.partitions")
        problem(service.apply(topic("a") + "  partitions: 99999999999999999999\n"), (400, 422), "spec.partitions")
        problem(service.apply(topic("a") + "  retention: {time: 1 fortnight}\n"), (400, 422))
        problem(service.apply(topic("a") + "  key: nowhere\n"), (400, 422), "spec.key", "nowhere")
        problem(service.apply(stream("s").replace("name: src", "name: from")), (400, 422))
        # A file, and no folder for files.
        problem(service.apply(stream("s").replace("topic: {name: counts}", "file: {path: /etc/x}")), (400, 422))
        assert names(service, "topics") == [] and names(service, "streams") == []
        assert [x["action"] for x in good(service.ask("POST", "/v1/apply?dryRun=true", WHOLE,
                                                      Content_Type="application/yaml"))["results"]] == ["created"] * 3
        assert names(service, "topics") == []


def test_files_stay_in_their_folder():
    (e2e.FOLDER / "files").mkdir()
    (e2e.FOLDER / "secret.csv").write_text("id\n1\n")
    text = ("apiVersion: ebb.dev/v1alpha1\nkind: Stream\nmetadata: {name: f}\nspec:\n  sources:\n    - name: src\n"
            "      schema: id BIGINT\n      file: {path: PATH, format: csv}\n  sinks:\n    - discard: {}\n")
    with Service("--files", "files") as service:
        for path in ("../secret.csv", "/etc/passwd", str(e2e.FOLDER / "secret.csv"), "x/../../secret.csv"):
            problem(service.apply(text.replace("PATH", path)), (400, 422), None, "--files")


def test_deleting_and_making_again():
    with Service() as service:
        assert [x["action"] for x in good(service.apply(WHOLE))["results"]] == ["created"] * 3
        assert [x["action"] for x in good(service.apply(WHOLE))["results"]] == ["unchanged"] * 3
        changed = WHOLE.replace("idleAfter: 2s", "idleAfter: 3s")
        assert [x["action"] for x in good(service.apply(changed))["results"]] == ["unchanged", "unchanged", "configured"]
        problem(service.ask("DELETE", "/v1/topics/numbers"), 409, None, "s")
        good(service.ask("POST", "/v1/topics/numbers/messages", {"id": 1, "at": "2024-01-01T00:00:00"}))
        wait_for(lambda: service.ask("GET", "/v1/streams/s/state/counts").status == 200
                 and good(service.ask("GET", "/v1/streams/s/state/counts"))["items"])
        # State that does not fit.
        wider = changed.replace("'1 hour'", "'2 hours'")
        problem(service.apply(wider), 409, None, "counts")
        assert "1 hour" in json.dumps(service.stream("s")["spec"])
        problem(service.apply(changed.replace("partitions: 1", "") + "---\n"
                              + topic("numbers").replace("id BIGINT NOT NULL", "id TEXT NOT NULL")), (400, 409, 422))
        reset = wider.replace("  sleep:", "  onChange: reset\n  sleep:")
        good(service.apply(reset))
        # A stream of the same name is another one: it begins with the first message, without state.
        before = service.stream("s")["status"]["uid"]
        good(service.ask("DELETE", "/v1/streams/s"))
        problem(service.ask("GET", "/v1/streams/s"), 404, "path.stream", "ebb get streams")
        good(service.apply(changed))
        assert service.stream("s")["status"]["uid"] != before
        wait_for(lambda: service.ask("GET", "/v1/streams/s/state/counts").status == 200)
        items = wait_for(lambda: good(service.ask("GET", "/v1/streams/s/state/counts"))["items"])
        assert "count=1" in items[0]["value"], items
        good(service.ask("DELETE", "/v1/streams/s"))
        assert good(service.ask("DELETE", "/v1/topics/numbers"))
        good(service.apply(topic("numbers")))
        assert service.messages("numbers") == []


def operated(service, target_):
    """What became of an operation."""
    begun = service.ask("POST", target_)
    assert begun.status == 202, begun
    return good(service.ask("GET", f"/v1/operations/{begun.json()['id']}?timeout=20s"))


def test_orders_that_cannot_be():
    with Service() as service:
        good(service.apply(WHOLE.replace("  sleep: {idleAfter: 2s}", "  maxParallelism: 8\n  sleep: {idleAfter: never}")))
        service.wait_phase("s", "Running")
        problem(service.ask("POST", "/v1/streams/s:scale?parallelism=9"), 400, "query.parallelism", "8 key groups")
        assert operated(service, "/v1/streams/s:scale?parallelism=8")["phase"] == "Succeeded"
        generation = service.stream("s")["status"]["generation"]
        assert operated(service, "/v1/streams/s:savepoint?name=a")["phase"] == "Succeeded"
        again = operated(service, "/v1/streams/s:savepoint?name=a")
        assert again["phase"] == "Failed" and "named a" in again["message"] and again["hint"], again
        absent = operated(service, "/v1/streams/s:restore?savepoint=absent")
        assert absent["phase"] == "Failed" and "absent" in absent["message"] and absent["hint"], absent
        # The stream went on meanwhile.
        service.wait_phase("s", "Running")
        assert good(service.ask("GET", "/v1/streams/s/errors"))["items"] == []
        assert service.stream("s")["status"]["generation"] <= generation + 1
        assert operated(service, "/v1/streams/s:sleep")["phase"] == "Succeeded"
        again = operated(service, "/v1/streams/s:savepoint?name=a")
        assert again["phase"] == "Failed" and "named a" in again["message"], again
        assert operated(service, "/v1/streams/s:savepoint?name=b")["phase"] == "Succeeded"
        assert service.phase("s") == "Asleep"


# --- credentials --------------------------------------------------------------------------------

def token(role, *more):
    run = e2e.ebb("auth", "token", "create", "--data", "data", "--role", role, *more, "-o", "json")
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)["token"]


def test_off_loopback_tls_and_tokens_are_demanded():
    bare = e2e.ebb("up", "--data", "data", "--listen", "0.0.0.0:0")
    assert bare.returncode in (1, 2, 4), bare.stderr
    assert "TLS" in bare.stderr and "--tls-cert" in bare.stderr, bare.stderr
    context = certificate()
    bare = e2e.ebb("up", "--data", "data", "--listen", "0.0.0.0:0", "--tls-cert", "cert.pem", "--tls-key", "key.pem")
    assert bare.returncode in (1, 2, 4) and "ebb auth init" in bare.stderr, bare.stderr
    run = e2e.ebb("auth", "init", "--data", "data", "-o", "json")
    assert run.returncode == 0, run.stderr
    tokens = {"operator": json.loads(run.stdout)["token"], "viewer": token("viewer"), "submitter": token("submitter"),
              "one": token("submitter", "--topic", "numbers"), "none": "", "wrong": "ebb_nonsense"}
    with Service("--tls-cert", "cert.pem", "--tls-key", "key.pem", listen="0.0.0.0:0") as service:
        service.url = "https://127.0.0.1:" + service.url.rsplit(":", 1)[1]
        service.context = context
        service.token = tokens["operator"]
        good(service.apply(all_of(WHOLE, topic("other"))))
        may = {"GET /v1/streams": ("operator", "viewer"), "GET /v1/streams/s": ("operator", "viewer"),
               "GET /v1/streams/s/why": ("operator", "viewer"), "GET /metrics": ("operator", "viewer"),
               "GET /v1/topics/numbers/messages": ("operator", "viewer"),
               "POST /v1/topics/numbers/messages": ("operator", "submitter", "one"),
               "POST /v1/topics/other/messages": ("operator", "submitter"),
               "POST /v1/streams/s:wake": ("operator",), "POST /v1/streams/s:sleep": ("operator",),
               "POST /v1/apply": ("operator",), "DELETE /v1/topics/other": ("operator",),
               "GET /v1/openapi.json": ("operator", "viewer", "submitter", "one"),
               "GET /healthz": tuple(tokens), "GET /readyz": tuple(tokens)}
        for route, roles in may.items():
            method, path = route.split(" ")
            # What may not be done is tried first, so that it shows if it was done.
            for role, value in sorted(tokens.items(), key=lambda x: x[0] in roles):
                service.token = value
                body = {"id": 1} if path.endswith("messages") and method == "POST" else None
                if path == "/v1/apply":
                    body = json.dumps({"apiVersion": "ebb.dev/v1alpha1", "kind": "Topic", "metadata": {"name": "third"},
                                       "spec": {"schema": "id BIGINT"}})
                answer = service.ask(method, path, body)
                if role in roles:
                    assert answer.status in (200, 202), (route, role, answer)
                else:
                    problem(answer, 401 if role in ("none", "wrong") else 403)
        # The commands, too.
        service.token = tokens["operator"]
        environment = {"EBB_SERVER": service.url, "EBB_TOKEN": tokens["viewer"], "HOME": str(e2e.FOLDER), "PATH": "/bin"}
        run = e2e.ebb("get", "streams", "--ca", "cert.pem", env=environment)
        assert run.returncode == 0 and "s " in run.stdout, run.stderr
        run = e2e.ebb("delete", "stream", "s", "--ca", "cert.pem", env=environment)
        assert run.returncode == 1 and "operator" in run.stderr, run
        run = e2e.ebb("get", "streams", env=environment)
        assert run.returncode == 2 and "--ca" in run.stderr, run


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
