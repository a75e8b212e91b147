"""Between a client and an API server: counts requests, and spoils some of them. One thread a connection."""
import collections
import http.client
import http.server
import json
import ssl
import threading
import time
from urllib.parse import parse_qs, urlsplit

HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade"}
# A status of each is what an API server under load says.
REFUSALS = ((409, "Conflict", "the object has been modified"), (429, "TooManyRequests", "too many requests"))


class ApiProxy:
    """Listens with the API server's own certificate. `faults` may be changed at any time:
    watch_seconds: a watch is cut after so long, in the middle of a line if there is one; 0 = never.
    refuse_every: of writes to one path each Nth is answered 409 or 429, by turns; 0 = none.
    refused_tokens: bearer tokens that are answered 401."""

    def __init__(self, cluster, address, port):
        self.upstream = "127.0.0.1", cluster.port
        self.watch_seconds = 0
        self.refuse_every = 0
        self.refused_tokens = set()
        self.lock = threading.Lock()
        self.seen = []  # (time, method, path, answer)
        self.tokens = collections.Counter()
        self.writes = collections.Counter()
        self.refused = 0
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve(self):
                proxy.serve(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass

        self.server = Server((address, port), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        pki = cluster.authority.folder
        context.load_cert_chain(pki / "server.crt", pki / "server.key")
        # The handshake is for the connection's own thread.
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self):
        return self.server.server_address[1]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def note(self, request, answer):
        with self.lock:
            self.seen.append((time.monotonic(), request.command, urlsplit(request.path).path, answer))

    def refusal(self, request):
        """What this write is refused with, or None."""
        if request.command == "GET" or not self.refuse_every:
            return None
        path = urlsplit(request.path).path
        with self.lock:
            self.writes[path] += 1
            if self.writes[path] % self.refuse_every:
                return None
            self.refused += 1
            return REFUSALS[self.refused % len(REFUSALS)]

    def serve(self, request):
        length = int(request.headers.get("Content-Length", 0))
        body = request.rfile.read(length) if length else None
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        with self.lock:
            self.tokens[token] += 1
        refused = (401, "Unauthorized", "Unauthorized") if token in self.refused_tokens else self.refusal(request)
        if refused:
            code, reason, message = refused
            self.note(request, code)
            text = json.dumps({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
                               "message": message}).encode()
            request.send_response(code)
            request.send_header("Content-Type", "application/json")
            request.send_header("Content-Length", str(len(text)))
            if code == 429:
                request.send_header("Retry-After", "1")
            request.end_headers()
            request.wfile.write(text)
            return
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        upstream = http.client.HTTPSConnection(*self.upstream, timeout=600, context=context)
        try:
            headers = {key: value for key, value in request.headers.items() if key.lower() not in HOP | {"accept-encoding"}}
            upstream.request(request.command, request.path, body, headers)
            answer = upstream.getresponse()
            self.note(request, answer.status)
            if "watch" in parse_qs(urlsplit(request.path).query):
                self.pass_watch(request, upstream, answer)
            else:
                self.pass_answer(request, answer)
        except (OSError, http.client.HTTPException):
            request.close_connection = True
        finally:
            upstream.close()

    @staticmethod
    def begin(request, answer):
        request.send_response(answer.status)
        for key, value in answer.getheaders():
            if key.lower() not in HOP:
                request.send_header(key, value)

    def pass_answer(self, request, answer):
        data = answer.read()
        self.begin(request, answer)
        request.send_header("Content-Length", str(len(data)))
        request.end_headers()
        request.wfile.write(data)

    def pass_watch(self, request, upstream, answer):
        """Bytes as they come; the connection ends with the watch."""
        self.begin(request, answer)
        request.send_header("Connection", "close")
        request.end_headers()
        request.wfile.flush()
        request.close_connection = True
        cut_at = time.monotonic() + self.watch_seconds if self.watch_seconds else None
        while True:
            if cut_at is not None:
                left = cut_at - time.monotonic()
                if left <= 0:
                    return
                upstream.sock.settimeout(left)
            try:
                piece = answer.read1(65536)
            except TimeoutError:
                return
            if not piece:
                return
            request.wfile.write(piece)
            request.wfile.flush()
