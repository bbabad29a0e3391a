# SPDX-License-Identifier: MIT
"""A page in Chromium that reads the answers of an API at another origin: metadata, challenges, every refusal."""

import http.server
import json
import os
import shutil
import subprocess
import threading

import pytest
from support.example_server import photos_and_notes, resource
from support.processes import free_port
from support.tokens import ISSUER, Signer

PROGRAM = next(filter(None, map(shutil.which, ["chromium-headless-shell", "chromium", "google-chrome"])), None)

PAGE = """<!doctype html>
<script type="module">
const api = new URLSearchParams(location.search).get("api");
const token = new URLSearchParams(location.search).get("token");
const found = {};

async function attempt(name, work) {
    try { found[name] = await work(); } catch (error) { found[name] = `refused: ${error.name}`; }
}

// As a client does that has never seen the API: the challenge, the document it names, the call with a token.
await attempt("challenge", async () => {
    const answer = await fetch(api + "/photos/7");
    return [answer.status, answer.headers.get("WWW-Authenticate"), answer.headers.get("X-Request-Id")];
});
await attempt("metadata", async () => {
    const url = /resource_metadata="([^"]+)"/.exec(found.challenge[1])[1];
    const answer = await fetch(url, { headers: { "MCP-Protocol-Version": "2025-11-25" } });
    return (await answer.json()).resource;
});
await attempt("call", async () => {
    const answer = await fetch(api + "/photos/7", {
        headers: { Authorization: `Bearer ${token}`, DPoP: "proof", "MCP-Protocol-Version": "2025-11-25" },
    });
    return [answer.status, (await answer.json()).subject];
});
await attempt("put", async () => {
    const answer = await fetch(api + "/photos/7", { method: "PUT", headers: { Authorization: `Bearer ${token}` } });
    return [answer.status, (await answer.json()).error];
});
await attempt("closed", async () => (await fetch(api + "/notes")).status);
await attempt("closed with a token", async () =>
    (await fetch(api + "/notes", { headers: { Authorization: `Bearer ${token}` } })).status);
await fetch("/found", { method: "POST", body: JSON.stringify(found) });
</script>
"""


# Each attempt is a name, a path below the API, and the options of `fetch`.
REFUSALS = """<!doctype html>
<script type="module">
const api = new URLSearchParams(location.search).get("api");
const found = {};
for (const [name, path, options] of await (await fetch("/attempts")).json()) {
    try {
        if (options.length) options.body = "x".repeat(options.length);
        const answer = await fetch(api + path, options);
        found[name] = [answer.status, Object.fromEntries(answer.headers), await answer.text()];
    } catch (error) { found[name] = `refused: ${error.name}`; }
}
await fetch("/found", { method: "POST", body: JSON.stringify(found) });
</script>
"""


class Pages(http.server.ThreadingHTTPServer):
    """Serves the page at its own origin, and receives the page's findings."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.attempts = []
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.found, self.is_done = None, threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/attempts":
            return self._answer(200, json.dumps(self.server.attempts).encode())
        page = REFUSALS if self.server.attempts else PAGE
        self._answer(200 if self.path.startswith("/?") else 404, page.encode())

    def do_POST(self):
        if self.path == "/mcp":
            # An MCP server behind the gateway.
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            return self._answer(200, b"{}", {"Mcp-Session-Id": "session-1"})
        self.server.found = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(200, b"")
        self.server.is_done.set()

    def _answer(self, status, body, fields=None):
        self.send_response(status)
        for name, value in (fields or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def pages():
    server = Pages()
    yield server
    server.shutdown()
    server.server_close()


def visit(url, is_done, folder):
    """Opens a page until it has finished."""
    words = [PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    words += [f"--user-data-dir={folder}/profile", "--remote-debugging-port=0", url]
    environment = {**os.environ, "HOME": folder}
    with open(f"{folder}/chromium.log", "wb") as log:
        browser = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
    try:
        return is_done.wait(60)
    finally:
        browser.terminate()
        try:
            browser.wait(10)
        except subprocess.TimeoutExpired:
            browser.kill()
            browser.wait()


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed")
@pytest.mark.parametrize("listed", [True, False])
def test_a_page_reads_the_challenge_and_the_metadata(serve, base, folder, pages, listed):
    signer = Signer()
    configuration = photos_and_notes(base, ISSUER, authorization_server={"jwks": signer.jwks})
    del configuration["authorization_servers"][0]["allow_insecure_loopback"]
    configuration["server"] = {"request_ids": True}
    origins = [pages.origin] if listed else ["*"]
    configuration["resources"][0]["cors"] = {"allowed_origins": origins}
    serve(configuration, base)
    token = signer.token(f"{base}/photos", "photos.read")
    done = visit(f"{pages.origin}/?api={base}&token={token}", pages.is_done, folder)
    assert done, open(f"{folder}/chromium.log", errors="replace").read()[-2000:]
    found = pages.found
    status, challenge, name = found["challenge"]
    assert status == 401 and name
    assert f'resource_metadata="{base}/.well-known/oauth-protected-resource/photos"' in challenge
    assert found["metadata"] == f"{base}/photos"
    assert found["call"] == [200, "user"]
    assert found["put"] == [403, "insufficient_scope"]
    assert found["closed"] == found["closed with a token"] == "refused: TypeError"


def refusing_configuration(base, signer, pages):
    """Resources with each kind of refusal, whose answers the pages' origin may read."""
    away = "https://away.example.com"
    configuration = photos_and_notes(base, ISSUER, authorization_server={"jwks": signer.jwks})
    del configuration["authorization_servers"][0]["allow_insecure_loopback"]
    configuration["authorization_servers"].append(
        {"issuer": away, "jwks_uri": f"https://127.0.0.1:{free_port()}/jwks", "timeout_seconds": 1}
    )
    configuration["server"] = {"request_ids": True, "limits": {"max_body_bytes": 100_000}}
    bank = resource(f"{base}/bank", [ISSUER], ["bank"], [{"path": "/bank", "scopes": ["bank"], "respond": "principal"}])
    bank["metadata"]["dpop_signing_alg_values_supported"] = ["ES256"]
    bank["metadata"]["dpop_bound_access_tokens_required"] = True
    bank["tokens"] = {"dpop": {"nonce": "required"}}
    down = resource(f"{base}/down", [away], ["down"], [{"path": "/down", "scopes": ["down"], "respond": "principal"}])
    mcp = resource(
        f"{base}/mcp", [ISSUER], ["mcp"], [{"path": "/mcp", "scopes": ["mcp"], "respond": {"proxy": pages.origin}}]
    )
    mcp["profile"] = "mcp"
    configuration["resources"] += [bank, down, mcp]
    for each in configuration["resources"]:
        each["cors"] = {"allowed_origins": [pages.origin]}
    configuration["resources"][0]["routes"].append(
        {"path": "/photos/echo", "methods": ["POST"], "scopes": ["photos.read"], "respond": "echo"}
    )
    return configuration


@pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed")
def test_a_page_reads_every_refusal_and_what_it_needs_to_repair_it(serve, base, folder, pages):
    """WHATWG Fetch, CORS check; RFC 6750 section 3, RFC 9449 section 8: the fields are exposed."""
    signer = Signer()
    serve(refusing_configuration(base, signer, pages), base)
    bearer = {"Authorization": f"Bearer {signer.token(f'{base}/photos', 'photos.read')}"}
    bank = signer.token(f"{base}/bank", "bank", cnf={"jkt": "0" * 43})
    away = Signer("https://away.example.com").token(f"{base}/down", "down")
    mcp = {"Authorization": f"Bearer {signer.token(f'{base}/mcp', 'mcp')}", "Content-Type": "application/json"}
    narrow = {"Authorization": f"Bearer {signer.token(f'{base}/photos', 'other')}"}
    pages.attempts = [
        ("no token", "/photos/7", {}),
        ("a malformed token", "/photos/7", {"headers": {"Authorization": "Bearer a.b.c"}}),
        ("an expired token", "/photos/7", {"headers": {"Authorization": f"Bearer {signer.token(f'{base}/photos', 'photos.read', exp=1)}"}}),
        ("no scope", "/photos/7", {"headers": narrow}),
        ("another method's scope", "/photos/7", {"method": "PUT", "headers": bearer}),
        ("no route", "/photos/7/none", {"headers": bearer}),
        ("no such method", "/photos/echo", {"headers": bearer}),
        ("a large body", "/photos/echo", {"headers": bearer, "method": "POST", "length": 300_000}),
        ("a body that fits", "/photos/echo", {"headers": bearer, "method": "POST", "length": 90_000}),
        # Without a field that needs a preflight, which would be refused alike.
        ("an ambiguous path", "/photos/a%2Fb", {}),
        ("a long target", "/photos/7?" + "x" * 9000, {}),
        ("a large header", "/photos/7", {"headers": {**bearer, "Mcp-Name": "x" * 40_000}}),
        ("no keys", "/down", {"headers": {"Authorization": f"Bearer {away}"}}),
        ("no nonce, no token", "/bank", {}),
        ("no proof", "/bank", {"headers": {"Authorization": f"DPoP {bank}"}}),
        ("a malformed proof", "/bank", {"headers": {"Authorization": f"DPoP {bank}", "DPoP": "a.b.c"}}),
        ("a bound token as bearer", "/bank", {"headers": {"Authorization": f"Bearer {bank}"}}),
        ("a session", "/mcp", {"headers": mcp, "method": "POST", "length": 2}),
        ("a session's refusal", "/mcp", {"headers": {}, "method": "POST", "length": 2}),
    ]
    done = visit(f"{pages.origin}/?api={base}", pages.is_done, folder)
    assert done, open(f"{folder}/chromium.log", errors="replace").read()[-2000:]
    found = pages.found
    statuses = {name: answer if isinstance(answer, str) else answer[0] for name, answer in found.items()}
    assert statuses == {
        "no token": 401,
        "a malformed token": 401,
        "an expired token": 401,
        "no scope": 403,
        "another method's scope": 403,
        "no route": 404,
        "no such method": 405,
        "a large body": 413,
        "a body that fits": 200,
        "an ambiguous path": 400,
        "a long target": 414,
        "a large header": 431,
        "no keys": 503,
        "no nonce, no token": 401,
        "no proof": 401,
        "a malformed proof": 401,
        "a bound token as bearer": 401,
        "a session": 200,
        "a session's refusal": 401,
    }
    for name in ["no token", "a malformed token", "an expired token", "no scope", "another method's scope"]:
        _, fields, _ = found[name]
        assert "resource_metadata=" in fields["www-authenticate"], name
        assert fields["x-request-id"], name
    for name in ["no nonce, no token", "no proof", "a malformed proof", "a bound token as bearer"]:
        _, fields, _ = found[name]
        assert fields["dpop-nonce"] and "DPoP" in fields["www-authenticate"], name
    assert json.loads(found["another method's scope"][2])["error"] == "insufficient_scope"
    assert json.loads(found["a malformed token"][2])["error"] == "invalid_token"
    assert found["a session"][1]["mcp-session-id"] == "session-1"
    for name in ["an ambiguous path", "a long target", "a large header", "no keys", "a large body", "no route"]:
        assert found[name][2], name
