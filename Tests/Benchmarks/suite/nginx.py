# SPDX-License-Identifier: MIT
"""nginx in its fastest configuration: two workers, no log, persistent connections, and the same bodies as
ours.

The 64 kB answer is a file, sent by `sendfile` from an open descriptor, as nginx serves files. `return`
answers the upload: it reads and drops the body, as our route does that answers without reading it.
"""

import json
import os
import time

from . import needs
from .material import AUDIENCE, OPAQUE_ISSUER
from .processes import free_port
from .target import Target

TEXT = "Hello, world"
LARGE = "0123456789abcdef" * 4096

MAIN = """
daemon off;
worker_processes {workers};
worker_rlimit_nofile 20000;
pid {name}.pid;
error_log stderr error;
events {{ worker_connections 12000; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 600;
    default_type text/plain;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=16;
    client_max_body_size 1m;
    client_body_buffer_size 128k;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{
        {server}
    }}
}}
"""

SITE = """
        listen 127.0.0.1:{port} reuseport backlog=12000;
        location / {{ return 200 "{text}"; }}
        location = /large {{ root {folder}; }}
        location = /upload {{ return 200 "{text}"; }}
"""

TLS_SITE = """
        listen 127.0.0.1:{port} ssl reuseport;
        ssl_certificate {certificate};
        ssl_certificate_key {key};
        ssl_protocols TLSv1.3;
        location / {{ return 200 "{text}"; }}
"""

INTROSPECTION = """
        listen 127.0.0.1:{port} reuseport backlog=12000;
        location / {{ default_type application/json; return 200 '{answer}'; }}
"""


def start(servers, name, port, server, workers=2):
    text = MAIN.format(name=name, workers=workers, server=server)
    path = servers.write(f"{name}.conf", text)
    process = servers.start([needs.nginx(), "-p", servers.folder, "-c", path, "-e", "stderr"], name)
    servers.wait_for(process, port)
    return process


class Nginx:
    """A site with our routes, as far as nginx supports them."""

    def __init__(self, servers):
        self.port = free_port()
        with open(servers.path("large"), "w", encoding="ascii") as file:
            file.write(LARGE)
        os.chmod(servers.folder, 0o755)
        site = SITE.format(port=self.port, text=TEXT, folder=servers.folder)
        self.process = start(servers, "nginx", self.port, site)

    def target(self, name="nginx", path="/hello", body=TEXT.encode(), **options):
        return Target(name, self.process, self.port, path, body=body, **options)


class TLSNginx:
    """The trivial route over TLS 1.3."""

    def __init__(self, servers, certificate, key):
        self.port = free_port()
        site = TLS_SITE.format(port=self.port, text=TEXT, certificate=certificate, key=key)
        self.process = start(servers, "nginx-tls", self.port, site)

    def target(self, name="nginx TLS"):
        return Target(name, self.process, self.port, "/hello", body=TEXT.encode(), tls=True)


class Introspection:
    """An authorization server that accepts every token, as fast as nginx answers. RFC 7662 §2.2."""

    def __init__(self, servers):
        self.port = free_port()
        now = int(time.time())
        answer = {
            "active": True,
            "iss": OPAQUE_ISSUER,
            "aud": AUDIENCE,
            "sub": "user",
            "client_id": "app",
            "scope": "read",
            "token_type": "Bearer",
            "iat": now,
            "exp": now + 86400,
        }
        site = INTROSPECTION.format(port=self.port, answer=json.dumps(answer, separators=(",", ":")))
        self.process = start(servers, "introspection", self.port, site)

    @property
    def endpoint(self):
        return f"http://127.0.0.1:{self.port}/introspect"
