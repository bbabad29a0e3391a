# SPDX-License-Identifier: MIT
"""The files for operators: units, rules, log rotation, and an upgrade with the sockets of a socket unit."""

import concurrent.futures
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest
from support.example_server import ROOT, photos_and_notes, write
from support.processes import wait_until
from support.tokens import ISSUER, Signer

FILES = os.path.join(ROOT, "Examples", "Operating")


def program(name, package, folder):
    """A program of the system, or one that `Tests/run --all` has fetched."""
    fetched = os.path.join(ROOT, ".build-integration", package, "usr", folder, name)
    return next(filter(None, map(shutil.which, [name, f"/usr/{folder}/{name}", fetched])), None)


PROMTOOL = program("promtool", "prometheus", "bin")
LOGROTATE = program("logrotate", "logrotate", "sbin")
ANALYZE = shutil.which("systemd-analyze")


@pytest.fixture
def configuration(base):
    made = photos_and_notes(base, ISSUER, authorization_server={"jwks": Signer().jwks})
    del made["authorization_servers"][0]["allow_insecure_loopback"]
    made["server"] = {}
    return made


def run(*words, folder=None):
    done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool is installed")
@pytest.mark.parametrize(
    "words", [["check", "config", "prometheus.yml"], ["check", "rules", "alerts.yml"], ["test", "rules", "alerts.test.yml"]]
)
def test_the_rules_are_valid_and_fire_when_they_should(words):
    status, output = run(PROMTOOL, *words, folder=FILES)
    assert status == 0 and "SUCCESS" in output, output


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", ["portcullis.service", "portcullis-252.service"])
def test_the_units_are_valid(binary, folder, name):
    with open(os.path.join(FILES, name), encoding="utf-8") as file:
        unit = file.read().replace("/usr/local/bin/example-server", binary)
    with open(os.path.join(folder, "portcullis.service"), "w", encoding="utf-8") as file:
        file.write(unit)
    sockets = ["portcullis.socket", "portcullis-admin.socket"]
    for each in sockets:
        shutil.copy(os.path.join(FILES, each), folder)
    status, output = run(ANALYZE, "verify", *[os.path.join(folder, each) for each in ["portcullis.service", *sockets]])
    version = int(re.search(r"systemd (\d+)", run(ANALYZE, "--version")[1]).group(1))
    # Other units of the machine, which a container lacks, are not ours.
    findings = [line for line in output.splitlines() if "portcullis" in line]
    if name == "portcullis.service" and version < 253:
        findings = [line for line in findings if "notify-reload" not in line]
    assert findings == [] and status == 0, output


HOLDER = """
import os, socket, subprocess, sys
listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
print(listener.getsockname()[1], flush=True)

def start():
    def prepare():
        copy = os.dup2(listener.fileno(), 100)
        os.dup2(copy, 3, inheritable=True)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", LISTEN_FDNAMES="http")
        os.execv(sys.argv[1], sys.argv[1:])
    child = os.fork()
    if child == 0: prepare()
    return child

# As systemctl restart does: it waits for the old process, then starts the new one with the same socket.
child = start()
for line in sys.stdin:
    os.kill(child, 15)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(f"ended with {status}", flush=True)
    if line.strip() == "restart": child = start()
"""


class Holder:
    """A process that holds a listening socket and restarts a server with it, as systemd does."""

    def __init__(self, binary, file, folder):
        with open(os.path.join(folder, "holder.stderr"), "wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-c", HOLDER, binary, "--config", file],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        self.port = int(self.process.stdout.readline())
        assert self.line().startswith("listening on")

    def line(self):
        return self.process.stdout.readline().strip()

    def order(self, word):
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()


def get(port, path, seconds=20):
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while chunk := connection.recv(65536):
            answer += chunk
        return answer


def test_an_upgrade_with_a_socket_unit_refuses_no_connection(binary, configuration, folder):
    configuration["public_routes"] = [
        {"path": "/hello", "respond": {"text": "Hello, world"}},
        {"path": "/slow", "respond": {"sleep_seconds": 1}},
    ]
    holder = Holder(binary, write(configuration, folder), folder)
    try:
        stop, answers, failures = threading.Event(), [], []

        def call():
            while not stop.is_set():
                try:
                    answers.append(get(holder.port, "/hello"))
                except OSError as error:
                    failures.append(repr(error))

        with concurrent.futures.ThreadPoolExecutor(5) as pool:
            calls = [pool.submit(call) for _ in range(4)]
            for _ in range(2):
                slow = pool.submit(get, holder.port, "/slow")
                time.sleep(0.5)
                before = len(answers)
                holder.order("restart")
                assert holder.line() == "ended with 0"
                assert holder.line().startswith("listening on")
                assert slow.result(20).startswith(b"HTTP/1.1 200"), "the request in flight is answered"
                wait_until(lambda: len(answers) > before + 20, 20, "the new process answers")
            stop.set()
            for each in calls:
                each.result(30)
        assert failures == []
        assert {answer[:12] for answer in answers} == {b"HTTP/1.1 200"}
    finally:
        holder.order("end")
        assert holder.line() == "ended with 0"
        holder.process.stdin.close()
        assert holder.process.wait(20) == 0
        holder.process.stdout.close()


@pytest.mark.skipif(LOGROTATE is None, reason="logrotate is not installed")
def test_rotation_loses_no_line(serve, configuration, base, folder):
    logs = os.path.join(folder, "logs")
    os.makedirs(logs, mode=0o755)
    configuration["server"] = {"access_log": "json", "access_log_file": os.path.join(logs, "access.log")}
    configuration["public_routes"] = [{"path": "/hello", "respond": {"text": "Hello, world"}}]
    server = serve(configuration, base)
    with open(os.path.join(FILES, "logrotate.conf"), encoding="utf-8") as file:
        rules = file.read()
    changed = rules.replace("/var/log/portcullis", logs)
    changed = changed.replace("systemctl reload portcullis.service", f"kill -{int(signal.SIGHUP)} {server.program.process.pid}")
    assert changed.count(logs) == 1 and "systemctl" not in changed
    path = os.path.join(folder, "logrotate.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(changed)
    os.chmod(path, 0o644)

    def lines():
        found = [os.path.join(logs, name) for name in os.listdir(logs)]
        return sum(len(open(each, encoding="utf-8").read().splitlines()) for each in found)

    for count in range(1, 3):
        for _ in range(20):
            assert server.get("/hello").status == 200
        wait_until(lambda: lines() == 20 * count, 10, "the lines are written")
        if count == 2:
            break
        status, output = run(LOGROTATE, "--force", "--state", os.path.join(folder, "state"), path)
        assert status == 0, output
        wait_until(lambda: os.path.exists(os.path.join(logs, "access.log")), 10, "the file exists again")
    assert sorted(os.listdir(logs)) == ["access.log", "access.log.1"]
