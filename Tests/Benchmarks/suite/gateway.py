# SPDX-License-Identifier: MIT
"""A guarded route of the gateway next to nginx's `proxy_pass` with kept connections, in front of the same server."""

import json
import os
import resource
import selectors
import socket
import subprocess
import sys
import time

from . import latency, needs, nginx
from .bounds import Bound, Ceiling
from .material import AUDIENCE, ISSUER, ORIGIN
from .ours import start
from .processes import free_port
from .target import Target

#: The bodies of the server behind.
SIZES = {"1 kB": 1 << 10, "64 kB": 1 << 16, "100 MiB": 100 << 20}
STREAM_COUNT = 1000
#: Slow exchanges of the experiment with slow peers: half of them at the server behind, half at the client.
SLOW_COUNT = 200

BEHIND = """
        listen 127.0.0.1:{port} reuseport backlog=12000;
        location / {{ root {folder}; }}
"""

PROXY = """
        listen 127.0.0.1:{port} reuseport backlog=12000;
        location / {{
            proxy_pass http://behind;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_max_temp_file_size 0;
        }}
    }}
    upstream behind {{
        server 127.0.0.1:{behind};
        keepalive 256;
"""


class Chain:
    """The server behind, nginx in front of it, and the gateway in front of it."""

    def __init__(self, stage):
        self.stage, self.material = stage, stage.material
        folder = stage.path("files")
        os.makedirs(os.path.join(folder, "api"))
        os.chmod(stage.folder, 0o755)
        for name, size in SIZES.items():
            with open(os.path.join(folder, "api", self.file(name)), "wb") as file:
                file.write(b"0123456789abcdef" * (size // 16))
        self.behind_port, self.nginx_port, self.slow_port = free_port(), free_port(), free_port()
        self.behind = nginx.start(
            stage, "behind", self.behind_port, BEHIND.format(port=self.behind_port, folder=folder)
        )
        self.nginx = nginx.start(
            stage, "proxy", self.nginx_port, PROXY.format(port=self.nginx_port, behind=self.behind_port)
        )
        program = os.path.join(os.path.dirname(__file__), "slow_upstream.py")
        self.slow = stage.start([sys.executable, program, str(self.slow_port)], "slow")
        stage.wait_for(self.slow, self.slow_port)
        path = stage.write("gateway.json", json.dumps(self.configuration()))
        self.ours, self.port, _ = start(stage, ["--config", path, "--port", str(free_port())])
        self.fields = {"Authorization": f"Bearer {self.material.token('ES256')}"}

    def configuration(self):
        def route(path, port):
            return {"path": path, "scopes": ["read"], "respond": {"proxy": f"http://127.0.0.1:{port}"}}

        return {
            "server": {"limits": {"max_connections": 12000, "idle_timeout_seconds": 600}},
            "authorization_servers": [{"issuer": ISSUER, "jwks": self.material.key_set}],
            "resources": [
                {
                    "metadata": {"resource": f"{ORIGIN}/api", "authorization_servers": [ISSUER]},
                    "tokens": {"audiences": [AUDIENCE]},
                    "routes": [
                        route("/api/{file}", self.behind_port),
                        route("/api/events", self.slow_port),
                        route("/api/trickle", self.slow_port),
                    ],
                }
            ],
        }

    @staticmethod
    def file(size):
        return size.replace(" ", "-")

    def target(self, kind, size, make=Target, **options):
        """`kind`: `direct`, `nginx` or `gateway`."""
        process, port, fields = {
            "direct": (self.behind, self.behind_port, {}),
            "nginx": (self.nginx, self.nginx_port, {}),
            "gateway": (self.ours, self.port, self.fields),
        }[kind]
        length = SIZES[size]

        def is_right(content):
            return len(content) == length

        return make(
            f"{kind} {size}", process, port, f"/api/{self.file(size)}", body=is_right, fields=fields, **options
        )


class Download(Target):
    """One large answer after the other over one connection; the rate is in answers a second."""

    def measure(self, seconds):
        words = ["curl", "-s", "-o", "/dev/null", "-w", "%{time_total} %{size_download}\n"]
        for name, value in self.fields.items():
            words += ["-H", f"{name}: {value}"]
        before, begun = self.server.processor_seconds, time.monotonic()
        times = []
        while sum(times) < seconds or len(times) < 3:
            done = subprocess.run([*words, self.url], capture_output=True, text=True, timeout=60)
            took, size = done.stdout.split()
            if done.returncode != 0 or int(size) != SIZES["100 MiB"]:
                raise needs.Wrong(f"{self.name}: curl ended with {done.returncode} after {size} bytes.")
            times.append(float(took))
        cores = (self.server.processor_seconds - before) / (time.monotonic() - begun)
        return {"requests_per_second": len(times) / sum(times), "requests": len(times), "server_cores": cores}


def rates(stage):
    chain = Chain(stage)
    targets = [chain.target(kind, size) for size in ("1 kB", "64 kB") for kind in ("nginx", "gateway")]
    targets += [chain.target(kind, "100 MiB", Download) for kind in ("nginx", "gateway")]
    stage.compare(
        targets,
        [
            Bound(
                f"guarded route of the gateway, {size}, against nginx proxy_pass",
                f"gateway {size}",
                f"nginx {size}",
                limit,
            )
            for size, limit in (("1 kB", 0.8), ("64 kB", 0.9), ("100 MiB", 0.9))
        ],
    )


#: What the gateway may add to the median latency beyond what nginx adds, where 1.5 times that is less.
ALLOWANCE_MS = 0.05


def delays(stage):
    """The median latency that each adds to a direct call, at half of the gateway's maximum rate."""
    chain, log = Chain(stage), stage.path("h2load.log")
    targets = [chain.target(kind, "1 kB") for kind in ("direct", "nginx", "gateway")]
    most = latency.Steady(targets[2], None, log)
    most.warm_up(1)
    rate = max(most.measure(2)["requests_per_second"] for _ in range(2)) / 2
    stage.extra["rate"] = rate
    rounds = stage.compare([latency.Steady(target, rate, log) for target in targets])
    added = {
        kind: [one[f"{kind} 1 kB"]["p50_ms"] - one["direct 1 kB"]["p50_ms"] for one in rounds]
        for kind in ("nginx", "gateway")
    }
    stage.extra["added_ms"] = added
    stage.verdicts.append(
        Ceiling(
            f"median latency that the gateway adds at {rate:,.0f} requests a second, beyond what may be added",
            0.0,
            "ms",
        ).verdict(
            [
                mine - max(1.5 * theirs, theirs + ALLOWANCE_MS)
                for mine, theirs in zip(added["gateway"], added["nginx"])
            ]
        )
    )


class Readers:
    """Clients with one request each, all read in one loop."""

    def __init__(self, port, path, fields, count, receive_buffer=None):
        self.selector, self.received, self.sockets = selectors.DefaultSelector(), 0, []
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n".encode()
        for _ in range(count):
            one = socket.socket()
            if receive_buffer:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            one.connect(("127.0.0.1", port))
            one.sendall(request)
            one.setblocking(False)
            self.selector.register(one, selectors.EVENT_READ)
            self.sockets.append(one)

    def read(self, seconds):
        """Reads for so long; returns how many clients got something."""
        heard, end = set(), time.monotonic() + seconds
        while (rest := end - time.monotonic()) > 0:
            for key, _ in self.selector.select(rest):
                piece = key.fileobj.recv(65536)
                if not piece:
                    raise needs.Wrong("a stream has ended")
                self.received += len(piece)
                heard.add(key.fd)
        return len(heard)

    def close(self):
        self.selector.close()
        for one in self.sockets:
            one.close()


def streams(stage):
    """Resident memory with a thousand event streams, at once and half a minute later."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 2 * STREAM_COUNT:
        raise needs.Unavailable(f"{STREAM_COUNT} streams need more open files than {soft}.")
    chain = Chain(stage)
    chain.target("gateway", "1 kB").verify()
    Readers(chain.port, "/api/events", chain.fields, 10).close()
    time.sleep(1)
    before = chain.ours.resident_bytes
    readers = Readers(chain.port, "/api/events", chain.fields, STREAM_COUNT)
    try:
        readers.read(3)
        early, heard = chain.ours.resident_bytes, readers.read(2)
        if heard != STREAM_COUNT:
            raise needs.Wrong(f"{heard} of {STREAM_COUNT} streams got an event within two seconds.")
        readers.read(25)
        late = chain.ours.resident_bytes
    finally:
        readers.close()
    stage.extra["resident"] = {"before": before, "early": early, "late": late}
    kilobytes = (late - before) / STREAM_COUNT / 1024
    stage.verdicts += [
        Ceiling("memory of an event stream through the gateway", 64, "KiB").verdict([kilobytes]),
        Ceiling("growth of a thousand event streams in half a minute", 4, "KiB").verdict(
            [(late - early) / STREAM_COUNT / 1024]
        ),
    ]


class Disturbed:
    """A target while slow exchanges are under way: servers that trickle, and clients that do not read."""

    def __init__(self, chain):
        self.chain, self.target = chain, chain.target("gateway", "1 kB")
        self.name = self.target.name = "gateway 1 kB, disturbed"

    def verify(self):
        return self.target.verify()

    def warm_up(self, seconds):
        self.target.warm_up(seconds)

    def measure(self, seconds):
        slow = Readers(self.chain.port, "/api/trickle", self.chain.fields, SLOW_COUNT // 2)
        idle = Readers(self.chain.port, "/api/100-MiB", self.chain.fields, SLOW_COUNT // 2, receive_buffer=4096)
        try:
            slow.read(0.5)
            return self.target.measure(seconds)
        finally:
            slow.close()
            idle.close()


def slow_peers(stage):
    chain = Chain(stage)
    stage.compare(
        [chain.target("gateway", "1 kB"), Disturbed(chain)],
        [
            Bound(
                f"gateway, 1 kB, during {SLOW_COUNT} slow exchanges, against without",
                "gateway 1 kB, disturbed",
                "gateway 1 kB",
                0.9,
            )
        ],
    )
