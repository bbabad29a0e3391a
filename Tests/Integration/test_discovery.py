# SPDX-License-Identifier: MIT
"""An API that an unknown client can discover: the challenge, the document, the chain."""

import asyncio
import subprocess

import httpx2
import pytest
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.shared.auth import ProtectedResourceMetadata
from support import web
from support.example_server import photos_and_notes
from support.glewlwyd import CLIENT, SECRET
from support.memory import Memory
from support.tokens import ISSUER, Signer

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@pytest.fixture
def example(serve, base):
    configuration = photos_and_notes(base, ISSUER, authorization_server={"jwks": Signer().jwks})
    del configuration["authorization_servers"][0]["allow_insecure_loopback"]
    configuration["resources"][0]["root_alias"] = True
    configuration["resources"][0]["metadata"]["resource_name"] = "Photos"
    configuration["resources"][0]["metadata"]["resource_name#de"] = "Fotos"
    configuration["resources"][0]["metadata"]["example.com/extension"] = {"any": ["thing"]}
    return serve(configuration, base)


BELOW = ["/photos", "/photos/", "/photos/7", "/photos/no/such/path", "/photos/7?page=2", "/photos/%C3%A9"]


@pytest.mark.parametrize("path", BELOW)
@pytest.mark.parametrize("method", ["HEAD", "GET", "POST", "DELETE", "PROPFIND"])
def test_any_path_below_a_resource_gets_the_challenge(example, path, method):
    answer = example.request(method, path, body=b"" if method == "POST" else None)
    assert answer.status == 401, answer
    assert answer.one("Cache-Control") == "no-store"
    assert answer.challenge["resource_metadata"] == f"{example.base}{WELL_KNOWN}/photos"
    assert "error" not in answer.challenge, "no credentials, no error"
    if method in ("HEAD", "GET") and path in ("/photos/7", "/photos/7?page=2", "/photos/%C3%A9"):
        assert answer.challenge["scope"] == "photos.read"
    if path == "/photos/no/such/path":
        assert "scope" not in answer.challenge, "an unregistered path needs no scope"


def test_curl_gets_the_challenge(example):
    shown = subprocess.run(
        ["curl", "-sI", f"{example.base}/photos/anything"], check=True, capture_output=True, text=True
    ).stdout
    assert shown.startswith("HTTP/1.1 401")
    lines = [line for line in shown.splitlines() if line.lower().startswith("www-authenticate:")]
    assert len(lines) == 1 and lines[0].split(": ", 1)[1].startswith("Bearer ")
    assert f'resource_metadata="{example.base}{WELL_KNOWN}/photos"' in lines[0]


@pytest.mark.parametrize("path", [WELL_KNOWN, f"{WELL_KNOWN}/photos", f"{WELL_KNOWN}/photos/", f"{WELL_KNOWN}/notes"])
def test_the_document_is_as_scanners_expect(example, path):
    answer = example.get(path, fields={"Origin": "https://scanner.example.com"})
    assert answer.status == 200, answer
    assert answer.media_type == "application/json"
    assert answer.one("Access-Control-Allow-Origin") == "*"
    assert "max-age=300" in answer.one("Cache-Control")
    name = "notes" if "notes" in path else "photos"
    document = answer.json
    assert document["resource"] == f"{example.base}/{name}"
    assert document["authorization_servers"] == [ISSUER]
    assert document["bearer_methods_supported"] == ["header"]
    assert ProtectedResourceMetadata.model_validate_json(answer.body).authorization_servers

    head = example.request("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    assert head.one("Content-Length") == str(len(answer.body))


def test_the_document_matches_the_file(example):
    document = example.get(f"{WELL_KNOWN}/photos").json
    assert document["resource_name"] == "Photos"
    assert document["resource_name#de"] == "Fotos"
    assert document["example.com/extension"] == {"any": ["thing"]}
    assert document["scopes_supported"] == ["photos.read", "photos.write"]
    assert example.get(f"{WELL_KNOWN}/photos").body == example.get(f"{WELL_KNOWN}/photos").body


@pytest.mark.parametrize("path", [f"{WELL_KNOWN}/other", f"{WELL_KNOWN}/photos/7", f"{WELL_KNOWN}/photos//"])
def test_other_well_known_paths_are_404_and_never_gated(example, path):
    answer = example.get(path)
    assert answer.status == (400 if "//" in path else 404), answer
    assert answer.all("WWW-Authenticate") == []


def test_the_document_is_read_only(example):
    answer = example.request("POST", f"{WELL_KNOWN}/photos", body=b"{}")
    assert answer.status == 405
    assert {word.strip() for word in answer.one("Allow").split(",")} >= {"GET", "HEAD"}


def test_a_foreign_client_follows_the_chain(serve, glewlwyd, base):
    """The MCP SDK's client knows the API's URL and its own credentials; it discovers the rest."""
    server = glewlwyd({f"{base}/photos": ["photos.read", "photos.write"], f"{base}/notes": ["notes.read"]})
    example = serve(photos_and_notes(base, server.issuer), base)
    seen = []

    async def remember(response):
        seen.append((response.request.method, str(response.request.url), response.status_code))

    async def walk():
        memory = Memory()
        provider = ClientCredentialsOAuthProvider(
            f"{base}/photos", memory, client_id=CLIENT, client_secret=SECRET, issuer=server.issuer
        )
        async with httpx2.AsyncClient(auth=provider, event_hooks={"response": [remember]}) as client:
            read = await client.get(f"{base}/photos/7")
            written = await client.put(f"{base}/photos/7", content=b"")
        return read, written, memory.tokens

    read, written, tokens = asyncio.run(walk())
    assert read.status_code == 200, (seen, read.text, example.errors)
    assert read.json()["scopes"] == ["photos.read"], "exactly the scopes of the challenge"
    # 403 insufficient_scope names the scope, so the same client steps up.
    assert written.status_code == 200, (seen, written.text)
    assert sorted(written.json()["scopes"]) == ["photos.read", "photos.write"]
    assert tokens.access_token not in example.errors


def test_unknown_hosts_do_not_change_the_challenge(example):
    answer = web.request(f"{example.base}/photos/7", fields={"Accept": "*/*"})
    forged = subprocess.run(
        ["curl", "-sI", "-H", "Host: evil.example.com", "-H", "X-Forwarded-Host: evil.example.com",
         f"{example.base}/photos/7"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert answer.challenge["resource_metadata"] in forged
    assert "evil" not in forged
