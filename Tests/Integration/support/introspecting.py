# SPDX-License-Identifier: MIT
"""An introspection endpoint that counts the requests for each token (RFC 7662)."""

import http.server
import json
import threading
import urllib.parse

from . import secrecy

CLIENT, SECRET = "rs", "introspection-secret-of-rs"


class Introspecting:
    """Answers with the members in `tokens`; any other token is inactive."""

    def __init__(self):
        self.tokens = {}
        self.calls = []
        self._lock = threading.Lock()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                token = urllib.parse.parse_qs(body)["token"][0]
                with owner._lock:
                    owner.calls.append(token)
                    answer = json.dumps(owner.tokens.get(token, {"active": False})).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def settings(self):
        return {"endpoint": f"{self.issuer}/introspect", "client_id": CLIENT, "client_secret": SECRET}

    def issue(self, token, audience, **members):
        secrecy.note(token)
        with self._lock:
            self.tokens[token] = {"active": True, "iss": self.issuer, "aud": audience, "sub": "user", **members}
        return token

    def revoke(self, token):
        with self._lock:
            del self.tokens[token]

    def count(self, token):
        with self._lock:
            return self.calls.count(token)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
