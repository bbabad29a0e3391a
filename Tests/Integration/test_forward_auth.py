# SPDX-License-Identifier: MIT
"""nginx, Caddy and HAProxy ask the gate, with exactly the configurations that the article prints."""

import json
import os
import socket
import subprocess
import types
import urllib.parse

import pytest
from support import dpop, web
from support.asking_proxies import API, PROGRAMS, SCRIPT, AskingProxy, block
from support.example_server import write
from support.processes import free_port, wait_until
from support.tokens import ISSUER, Signer

ORIGIN = "https://api.example.com"
RESOURCE = f"{ORIGIN}/mcp"
METADATA = f"{ORIGIN}/.well-known/oauth-protected-resource/mcp"
WELL_KNOWN = "/.well-known/oauth-protected-resource/mcp"
IDENTITY = [
    "Subject",
    "Client",
    "Scopes",
    "Issuer",
    "Resource",
    "Expires",
    "Actor",
    "Subject-Base64",
    "Client-Base64",
    "Actor-Base64",
]
#: Targets of table 9.3 with their statuses without a token; the proxies may refuse some themselves.
TARGETS = {
    "/mcp": 401,
    "/mcp/": 401,
    "/mcp/a?x=/../public": 401,
    "/public/a": 200,
    "/public/../mcp": 400,
    "/public/%2e%2e/mcp": 400,
    "/public/..;/mcp": 400,
    "/public//../mcp": 400,
    "//mcp": 400,
    "/mcp//a": 400,
    "/public%2F..%2Fmcp": 400,
    "/public/%5c..%5cmcp": 400,
    "/public/..%2fmcp": 400,
    "/public/%2e%2e%2fmcp": 400,
    "/public/.%2e/mcp": 400,
    "/public/./../mcp": 400,
    "/public\\..\\mcp": 400,
    "/%c0%ae%c0%ae/mcp": 400,
    "/mcp%00": 400,
    "/public#/../mcp": 400,
    "/public?#": 400,
    "/%6dcp": 401,
    "/MCP": 403,
    "/unknown": 403,
}


@pytest.fixture
def signer():
    return Signer()


@pytest.fixture
def api():
    server = API()
    yield server
    server.stop()


def configuration(signer, family, **tokens):
    return {
        "server": {"trusted_proxies": ["127.0.0.1/32"], "access_log": "json", "event_loops": 2},
        "authorization_servers": [{"issuer": ISSUER, "jwks": signer.jwks}],
        "resources": [
            {
                "metadata": {
                    "resource": RESOURCE,
                    "authorization_servers": [ISSUER],
                    "scopes_supported": ["photos.read", "photos.write"],
                    "dpop_signing_alg_values_supported": ["ES256"],
                },
                "tokens": tokens,
                "cors": {"allowed_origins": ["https://app.example.com"]},
                "routes": [
                    {
                        "path": "/mcp",
                        "methods": ["GET", "POST", "PUT"],
                        "scopes": ["photos.read"],
                        "respond": "principal",
                    },
                    {"path": "/mcp/write", "scopes": ["photos.write"], "respond": "principal"},
                ],
            }
        ],
        "public_routes": [
            {"path": "/public/{rest...}", "methods": ["GET", "POST"], "respond": {"text": "not run"}}
        ],
        "forward_auth": {"path": "/_auth", "family": family},
    }


@pytest.fixture(params=["nginx", "caddy", "haproxy"])
def family(request):
    if PROGRAMS[request.param] is None:
        pytest.skip(f"{request.param} is not installed")
    return request.param


@pytest.fixture
def start(serve, signer, api, folder, family):
    """Starts a gate and a proxy in front of it and the API."""
    running = []

    def make(**tokens):
        gate = serve(configuration(signer, family, **tokens))
        proxy = AskingProxy(family, folder, gate.base.removeprefix("http://"), api.address)
        running.append(proxy)
        proxy.gate = gate
        return proxy

    yield make
    for proxy in running:
        proxy.stop()


def test_the_script_of_the_article_is_the_file():
    with open(SCRIPT, encoding="utf-8") as file:
        assert block("lua") == file.read()


@pytest.mark.parametrize("nonce", ["off", "required"])
def test_the_suite_of_a_whole_gate_passes_with_the_statuses_of_direct_requests(
    serve, binary, api, folder, family, nonce
):
    """GateConformance of PortcullisTesting: RFC 6750, RFC 9068, RFC 9449, RFC 9728, each check by its clause."""
    program = os.path.join(os.path.dirname(binary), "gate-conformance")
    command = [program, ISSUER, RESOURCE, "photos.read"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as suite:
        issuer = types.SimpleNamespace(jwks=json.loads(suite.stdout.readline()))
        gate = serve(configuration(issuer, family, dpop={"nonce": nonce}))
        proxy = AskingProxy(family, folder, gate.base.removeprefix("http://"), api.address)
        try:
            output, _ = suite.communicate(f"{proxy.base}/mcp\n", timeout=60)
        finally:
            proxy.stop()
    *failures, summary = output.splitlines()
    assert failures == []
    assert int(summary.split()[0]) > 60, summary
    assert {received.target for received in api.received} == {"/mcp"}


def test_an_answer_to_a_token_is_for_its_client_alone(start, signer, api):
    """RFC 9111 section 3.5, as on the gate's own routes."""
    proxy = start()
    fields = web.bearer(signer.token(RESOURCE, "photos.read"))
    for path, own, found in [
        ("/mcp", None, ["no-store"]),
        ("/mcp", "private, max-age=60", ["private, max-age=60"]),
        ("/public/a", None, []),
        ("/public/a", "max-age=60", ["max-age=60"]),
    ]:
        wanted = {"Wanted-Cache-Control": own} if own else {}
        answer = web.request(proxy.base + path, fields={**fields, **wanted})
        assert answer.status == 200 and answer.all("Cache-Control") == found, (path, own)


def test_refusals_reach_the_client_with_their_challenges(start, signer, api):
    proxy = start()
    none = web.request(f"{proxy.base}/mcp")
    assert none.status == 401
    assert [scheme for scheme, _ in none.challenges] == ["Bearer", "DPoP"]
    assert none.challenges[0][1] == {"resource_metadata": METADATA, "scope": "photos.read"}
    assert none.one("Cache-Control") == "no-store"
    wrong = web.request(f"{proxy.base}/mcp", fields=web.bearer("a.b.c"))
    assert wrong.status == 401 and wrong.challenges[0][1]["error"] == "invalid_token"
    narrow = web.request(f"{proxy.base}/mcp/write", fields=web.bearer(signer.token(RESOURCE, "photos.read")))
    assert narrow.status == 403
    assert narrow.challenge["error"] == "insufficient_scope" and narrow.challenge["scope"] == "photos.write"
    assert narrow.challenge["resource_metadata"] == METADATA and narrow.one("Cache-Control") == "no-store"
    token = signer.token(RESOURCE, "photos.read")
    twice = web.request(f"{proxy.base}/mcp", fields=[*web.bearer(token).items()] * 2)
    assert twice.status == 400
    unknown = web.request(f"{proxy.base}/mcp/unregistered", fields=web.bearer(token))
    assert unknown.status == 404
    method = web.request(f"{proxy.base}/mcp/write", "POST", fields=web.bearer(token), body=b"")
    assert method.status == 405 and method.one("Allow") == "GET, HEAD"
    assert not api.received, "nothing of this reaches the API"


def test_a_page_can_read_the_refusal(start):
    proxy = start()
    answer = web.request(f"{proxy.base}/mcp", fields={"Origin": "https://app.example.com"})
    assert answer.status == 401
    assert answer.one("Access-Control-Allow-Origin") == "https://app.example.com"
    assert "WWW-Authenticate" in answer.one("Access-Control-Expose-Headers")


def test_documents_are_served_without_a_question(start):
    proxy = start()
    document = web.request(proxy.base + WELL_KNOWN, fields=web.bearer("not.a.token"))
    assert document.status == 200 and document.json["resource"] == RESOURCE
    assert web.request(f"{proxy.base}{WELL_KNOWN}/other").status == 404


def test_the_api_learns_the_identity_and_never_a_forged_one(start, signer, api):
    proxy = start()
    token = signer.token(RESOURCE, "photos.read", act={"sub": "agent"})
    forged = [(f"X-Portcullis-{name}", "admin") for name in IDENTITY]
    forged += [("X_Portcullis_Subject", "admin"), ("x-portcullis_subject", "admin")]
    forged += [("X.Portcullis.Subject", "admin"), ("X-Original-URI", "/public/a"), ("X-Forwarded-Uri", "/public/a")]
    answer = web.request(f"{proxy.base}/mcp?q=%2F..", fields=[*web.bearer(token).items(), *forged])
    assert answer.status == 200 and answer.body == b"done"
    received = api.last
    assert received.target == "/mcp?q=%2F.."
    assert received.all("X-Portcullis-Subject") == ["user"]
    assert received.all("X-Portcullis-Client") == ["app"]
    assert received.all("X-Portcullis-Scopes") == ["photos.read"]
    assert received.all("X-Portcullis-Issuer") == [ISSUER]
    assert received.all("X-Portcullis-Resource") == [RESOURCE]
    assert received.all("X-Portcullis-Actor") == ["agent"]
    assert int(received.all("X-Portcullis-Expires")[0]) > 0
    assert not received.all("Authorization") and not received.all("DPoP")
    assert "admin" not in [value for _, value in received.fields]
    assert not any("_" in name or "." in name for name, _ in received.fields)
    # On a public path there is no identity, whatever the client claims.
    public = web.request(f"{proxy.base}/public/a", fields=[*web.bearer(token).items(), *forged])
    assert public.status == 200
    for name in IDENTITY:
        assert api.last.all(f"X-Portcullis-{name}") in ([], [""]), name


def test_methods_and_bodies_reach_the_api_and_only_the_api(start, signer, api, family):
    proxy = start()
    fields = web.bearer(signer.token(RESOURCE, "photos.read"))
    for method, body in [("GET", None), ("HEAD", None), ("POST", b"x" * 100_000), ("PUT", b"")]:
        answer = web.request(f"{proxy.base}/mcp", method, fields=fields, body=body)
        assert answer.status == 200, method
        assert (api.last.method, api.last.body) == (method, body or b"")
    refused = web.request(f"{proxy.base}/mcp", "DELETE", fields=fields)
    assert refused.status == 405
    chunked(proxy.base, fields, b"5\r\nhello\r\n0\r\n\r\n")
    assert api.last.body == b"hello"

    def logged():
        log = [json.loads(line) for line in proxy.gate.errors.splitlines() if line.startswith("{")]
        asked = [line for line in log if line.get("forward_auth") == "/_auth"]
        return asked if len(asked) >= 6 else None

    asked = wait_until(logged, 10, "six lines in the access log")
    assert [line["method"] for line in asked] == ["GET", "HEAD", "POST", "PUT", "DELETE", "POST"]
    assert all(line["path"] == "/mcp" and line["bytes_received"] < 3000 for line in asked)


def chunked(base, fields, body):
    """A POST whose length is not declared."""
    address = urllib.parse.urlsplit(base)
    head = ["POST /mcp HTTP/1.1", "Host: api.example.com", "Transfer-Encoding: chunked", "Connection: close"]
    head += [f"{name}: {value}" for name, value in fields.items()]
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode() + body)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert answer.startswith(b"HTTP/1.1 200"), answer


def raw(base, target):
    """The status of a GET with a target that no client library would send."""
    address = urllib.parse.urlsplit(base)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        text = f"GET {target} HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n\r\n"
        connection.sendall(text.encode("latin-1"))
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return int(answer[9:12])


def test_no_target_is_read_in_two_ways(start, api, signer):
    """FWA-05: the API gets no target but those that the gate lets pass."""
    proxy = start()
    for target, status in TARGETS.items():
        before = len(api.received)
        found = raw(proxy.base, target)
        # A proxy may have its own refusal for what is no request target at all, or cut the fragment off.
        if found == 200:
            assert status == 200, target
            assert api.last.target == target
        else:
            assert len(api.received) == before, target
            assert found == status or status == 400 and found in (400, 401, 403), (target, found)


def test_proofs_are_checked_and_nonces_pass(start, signer, api):
    proxy = start(dpop={"nonce": "required"})
    client = dpop.Client(ORIGIN, signer)
    client.token = signer.token(RESOURCE, "photos.read", cnf={"jkt": client.key.thumbprint()})
    first = web.request(f"{proxy.base}/mcp", "POST", client.fields(client.proof("/mcp", "POST")), b"x")
    assert first.status == 401
    assert [scheme for scheme, _ in first.challenges] == ["DPoP"]
    assert first.challenges[0][1]["error"] == "use_dpop_nonce"
    nonce = first.one("DPoP-Nonce")
    proof = client.proof("/mcp", "POST", nonce=nonce)
    second = web.request(f"{proxy.base}/mcp", "POST", client.fields(proof), b"x")
    assert second.status == 200 and api.last.all("X-Portcullis-Subject") == ["user"]
    assert second.one("DPoP-Nonce"), "RFC 9449 section 8.2"
    replayed = web.request(f"{proxy.base}/mcp", "POST", client.fields(proof), b"x")
    assert replayed.status == 401
    assert replayed.challenges[0][1]["error"] == "invalid_dpop_proof"
    other = client.proof("/mcp", "GET", nonce=nonce)
    assert web.request(f"{proxy.base}/mcp", "POST", client.fields(other), b"x").status == 401
    # A refusal for another reason uses the proof up once, not twice.
    narrow = client.proof("/mcp/write", nonce=nonce)
    refused = web.request(f"{proxy.base}/mcp/write", fields=client.fields(narrow))
    assert refused.status == 403 and refused.challenges[0][1]["error"] == "insufficient_scope"


def test_the_apis_own_answers_pass(start, signer, api):
    proxy = start()
    fields = web.bearer(signer.token(RESOURCE, "photos.read"))
    for status in ("401", "403", "404", "500", "503"):
        answer = web.request(f"{proxy.base}/mcp", fields={**fields, "Wanted-Status": status})
        assert (answer.status, answer.body) == (int(status), b"done")


def test_an_absent_gate_lets_nothing_pass(start, signer, api):
    proxy = start()
    fields = web.bearer(signer.token(RESOURCE, "photos.read"))
    assert web.request(f"{proxy.base}/mcp", fields=fields).status == 200
    assert proxy.gate.stop() == 0
    before = len(api.received)
    for path in ("/mcp", "/public/a"):
        assert web.request(proxy.base + path, fields=fields).status in (502, 503)
    assert len(api.received) == before


def test_a_message_that_the_gate_does_not_read_is_the_clients_fault(start, signer, api):
    proxy = start()
    fields = [(f"X-Field-{number}", "a") for number in range(120)]
    answer = web.request(f"{proxy.base}/public/a", fields=fields)
    assert answer.status in (400, 431) and not api.received


def test_503_of_an_authorization_server_reaches_the_client(serve, signer, api, folder, family):
    made = configuration(signer, family)
    made["authorization_servers"][0] = {
        "issuer": ISSUER,
        "jwks_uri": f"http://127.0.0.1:{free_port()}/jwks",
        "allow_insecure_loopback": True,
    }
    gate = serve(made)
    proxy = AskingProxy(family, folder, gate.base.removeprefix("http://"), api.address)
    try:
        answer = web.request(f"{proxy.base}/mcp", fields=web.bearer(signer.token(RESOURCE, "photos.read")))
        assert answer.status == 503 and int(answer.one("Retry-After")) > 0
        assert not answer.all("WWW-Authenticate") and not api.received
    finally:
        proxy.stop()


def test_the_gates_path_is_not_reached_through_the_proxy(start, api):
    proxy = start()
    answer = web.request(
        f"{proxy.base}/_auth",
        fields={"X-Original-URI": "/public/a", "X-Original-Method": "GET", "X-Original-Host": "a"},
    )
    assert answer.status in (403, 404) and not api.received


def test_forward_auth_without_trusted_proxies_is_an_error(binary, folder, signer):
    made = configuration(signer, "caddy")
    del made["server"]["trusted_proxies"]
    path = write(made, folder, "wrong.json")
    ended = subprocess.run([binary, "--check", path], capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1
    assert "$.forward_auth: needs server.trusted_proxies" in ended.stderr
