# SPDX-License-Identifier: MIT
"""A page in Chromium that reads the metadata and a challenge of an API at another origin."""

import http.server
import json
import os
import shutil
import subprocess
import threading

import pytest
from support.example_server import photos_and_notes
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


class Pages(http.server.ThreadingHTTPServer):
    """Serves the page at its own origin, and receives the page's findings."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server_address[1]}"
        self.found, self.is_done = None, threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self._answer(200 if self.path.startswith("/?") else 404, PAGE.encode())

    def do_POST(self):
        self.server.found = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(200, b"")
        self.server.is_done.set()

    def _answer(self, status, body):
        self.send_response(status)
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
