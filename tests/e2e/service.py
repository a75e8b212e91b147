"""A real `ebb up` for tests: started in the test's folder on a free port, asked over HTTP or by the commands."""
import http.client
import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import time

import e2e


def copy_manifest(idle="60s"):
    """Stream `copy` from topic `in` to topic `out`, each of one BIGINT `id`."""
    return """apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: in}
spec: {schema: "id BIGINT"}
---
apiVersion: ebb.dev/v1alpha1
kind: Topic
metadata: {name: out}
spec: {schema: "id BIGINT"}
---
apiVersion: ebb.dev/v1alpha1
kind: Stream
metadata: {name: copy}
spec:
  checkpoint: {interval: 100ms}
  sleep: {idleAfter: IDLE}
  sources:
    - name: s
      schema: id BIGINT
      topic: {name: in}
  sinks:
    - topic: {name: out}
""".replace("IDLE", idle)


class Service:
    """`with Service() as s:` serves; ends it at the end. `start` and `kill` make any number of generations."""

    def __init__(self, *arguments, data="data", listen="127.0.0.1:0"):
        self.arguments = arguments
        self.data = data
        self.listen = listen
        self.log = e2e.FOLDER / "up.log"
        self.process = None
        self.url = ""
        self.context = None  # for https
        self.token = ""

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        before = self.said()
        with open(self.log, "a", encoding="utf-8") as log:
            # pylint: disable=consider-using-with
            self.process = subprocess.Popen(
                [e2e.EBB, "up", "--data", self.data, "--listen", self.listen, *self.arguments],
                cwd=e2e.FOLDER, stdout=log, stderr=log)
        found = wait_for(lambda: re.search(r"serves \d+ streams? at ([^\s\"]+)", self.said()[len(before):])
                         or self.process.poll() is not None)
        assert found is not True, self.said()
        self.url = found[1]
        self.listen = re.sub(r"^https?://", "", self.url)
        os.environ["EBB_SERVER"] = self.url
        os.environ["HOME"] = str(e2e.FOLDER)

    def said(self):
        return self.log.read_text(encoding="utf-8") if self.log.exists() else ""

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=30)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=60)

    def workers(self):
        """Processes of workers of this service."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"--control" in words and os.fsencode(str(e2e.FOLDER / self.data)) in b"\0".join(words):
                found.append(int(entry.name))
        return found

    def connection(self):
        host, port = re.sub(r"^https?://", "", self.url).rsplit(":", 1)
        if self.url.startswith("https"):
            return http.client.HTTPSConnection(host, int(port), timeout=30, context=self.context)
        return http.client.HTTPConnection(host, int(port), timeout=30)

    def ask(self, method, target, body=None, **headers):
        """One request on a connection of its own: the answer's status, body and headers. Underscores
        of headers' names stand for hyphens."""
        connection = self.connection()
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        if self.token:
            named.setdefault("Authorization", "Bearer " + self.token)
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        if body is not None:
            named.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, target, body, named)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        return Answer(answer.status, text, answer.headers)

    def apply(self, manifest, **headers):
        return self.ask("POST", "/v1/apply", manifest, Content_Type="application/yaml", **headers)

    def post(self, topic, lines, **headers):
        """Messages, as NDJSON; all of them must be taken."""
        answer = self.ask("POST", f"/v1/topics/{topic}/messages", lines, Content_Type="application/x-ndjson", **headers)
        assert answer.status == 200, answer

    def stream(self, name):
        return self.ask("GET", "/v1/streams/" + name).json()

    def phase(self, name):
        return self.stream(name)["status"]["phase"]

    def wait_phase(self, name, phase, seconds=20):
        wait_for(lambda: self.phase(name) == phase, seconds)

    def messages(self, topic):
        answer = self.ask("GET", f"/v1/topics/{topic}/messages")
        assert answer.status == 200, answer
        return [json.loads(line) for line in answer.body.splitlines()]


class Answer:
    def __init__(self, status, body, headers):
        self.status = status
        self.body = body
        self.headers = headers

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:2000]!r}"


def wait_for(what, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = what()
        if got:
            return got
        time.sleep(0.02)
    raise AssertionError("it did not come about")


def certificate():
    """A certificate of 127.0.0.1 in the test's folder, signed by itself; the context that trusts it."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", "key.pem", "-out", "cert.pem", "-days", "2", "-subj", "/CN=ebb",
                    "-addext", "subjectAltName=IP:127.0.0.1"], cwd=e2e.FOLDER, check=True, capture_output=True)
    return ssl.create_default_context(cafile=str(e2e.FOLDER / "cert.pem"))
