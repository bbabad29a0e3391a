# SPDX-License-Identifier: MIT
"""An authorization server with faults on demand: its key set, its metadata and its introspection endpoint."""

import collections
import http.server
import json
import threading
import time

from . import secrecy
from .tokens import Signer


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


class FaultyServer:
    """`faults[path]` is a fault for one path: see `Handler.misbehave`. Counts every request by path."""

    def __init__(self, port=0, tls=None):
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                owner.answer(self, b"")

            def setup(self):
                super().setup()
                certificate = getattr(self.connection, "getpeercert", lambda: None)()
                if certificate:
                    owner.peers.append(dict(pair[0] for pair in certificate["subject"])["commonName"])

            def do_POST(self):
                owner.answer(self, self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        self.counts = collections.Counter()
        self.forms = []
        self.peers = []
        self.authorizations = []
        self.faults = {}
        self.active = {}
        self.lock = threading.Lock()
        self.server = _Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_address[1]
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.issuer = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self.signer = Signer(self.issuer)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def answer(self, handler, body):
        path = handler.path
        # The example server sends its own secrets: credentials, assertions, the tokens that it introspects.
        secrecy.note_request(path, handler.headers.items(), body)
        with self.lock:
            self.counts[path] += 1
            if path == "/introspect":
                self.forms.append(body.decode())
                self.authorizations.append(handler.headers.get("Authorization"))
        status, fields, content = self.respond(path, body)
        kind = self.faults.get(path)
        if kind == "slow":
            time.sleep(2)
        elif kind == "500":
            status, content = 500, b"{}"
        elif kind == "garbage":
            content = b"\x00\xff<html>"
        elif kind == "huge":
            content = b"{" + b" " * 4_000_000 + b"}"
        elif kind == "redirecting":
            status, fields = 302, [("Location", "http://127.0.0.1:1/elsewhere")]
        elif kind == "wrong issuer":
            content = json.dumps({**json.loads(content), "issuer": "http://127.0.0.1:1"}).encode()
        elif kind == "emptied":
            content = b'{"keys": []}'
        elif kind == "cut":
            handler.close_connection = True
            return
        try:
            handler.send_response(status)
            for name, value in [("Content-Type", "application/json"), *fields]:
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)
        except OSError:
            handler.close_connection = True

    def respond(self, path, body):
        if path == "/.well-known/oauth-authorization-server":
            document = {
                "issuer": self.issuer,
                "jwks_uri": f"{self.issuer}/jwks",
                "introspection_endpoint": f"{self.issuer}/introspect",
            }
            return 200, [], json.dumps(document).encode()
        if path == "/jwks":
            return 200, [], json.dumps(self.signer.jwks).encode()
        if path == "/introspect":
            token = body.decode().split("&")[0].removeprefix("token=")
            return 200, [], json.dumps(self.active.get(token, {"active": False})).encode()
        return 404, [], b"{}"

    def opaque(self, name, audience, scope):
        self.active[name] = {
            "active": True,
            "aud": audience,
            "sub": "user",
            "scope": scope,
            "exp": int(time.time()) + 600,
        }
        return name

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
