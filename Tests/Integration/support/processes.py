# SPDX-License-Identifier: MIT
"""Programs under test: started, waited for, and always stopped."""

import os
import selectors
import signal
import socket
import subprocess
import time

from . import secrecy

#: This package's programs, by their names on a command line.
OURS = ("example-server", "portcullis")


def free_port():
    """A loopback port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_open(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition, seconds, what):
    """The condition's first true value; fails with `what` when the time is up."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.05)


class Program:
    """A child process: its standard output is read line by line, its standard error is kept in a file."""

    def __init__(self, command, folder, name, environment=None):
        self.name, self.is_ours = name, any(os.path.basename(str(word)) in OURS for word in command)
        self.error_path = os.path.join(folder, f"{name}.{time.monotonic_ns()}.stderr")
        self.started = time.monotonic()
        with open(self.error_path, "wb") as errors:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **(environment or {})},
            )
        self._pending = b""
        self._selector = selectors.DefaultSelector()
        self._selector.register(self.process.stdout, selectors.EVENT_READ)

    def line(self, seconds):
        """The next line of standard output without its line end, or None if none arrives in time or the
        output has ended.
        """
        end = time.monotonic() + seconds
        while b"\n" not in self._pending:
            if not self._selector.select(max(0, end - time.monotonic())):
                return None
            chunk = os.read(self.process.stdout.fileno(), 65536)
            if not chunk:
                return None
            self._pending += chunk
        line, self._pending = self._pending.split(b"\n", 1)
        return line.decode()

    def lines(self, seconds, quiet):
        """The output until none arrived for `quiet` seconds, for at most `seconds`."""
        end = time.monotonic() + seconds
        found = []
        while time.monotonic() < end:
            line = self.line(quiet)
            if line is None:
                break
            found.append(line)
        return found

    @property
    def errors(self):
        with open(self.error_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait(self, seconds):
        return self.process.wait(seconds)

    def send(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM, seconds=15):
        """Ends the process if it still runs; returns its exit status, or None if it had to be killed."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None
        finally:
            self._selector.close()
            self.process.stdout.close()
            if self.is_ours:
                secrecy.said(f"the log of {self.name}", self.errors)
