# SPDX-License-Identifier: MIT
"""A status list of the benchmark's issuer, with room for a million tokens."""

import base64
import http.server
import threading
import time
import zlib


class StatusList:
    """Serves the list on loopback, and makes tokens in it."""

    def __init__(self, material):
        self.material = material
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = owner.list()
                self.send_response(200)
                self.send_header("Content-Type", "application/statuslist+jwt")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.uri = f"{self.origin}/statuslists/1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def settings(self):
        """What is added to the issuer's entry."""
        return {"allow_insecure_loopback": True, "status_list": {"origins": [self.origin]}}

    def token(self, claim="status"):
        """An ES256 token with a place in the list; with another claim of that length, one without."""
        material = self.material
        path = material.path(claim)
        claims = material.claims(**{claim: {"status_list": {"idx": 123456, "uri": self.uri}}})
        material.sign(path, 1, "ES256", material.keys["ES256"], {"typ": "at+jwt"}, claims)
        with open(path, encoding="ascii") as file:
            return file.readline().strip()

    def list(self):
        array = base64.urlsafe_b64encode(zlib.compress(bytes(1 << 17), 9)).rstrip(b"=").decode()
        now = int(time.time())
        claims = {"sub": self.uri, "iat": now, "ttl": 43200, "status_list": {"bits": 1, "lst": array}}
        path = self.material.path("list")
        key = self.material.keys["ES256"]
        self.material.sign(path, 1, "ES256", key, {"typ": "statuslist+jwt"}, claims)
        with open(path, "rb") as file:
            return file.readline().strip()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
