"""A small HTTP server that plays the service: recorded answers, topics in memory, and faults.

A test says with `fail(path, [...])` what the next requests to a path meet: a status with headers and a
problem, "cut" (the connection ends without an answer), "cut after" (the request is carried out, then the
connection ends), "slow" (the answer takes two seconds). Every request is kept in `requests`.
"""
import http.server
import json
import socket
import ssl
import threading
import time
import urllib.parse

PROBLEM = "https://ebb.dev/problems/"


def problem(status, kind, detail, **more):
    return status, {}, {"type": PROBLEM + kind, "title": "Title", "status": status, "detail": detail, **more}


def stream(name, phase="Running", **status):
    return {"apiVersion": "ebb.dev/v1alpha1", "kind": "Stream",
            "metadata": {"name": name, "namespace": "default", "uid": "u-" + name, "generation": 1,
                         "creationTimestamp": "2026-01-31T12:00:00Z"},
            "spec": {"sources": [{"name": "in", "topic": {"name": "orders"}}],
                     "sinks": [{"topic": {"name": "results"}}, {"name": "kept", "file": {"path": "x.ndjson"}}]},
            "status": {"phase": phase, "reason": "Message", "message": "", "since": "2026-01-31T12:00:00Z",
                       "uid": "u-" + name, "generation": 3,
                       "checkpoint": {"epoch": 12, "time": "2026-01-31T12:00:00Z", "bytes": 2048,
                                      "durationMillis": 7},
                       "conditions": [{"type": "Ready", "status": "True", "reason": "Message", "message": "",
                                       "lastTransitionTime": "2026-01-31T12:00:00Z"}], **status}}


class Topic:
    """Rows of partition 0, and what producers have sent."""

    def __init__(self):
        self.rows = []
        self.producers = {}

    def append(self, rows, producer, sequence):
        """Status, headers and document, as the service answers."""
        if producer is None:
            first = len(self.rows)
            self.rows += rows
            return 200, {}, self.receipt(first, len(rows))
        known = self.producers.setdefault(producer, {"next": sequence, "requests": {}})
        if sequence in known["requests"]:
            return 200, {}, {**self.receipt(known["requests"][sequence], len(rows)), "duplicate": True}
        if sequence != known["next"]:
            status, _, document = problem(409, "sequence", f"producer {producer}: expected {known['next']}")
            return status, {"Ebb-Expected-Sequence": str(known["next"])}, document
        first = len(self.rows)
        self.rows += rows
        known["requests"][sequence] = first
        known["next"] = sequence + len(rows)
        return 200, {}, self.receipt(first, len(rows))

    @staticmethod
    def receipt(first, count):
        return {"topic": "orders", "partitions": [{"partition": 0, "first": first, "last": first + count - 1}],
                "ack": "logged", "token": f"t{first}"}


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """Clients that leave are no news."""


class Service:
    """What the server knows; one lock around all of it."""

    def __init__(self):
        self.lock = threading.Condition()
        self.requests = []
        self.faults = {}
        self.answers = {}  # (method, path) -> (status, headers, document), or a function that makes it
        self.topics = {"orders": Topic()}
        self.token = None
        self.cut_after_rows = None  # a reader's connection ends after so many rows, once
        self.pending_acks = 0
        self.connections = 0
        handler = type("Handler", (Handler,), {"service": self})
        self.server = Server(("127.0.0.1", 0), handler)
        self.port = self.server.server_address[1]

    def start(self, certificate=None):
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def fail(self, path, faults):
        self.faults.setdefault(path, []).extend(faults)

    def answer(self, method, path, what):
        self.answers[method, path] = what

    def seen(self, path):
        return [x for x in self.requests if x["path"] == path]

    def put(self, topic, *rows):
        with self.lock:
            self.topics.setdefault(topic, Topic()).rows += [json.dumps(x) for x in rows]
            self.lock.notify_all()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service = None

    def setup(self):
        super().setup()
        self.service.connections += 1

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass

    def do_GET(self):
        self.handle_one()

    def do_POST(self):
        self.handle_one()

    def do_DELETE(self):
        self.handle_one()

    def handle_one(self):
        url = urllib.parse.urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length) if length else b""
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        path = urllib.parse.unquote(url.path)
        service = self.service
        service.requests.append({"method": self.command, "path": path, "query": query,
                                 "headers": dict(self.headers), "body": body})
        if service.token and self.headers.get("Authorization") != "Bearer " + service.token:
            return self.send(*problem(401, "unauthorized", "a token is missing or not valid"))
        faults = service.faults.get(path)
        fault = faults.pop(0) if faults else None
        if fault == "cut":
            return self.cut()
        if fault == "slow":
            time.sleep(2)
        elif isinstance(fault, tuple):
            return self.send(*fault)
        if path.endswith("/messages"):
            return self.messages(path.split("/")[3], query, body, fault)
        if path.startswith("/v1/acks/"):
            service.pending_acks -= 1
            return self.send(202 if service.pending_acks >= 0 else 200, {}, {"ack": "committed"})
        made = service.answers.get((self.command, path))
        if callable(made):
            made = made(query, body)
        return self.send(*(made or problem(404, "not-found", f"there is no {path}", hint="look elsewhere")))

    def messages(self, name, query, body, fault):
        service = self.service
        with service.lock:
            topic = service.topics.get(name)
            if topic is None:
                return self.send(*problem(404, "topic-unknown", f"there is no topic {name}"))
            if self.command == "POST":
                rows = body.decode().splitlines()
                for number, row in enumerate(rows, 1):
                    if "bad" in row:
                        return self.send(*problem(400, "record", "this is no number", field="a", line=number))
                sequence = self.headers.get("Ebb-Sequence")
                made = topic.append(rows, self.headers.get("Ebb-Producer"), int(sequence) if sequence else None)
                service.lock.notify_all()
                if fault == "cut after":
                    return self.cut()
                if made[0] == 200 and query.get("ack", "logged") != "logged":
                    return self.send(202, *made[1:])
                return self.send(*made)
        return self.read(topic, query)

    def read(self, topic, query):
        service = self.service
        wish = query.get("from", "earliest")
        behind = self.headers.get("Last-Event-ID")
        at = int(behind.split(":")[1]) if behind else {"earliest": 0, "latest": len(topic.rows)}.get(wish)
        at = int(wish) if at is None else at
        limit = int(query.get("limit", 1 << 60))
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Ebb-Next", f"0:{at}")
        self.end_headers()
        self.wfile.flush()
        while limit > 0:
            with service.lock:
                while at >= len(topic.rows) and query.get("follow") == "true":
                    service.lock.wait()
                if at >= len(topic.rows):
                    break
                row = topic.rows[at]
            line = f'{{"partition":0,"offset":{at},"time":"2026-01-31T12:00:00Z","value":{row}}}\n'
            # In two chunks, in the middle of a line.
            for part in (line[:20], line[20:]):
                self.wfile.write(f"{len(part.encode()):x}\r\n{part}\r\n".encode())
            self.wfile.flush()
            at += 1
            limit -= 1
            if service.cut_after_rows is not None:
                service.cut_after_rows -= 1
                if service.cut_after_rows == 0:
                    service.cut_after_rows = None
                    return self.cut()
        self.wfile.write(b"0\r\n\r\n")
        return None

    def send(self, status, headers, document):
        text = document if isinstance(document, (bytes, str)) else json.dumps(document)
        data = text.encode() if isinstance(text, str) else text
        self.send_response(status)
        kind = "application/json" if status < 400 else "application/problem+json"
        for name, value in {"Content-Type": kind, **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def cut(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
