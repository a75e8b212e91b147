"""Calls to a test cluster's API server, as its administrator, on a connection that is kept: faster than kubectl."""
import http.client
import json
import ssl


class ApiClient:
    """One thread at a time."""

    def __init__(self, cluster):
        pki = cluster.authority.folder
        context = ssl.create_default_context(cafile=pki / "ca.crt")
        context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        self.connection = http.client.HTTPSConnection("127.0.0.1", cluster.port, context=context, timeout=30)

    def call(self, method, path, body=None, kind="application/json"):
        """The answer's JSON, a Status where it is refused; {} where there was none."""
        for _ in range(2):  # the server ends connections that were idle for long
            try:
                self.connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": kind})
                return json.loads(self.connection.getresponse().read())
            except (OSError, http.client.HTTPException, ValueError):
                self.connection.close()
        return {}
