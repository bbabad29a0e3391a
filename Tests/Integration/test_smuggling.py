# SPDX-License-Identifier: MIT
"""GWY-03, GWY-23: whatever a client or the server behind sends, gateway and server agree on where messages end.

A smuggled request has no token, so the server behind may never see one; and no answer may reach another request.
"""

import concurrent.futures
import itertools
import socket
import threading

import pytest
from support import smuggling, web
from support.echo_servers import EchoServer
from support.example_server import resource
from support.tokens import Signer

WORKERS = 16


@pytest.fixture
def gateway(serve):
    """Starts a gateway with one event loop, so that all clients share the connections to the server behind."""
    signer = Signer()

    def start(upstream):
        identifier = "https://api.example.com/api"
        routes = [{"path": path, "respond": {"proxy": upstream}} for path in ["/api", "/api/{rest...}"]]
        server = serve(
            {
                "server": {"event_loops": 1, "limits": {"body_timeout_seconds": 2}},
                "authorization_servers": [{"issuer": signer.issuer, "jwks": signer.jwks}],
                "resources": [resource(identifier, [signer.issuer], [], routes)],
            }
        )
        server.token = signer.token(identifier, None)
        return server

    return start


def send(port, payload, quiet=0.25):
    """The bytes that come back until the connection ends or is silent for so long."""
    with socket.create_connection(("127.0.0.1", port), timeout=quiet) as client:
        received = b""
        try:
            client.sendall(payload)
            while piece := client.recv(65536):
                received += piece
        except OSError:
            pass
        return received


@pytest.mark.parametrize("kind", EchoServer.KINDS)
def test_GWY_03_no_payload_smuggles_a_request(gateway, folder, kind):
    if not EchoServer.is_there(kind):
        pytest.skip(f"there is no {kind}")
    upstream = EchoServer(kind, folder)
    try:
        server = gateway(upstream.base)
        port = int(server.base.rsplit(":", 1)[1])
        payloads = smuggling.requests(server.token)
        numbers = itertools.count()
        wrong = []

        def attack(case):
            name, payload = case
            number = next(numbers)
            probe = f"GET /api/probe-{number} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {server.token}\r\n\r\n"
            answer = send(port, payload + probe.encode())
            # Another client, over the same connections to the server behind.
            victim = web.request(f"{server.base}/api/victim-{number}", fields=web.bearer(server.token))
            if victim.status != 200 or victim.body != f"/api/victim-{number}".encode():
                wrong.append(f"{name}: the next client got {victim}")
            return answer[:12]

        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            statuses = list(pool.map(attack, payloads))
        assert not wrong, wrong
        seen = upstream.seen()
        assert not [line for line in seen if line[0].startswith("/api/smuggled")], seen
        # Each request that arrived has passed the gate.
        assert {subject for _, subject in seen} == {"user"}
        refused = sum(status.startswith(b"HTTP/1.1 4") for status in statuses)
        passed = sum(status.startswith(b"HTTP/1.1 2") for status in statuses)
        print(f"{kind}: {len(payloads)} payloads, {refused} refused at once, {passed} passed on, 0 smuggled")
        assert len(payloads) >= 500 and refused >= 200 and passed >= 30
        assert sum(line[0].startswith("/api/victim-") for line in seen) == len(payloads)
    finally:
        upstream.stop()


class PoisonousServer:
    """Answers /api/attack-N with the Nth malformed answer and keeps the connection; anything else with its path."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.base = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    @staticmethod
    def serve(connection):
        with connection, connection.makefile("rb") as lines:
            try:
                while line := lines.readline():
                    path = line.split(b" ")[1]
                    while lines.readline() not in (b"\r\n", b""):
                        pass
                    if path.startswith(b"/api/attack-"):
                        connection.sendall(smuggling.ANSWERS[int(path[12:])])
                    else:
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(path), path))
            except OSError:
                return


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_GWY_23_no_answer_reaches_another_request(gateway, method):
    upstream = PoisonousServer()
    try:
        server = gateway(upstream.base)
        port = int(server.base.rsplit(":", 1)[1])
        for number in range(len(smuggling.ANSWERS)):
            attack = (
                f"{method} /api/attack-{number} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {server.token}\r\n\r\n"
                f"GET /api/own-{number} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {server.token}\r\n\r\n"
            )
            own = send(port, attack.encode(), quiet=0.3)
            for turn in range(3):
                path = f"/api/victim-{number}-{turn}"
                victim = web.request(server.base + path, fields=web.bearer(server.token))
                assert victim.status == 200 and victim.body == path.encode(), (smuggling.ANSWERS[number], victim)
            # The attacked client itself gets at most one answer that is not its own: the malformed one.
            assert own.count(smuggling.POISON) <= 3
            if b"/api/own-" in own:
                assert own.endswith(f"/api/own-{number}".encode()), own
    finally:
        upstream.listener.close()
