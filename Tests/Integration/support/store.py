# SPDX-License-Identifier: MIT
"""A real Valkey or Redis server for one test, and a broken one."""

import os
import shutil
import signal
import socketserver
import subprocess
import threading

from .processes import free_port, is_open, wait_until

PROGRAM = shutil.which("valkey-server") or shutil.which("redis-server")
CLIENT = shutil.which("valkey-cli") or shutil.which("redis-cli")


class Store:
    """The server on a free port, without a file; `words` are further command-line arguments."""

    def __init__(self, folder, *words, tls=None):
        self.folder, self.words, self.tls = folder, list(words), tls
        self.port = free_port()
        self.process = None
        self.start()

    @property
    def url(self):
        return f"{'rediss' if self.tls else 'redis'}://127.0.0.1:{self.port}"

    def start(self):
        ports = ["--port", str(self.port)]
        if self.tls:
            ports = ["--port", "0", "--tls-port", str(self.port), "--tls-cert-file", self.tls.path("server.pem")]
            ports += ["--tls-key-file", self.tls.path("server.key"), "--tls-ca-cert-file", self.tls.path("ca.pem")]
        plain = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", self.folder]
        with open(os.path.join(self.folder, "store.log"), "ab") as log:
            self.process = subprocess.Popen(
                [PROGRAM, *ports, *plain, *self.words], stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        wait_until(lambda: is_open(self.port), 20, "the store listens")

    def kill(self):
        """Kills it at once, and with it all that it has in memory."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self):
        self.resume()
        self.kill()


class BrokenStore:
    """Accepts every login, and never finishes any other answer: it sends pieces with pauses between them."""

    def __init__(self, piece, pause=0.0):
        owner = self
        self.cut = threading.Semaphore(0)

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                try:
                    while self.rfile.readline():
                        self.rfile.readline()
                        if self.rfile.readline().strip() != b"PING":
                            break
                        self.wfile.write(b"+PONG\r\n")
                    while not owner.stopped.wait(pause):
                        self.wfile.write(piece)
                except OSError:
                    owner.cut.release()

        self.stopped = threading.Event()
        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.server.server_address[1]}"

    def stop(self):
        self.stopped.set()
        self.server.shutdown()
        self.server.server_close()
