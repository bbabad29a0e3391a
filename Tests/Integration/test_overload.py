# SPDX-License-Identifier: MIT
"""More clients than a server's limit of descriptors or connections."""

import contextlib
import os
import socket
import time

import pytest
from support import example_server, web
from support.example_server import photos_and_notes
from support.processes import Program
from support.tokens import ISSUER, Signer

REQUEST = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def limited(binary, folder):
    """An example server that may open this many files."""
    running = []

    def start(descriptors):
        server = {"jwks": Signer().jwks}
        served = photos_and_notes("https://api.example.com", ISSUER, authorization_server=server)
        path = example_server.write(served, folder)
        command = ["sh", "-c", f'ulimit -n {descriptors} && exec "$0" "$@"', binary, "--config", path, "--port", "0"]
        program = Program(command, folder, "limited")
        running.append(program)
        line = program.line(20)
        assert line and line.startswith("listening on "), program.errors
        return program, line.removeprefix("listening on ")

    yield start
    assert [program.stop() for program in running] == [0] * len(running)


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def connect(base, stack):
    host, port = base.removeprefix("http://").rsplit(":", 1)
    client = stack.enter_context(socket.create_connection((host, int(port)), timeout=20))
    client.sendall(REQUEST)
    return client


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="reads the system's figures of a process")
def test_without_descriptors_the_listener_neither_spins_nor_fails(limited):
    program, base = limited(64)
    pid = program.process.pid
    with contextlib.ExitStack() as stack:
        clients = [connect(base, stack) for _ in range(120)]
        answers = [client.recv(65536)[:12] for client in clients]
        served = answers.count(b"HTTP/1.1 200")
        assert served > 20
        # The others got their answer, for which one descriptor suffices.
        assert answers.count(b"HTTP/1.1 503") == len(clients) - served
        before = processor_seconds(pid)
        waiting = [connect(base, stack) for _ in range(5)]
        time.sleep(2)
        assert processor_seconds(pid) - before < 0.5
        assert all(client.recv(65536).startswith(b"HTTP/1.1 503") for client in waiting)
        # Which clients are served depends on the loops that accept them; all of them still are.
        for client, answer in zip(clients, answers):
            if answer == b"HTTP/1.1 200":
                assert client.send(REQUEST) and client.recv(65536).startswith(b"HTTP/1.1 200")
    # All clients have disconnected, and the server works as before.
    deadline = time.monotonic() + 20
    while web.request(base + "/hello", "GET", [], None, 10).status != 200:
        assert time.monotonic() < deadline
    assert program.errors.count("no file descriptor left") == 1
    assert "files" in program.errors.splitlines()[0]
