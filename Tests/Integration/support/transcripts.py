# SPDX-License-Identifier: MIT
"""Replays the transcripts of the examples: the commands run in one shell, and their output is compared.

A transcript has comments (`# …`), commands (`$ …`, continued by `> …`), and below each command its output, standard
error included. `$ swift run NAME &` starts the example, and its output is what the example prints. Names in angle
brackets stand for what differs each time, and 8080, 8081, 8443 and 6379 for free ports.
"""

import contextlib
import os
import pty
import random
import re
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import time

from . import nginx, store
from .example_server import ROOT
from .processes import is_open, wait_until

EXAMPLES = os.path.join(ROOT, "Examples")

#: What differs each time, and the name that a transcript has in its place.
MASKS = [
    (r"\beyJ[\w-]+\.[\w-]+\.[\w-]*", "<token>"),
    (r'(?<="access_token":")[\w-]{16,}', "<token>"),
    (r"(?<=\nDate: )[^\n]+", "<date>"),
    (r"(?<=\nDPoP-Nonce: )[^\n]+", "<nonce>"),
    (r"(?<=\nETag: )[^\n]+", "<etag>"),
    (r"(?<=\nServer: )nginx/[^\n]+", "nginx/<version>"),
    (r'(?<="(?:iat|exp)":)\d+', "<time>"),
    (r'(?<="jti":")[^"]+', "<identifier>"),
]
MARK = "\x1e"


class Command:
    """A command and its output, as lines."""

    def __init__(self, first):
        self.lines, self.output = [first], []

    @property
    def text(self):
        return "\n".join(self.lines)

    @property
    def started(self):
        """The words after `swift run` of a command that starts the example."""
        found = re.fullmatch(r"swift run (.*) &", self.text)
        return shlex.split(found.group(1)) if found else None


def parse(text):
    """Comments as strings, and commands, in order; a comment is at the beginning or below a blank line."""
    items, is_separated = [], True
    for line in text.splitlines():
        last = items[-1] if items and isinstance(items[-1], Command) else None
        if line.startswith("$ "):
            items.append(Command(line[2:]))
        elif line.startswith("> ") and last and not last.output:
            last.lines.append(line[2:])
        elif line.startswith("# ") and is_separated:
            items.append(line)
            continue
        elif last:
            last.output.append(line)
        is_separated = not line
    for item in items:
        while isinstance(item, Command) and item.output and not item.output[-1]:
            item.output.pop()
    return items


def written(items, outputs):
    """The transcript of these items, with these outputs in the place of those that were read."""
    lines, outputs = [], iter(outputs)
    for item in items:
        if isinstance(item, str):
            lines += [""] * bool(lines and not lines[-1].startswith("# ")) + [item]
            continue
        separates = bool(lines) and not lines[-1].startswith(("# ", "$ ", "> "))
        lines += [""] * separates + ["$ " + item.lines[0], *("> " + line for line in item.lines[1:]), *next(outputs)]
    return "\n".join(lines) + "\n"


def free_ports():
    """Free ports for those of the transcripts, with as many digits, since lengths are in the output."""

    def is_free(port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return not is_open(port)
        return False

    found = []
    while len(found) < 3:
        port = random.randrange(2000, 9990, 10)
        if port not in found and is_free(port) and is_free(port + 1):
            found.append(port)
    return {8080: found[0], 8081: found[0] + 1, 8443: found[1], 6379: found[2]}


class Replay:
    """One example in a folder of its own: its files with other ports, a shell, and the programs that it starts."""

    def __init__(self, binaries, folder):
        self.binaries, self.folder, self.ports = binaries, folder, free_ports()
        self.program = None
        for path, _, names in os.walk(EXAMPLES):
            for name in names:
                if name.endswith((".sh", ".conf")):
                    self._copy(os.path.join(path, name))
        os.makedirs(os.path.join(folder, ".build"))
        self.shell = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, encoding="utf-8", env=self._environment(), start_new_session=True,
        )

    def _copy(self, path):
        to = os.path.join(self.folder, os.path.relpath(path, ROOT))
        os.makedirs(os.path.dirname(to), exist_ok=True)
        with open(path, encoding="utf-8") as source, open(to, "w", encoding="utf-8") as target:
            target.write(self.moved(source.read()))

    def _environment(self):
        """Programs under the names that transcripts use: `swift test` is the last build's bundle."""
        tools = os.path.join(self.folder, "tools")
        os.makedirs(tools)
        named = {"nginx": nginx.PROGRAM, "valkey-server": store.PROGRAM, "valkey-cli": store.CLIENT}
        for name, program in named.items():
            if program and not shutil.which(name):
                os.symlink(program, os.path.join(tools, name))
        with open(os.path.join(tools, "swift"), "w", encoding="utf-8") as file:
            bundle = os.path.join(self.binaries, "portcullisPackageTests.xctest")
            file.write(f'#!/bin/sh\nshift\nexec {shlex.quote(bundle)} --testing-library swift-testing "$@"\n')
        os.chmod(file.name, 0o755)
        return {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "TMPDIR": self.folder, "LC_ALL": "C.UTF-8"}

    def moved(self, text):
        """A text of an example, with this replay's ports."""
        for known, port in self.ports.items():
            text = re.sub(rf"(?<!\d){known}(?!\d)", str(port), text)
        return text

    def masked(self, text):
        """Output as lines, with the transcripts' ports, and names for what differs each time."""
        text = "\n" + text.replace("\r", "")
        for pattern, name in MASKS:
            text = re.sub(pattern, name, text)
        for known, port in self.ports.items():
            text = re.sub(rf"(?<!\d){port}(?!\d)", str(known), text)
        lines = [line.rstrip() for line in text.split("\n")]
        while lines and not lines[0]:
            lines.pop(0)
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def run(self, command):
        """The output of a command."""
        if command.started is not None:
            return self.masked(self._start(shlex.split(self.moved(" ".join(command.started)))))
        self.shell.stdin.write(f"{{\n{self.moved(command.text)}\n}} </dev/null\nprintf '\\n{MARK}\\n'\n")
        self.shell.stdin.flush()
        lines = []
        for line in self.shell.stdout:
            if line == MARK + "\n":
                return self.masked("".join(lines))
            lines.append(line)
        raise AssertionError(f"the shell has ended in: {command.text}")

    def _start(self, words):
        """Starts the example on a terminal, as a person does, and returns what it prints."""
        path = os.path.join(self.binaries, words[0])
        assert os.access(path, os.X_OK), f"no example at {path}: swift build builds it"
        ours, theirs = pty.openpty()
        with open(os.path.join(self.folder, "example.log"), "wb") as log:
            self.program = subprocess.Popen(
                [path, *(words[1:] or [str(self.ports[8080])])], cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=theirs, stderr=log,
            )
        os.close(theirs)
        printed = b""
        with selectors.DefaultSelector() as selector:
            selector.register(ours, selectors.EVENT_READ)
            end = time.monotonic() + 20
            while selector.select(max(0, 0.2 if printed else end - time.monotonic())):
                try:
                    printed += os.read(ours, 65536)
                except OSError:
                    break
        os.close(ours)
        assert printed, f"the example printed nothing: {self.log}"
        wait_until(lambda: is_open(self.ports[8080]), 10, "the example listens")
        return printed.decode()

    @property
    def log(self):
        with open(os.path.join(self.folder, "example.log"), encoding="utf-8") as file:
            return file.read()

    def stop(self):
        """Ends what the replay has started, also after a transcript that did not get to its end."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.shell.pid, signal.SIGTERM)
        self.shell.communicate(timeout=10)
        if self.program:
            self.program.terminate()
            self.program.wait(15)
        pid_file = os.path.join(self.folder, ".build", "example-nginx", "nginx.pid")
        with contextlib.suppress(OSError, ValueError), open(pid_file, encoding="utf-8") as file:
            os.kill(int(file.read()), signal.SIGTERM)
        if store.CLIENT and is_open(self.ports[6379]):
            subprocess.run(
                [store.CLIENT, "-p", str(self.ports[6379]), "shutdown", "nosave"], capture_output=True, timeout=10
            )
