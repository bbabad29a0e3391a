# SPDX-License-Identifier: MIT
"""The worst-case memory of a connection: the figure of the article about running a server."""

import contextlib
import os
import socket
import time

import pytest
from support.example_server import photos_and_notes
from support.tokens import ISSUER, Signer

# Head or unread body, unsent answer, and the allocator's rounding.
MOST_EACH = 512 * 1024
COUNT = 60


def resident(server):
    with open(f"/proc/{server.program.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))


def fill(client):
    """Sends until the server reads no more."""
    client.setblocking(False)
    quiet = 0
    while quiet < 5:
        try:
            client.send(b"a" * 65536)
            quiet = 0
        except BlockingIOError:
            time.sleep(0.01)
            quiet += 1
        except ConnectionError:
            return


def head_without_end(client):
    client.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 32_000)


def answers_unread(client):
    """Sends pipelined requests, and reads none of the answers."""
    client.setblocking(False)
    with contextlib.suppress(OSError):
        for _ in range(2000):
            client.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n" * 100)


def echo_unread(client):
    """Sends a body, and does not read its echo."""
    client.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
    fill(client)


def body_unread(client):
    """Sends a body that the handler does not read."""
    client.sendall(b"POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
    fill(client)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads the system's figures of a process")
@pytest.mark.parametrize("attack", [head_without_end, answers_unread, echo_unread, body_unread])
def test_a_connection_uses_no_more_than_documented(binary, serve, attack):
    if "san/" in os.path.realpath(binary):
        pytest.skip("a sanitizer uses more memory")
    limits = {"max_body_bytes": 1 << 31, "write_timeout_seconds": 60, "header_timeout_seconds": 60}
    served = photos_and_notes(
        "https://api.example.com", ISSUER, {"limits": limits, "shutdown_grace_seconds": 0.1}, {"jwks": Signer().jwks}
    )
    served["public_routes"] += [
        {"path": "/echo", "methods": ["POST"], "respond": "echo"},
        {"path": "/slow", "methods": ["POST"], "respond": {"sleep_seconds": 60}},
    ]
    server = serve(served)
    assert server.get("/hello").status == 200
    before = resident(server)
    host, port = server.base.removeprefix("http://").rsplit(":", 1)
    with contextlib.ExitStack() as stack:
        for _ in range(COUNT):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect((host, int(port)))
            attack(client)
        assert server.get("/hello").status == 200
        each = (resident(server) - before) / COUNT
    assert each < MOST_EACH, f"{each:.0f} bytes per connection"
