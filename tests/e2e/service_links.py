#!/usr/bin/env python3
"""service_links.py EBB: workers over TLS with certificates of both sides. Ends in `N passed, N failed`."""
import os
import socket
import ssl
import stat
import sys

import e2e
from service import Service, copy_manifest, wait_for

def send(service, first, last):
    body = "".join(f'{{"id":{i}}}\n' for i in range(first, last))
    service.post("in", body)


def results(service, last):
    wait_for(lambda: len(service.messages("out")) >= last)
    assert [x["id"] for x in service.messages("out")] == list(range(last))


def test_streams_run_over_tls_and_are_adopted():
    with Service("--links", "tls") as service:
        assert service.apply(copy_manifest()).status == 200
        send(service, 0, 100)
        results(service, 100)
        worker = service.workers()
        assert worker
        assert not (e2e.FOLDER / "data/workers.sock").exists()
        # kill -9: the worker finds the next control process at the same port.
        service.kill()
        service.start()
        service.wait_phase("copy", "Running")
        assert service.stream("copy")["status"]["reason"] == "Adopted", service.stream("copy")
        send(service, 100, 200)
        results(service, 200)
    assert wait_for(lambda: not service.workers())


def test_keys_are_their_owners_alone():
    with Service("--links", "tls"):
        folder = e2e.FOLDER / "data/links"
        for path in folder.iterdir():
            if path.suffix == ".key":
                assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert stat.S_IMODE((e2e.FOLDER / "data").stat().st_mode) == 0o700


def test_strangers_are_turned_away():
    with Service("--links", "tls") as service:
        assert service.apply(copy_manifest()).status == 200
        service.wait_phase("copy", "Running")
        port = int((e2e.FOLDER / "data/links/port").read_text())
        # Without a certificate, and with the control side's own: neither is a worker.
        for name in (None, "control"):
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            if name:
                context.load_cert_chain(e2e.FOLDER / f"data/links/{name}.pem", e2e.FOLDER / f"data/links/{name}.key")
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
                    with context.wrap_socket(plain) as secure:
                        secure.sendall(b"\x10\0\0\0" + b"x" * 16)
                        assert secure.recv(1) == b"", "a stranger got an answer"
            except (ssl.SSLError, ConnectionError):
                pass
        # Not TLS at all.
        with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
            plain.sendall(os.urandom(64))
            try:
                plain.settimeout(15)
                while plain.recv(1024):
                    pass
            except ConnectionError:
                pass
        send(service, 0, 10)
        results(service, 10)


if __name__ == "__main__":
    e2e.run_tests(sys.argv, [x for name, x in list(globals().items()) if name.startswith("test_")])
