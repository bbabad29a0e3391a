# SPDX-License-Identifier: MIT
"""`example-server --guard`, the servers behind it, and the clients in front of it."""

import json
import os
import re
import selectors
import subprocess
import sys

from .processes import Program, free_port, is_open, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))


class NotesServer:
    """A running MCP server without authorization; `base` is its origin."""

    def __init__(self, folder, python=sys.executable):
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        self.program = Program([python, os.path.join(HERE, "notes_server.py"), port], folder, "notes")
        wait_until(lambda: is_open(port), 30, f"the MCP server listens: {self.program.errors}")

    def stop(self):
        self.program.stop()


class Guard:
    """A running `example-server --guard`: `base` is its origin, `issuer` that of its authorization server."""

    def __init__(self, binary, folder, *words, environment=None):
        ports = [] if "--port" in words else ["--port", "0"]
        command = [binary, "--guard", *words, *ports, "--issuer-port", "0"]
        self.program = Program(command, folder, "guard", environment)
        first = self.program.line(20) or ""
        found = re.fullmatch(r"listening on (http://\S+)", first)
        assert found, (first, self.program.errors)
        self.base = found.group(1)
        self.lines = self.program.lines(5, quiet=0.5)
        self.text = "\n".join(self.lines)
        self.issuer = re.search(r"authorization server (http://\S+),", self.text).group(1)

    @property
    def errors(self):
        return self.program.errors

    def stop(self):
        return self.program.stop()


class Client:
    """A running client, see mcp_client.py. Each command answers or raises what the client raised."""

    def __init__(self, folder, url, python=sys.executable, bearer=None, document=None, environment=None):
        words = [python, os.path.join(HERE, "mcp_client.py"), url]
        words += ["--bearer", bearer] if bearer else []
        words += ["--document", document] if document else []
        # FastMCP opens the system's browser.
        browser = f"{sys.executable} {os.path.join(HERE, 'consent.py')} %s &"
        self.errors = open(os.path.join(folder, f"client-{free_port()}.stderr"), "w+", encoding="utf-8")
        self.process = subprocess.Popen(
            words,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
            env={**os.environ, "BROWSER": browser, **(environment or {})},
        )
        self.progress = 0
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.process.stdout, selectors.EVENT_READ)
        self._answer()

    def _answer(self, seconds=60):
        line = self.process.stdout.readline() if self._selector.select(seconds) else ""
        self.errors.seek(0)
        assert line, f"the client has ended or hangs: {self.errors.read()}"
        found = json.loads(line)
        self.progress, self.seconds = found["progress"], found["seconds"]
        if "error" in found:
            raise ClientError(found["error"])
        return found["answer"]

    def _do(self, *command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def tools(self):
        return self._do("tools")

    def call(self, name, **arguments):
        return self._do("call", name, arguments)

    def expire(self):
        return self._do("expire")

    def traffic(self):
        return self._do("traffic")

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._selector.close()
        self.process.stdout.close()
        self.errors.close()


class ClientError(Exception):
    """What a client raised."""
