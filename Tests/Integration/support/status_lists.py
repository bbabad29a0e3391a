# SPDX-License-Identifier: MIT
"""An issuer with status lists that does not use our code: joserfc signs, zlib deflates."""

import base64
import http.server
import threading
import time
import zlib

from joserfc import jwt

from .tokens import Signer


class StatusListIssuer:
    """Serves one list of two-bit entries at `uri`; `revoke` changes it for the next fetch."""

    def __init__(self, ttl=30, count=4096):
        self.ttl, self.entries = ttl, [0] * count
        self.heads, self.answers = [], []
        self._lock = threading.Lock()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                with owner._lock:
                    owner.heads.append((self.requestline, [f"{name}: {value}" for name, value in self.headers.items()]))
                    answer = owner.answers.pop(0) if owner.answers else None
                if answer:
                    answer(self)
                    return
                body = owner.list().encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/statuslist+jwt")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.uri = f"{self.issuer}/statuslists/1"
        self.signer = Signer(self.issuer)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def settings(self):
        return {
            "issuer": self.issuer, "jwks": self.signer.jwks, "allow_insecure_loopback": True, "timeout_seconds": 2,
        }

    def token(self, audience, scope, index, **others):
        status = {"status_list": {"idx": index, "uri": self.uri}}
        return self.signer.token(audience, scope, status=status, **others)

    def revoke(self, index):
        with self._lock:
            self.entries[index] = 1

    def list(self, array=None, **others):
        now = int(time.time())
        if array is None:
            with self._lock:
                entries = list(self.entries)
            packed = bytearray(len(entries) // 4)
            for index, entry in enumerate(entries):
                packed[index // 4] |= entry << index % 4 * 2
            array = zlib.compress(bytes(packed), 9)
        claims = {
            "sub": self.uri, "iat": now, "exp": now + 3600, "ttl": self.ttl,
            "status_list": {"bits": 2, "lst": base64.urlsafe_b64encode(array).rstrip(b"=").decode()}, **others,
        }
        key = self.signer.key
        return jwt.encode({"alg": "ES256", "typ": "statuslist+jwt", "kid": key.kid}, claims, key)

    @property
    def count(self):
        with self._lock:
            return len(self.heads)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
