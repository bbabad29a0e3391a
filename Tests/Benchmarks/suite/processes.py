# SPDX-License-Identifier: MIT
"""The servers that run next to the load generator: started, observed, and always ended."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from .needs import WORK, Wrong


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Process:
    """A server and its children, and the system's figures about them."""

    def __init__(self, popen, name):
        self.popen, self.pid, self.name = popen, popen.pid, name

    @property
    def family(self):
        pids = [self.pid]
        for pid in pids:
            try:
                for thread in os.listdir(f"/proc/{pid}/task"):
                    with open(f"/proc/{pid}/task/{thread}/children", encoding="ascii") as file:
                        pids += [int(word) for word in file.read().split()]
            except OSError:
                continue
        return pids

    @property
    def processor_seconds(self):
        """The processor time of all processes so far, in user and kernel mode."""
        return sum(processor_seconds(pid) for pid in self.family)

    @property
    def resident_bytes(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS:"))


def processor_seconds(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(") ", 1)[1].split()
    except OSError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Servers:
    """The processes of one experiment, in their own folder; all of them end with the block."""

    def __enter__(self):
        self.processes = []
        self.folder = tempfile.mkdtemp(prefix="run-", dir=WORK)
        return self

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def start(self, words, name, environment=None, **options):
        with open(self.path(f"{name}.log"), "ab") as log:
            options = {"stdout": log, "stderr": log, **options}
            popen = subprocess.Popen(
                words, cwd=self.folder, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})}, **options
            )
        process = Process(popen, name)
        self.processes.append(process)
        return process

    def log_text(self, process):
        with open(self.path(f"{process.name}.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def log(self, process):
        return self.log_text(process)[-2000:]

    def wait_for(self, process, port, seconds=20):
        """Waits until a server accepts connections there."""
        end = time.monotonic() + seconds
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            if process.popen.poll() is not None or time.monotonic() > end:
                raise Wrong(f"{process.name} did not start: {self.log(process)}")
            time.sleep(0.02)

    def stop(self, process, number=signal.SIGTERM):
        if process.popen.poll() is None:
            process.popen.send_signal(number)
        try:
            process.popen.wait(20)
        except subprocess.TimeoutExpired:
            process.popen.kill()
            process.popen.wait()
        if process.popen.stdout:
            process.popen.stdout.close()

    def __exit__(self, *_):
        for process in self.processes:
            if process.popen.poll() is None:
                process.popen.terminate()
        for process in self.processes:
            self.stop(process)
        shutil.rmtree(self.folder, ignore_errors=True)
