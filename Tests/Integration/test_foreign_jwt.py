# SPDX-License-Identifier: MIT
"""Access tokens of another project's authorization server, with keys discovered from its issuer alone."""

import base64
import json
import time

import pytest
from support.example_server import photos_and_notes
from support.glewlwyd import CLIENT, KEY_KINDS
from support.processes import wait_until


@pytest.fixture
def resources(base):
    return {f"{base}/photos": ["photos.read", "photos.write"], f"{base}/notes": ["notes.read"]}


def refused_as_invalid(answer):
    return answer.status == 401 and answer.challenge.get("error") == "invalid_token"


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_a_token_is_accepted_with_only_the_issuer_configured(serve, glewlwyd, base, resources, kind):
    server = glewlwyd(resources, kind)
    example = serve(photos_and_notes(base, server.issuer), base)
    token = server.token("photos.read", f"{base}/photos")
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert (header["typ"], header["alg"]) == ("at+jwt", KEY_KINDS[kind][0])

    answer = example.get("/photos/7", token)
    assert answer.status == 200, (answer, example.errors)
    assert answer.media_type == "application/json"
    assert answer.one("Cache-Control") == "no-store"
    claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
    assert answer.json == {
        "resource": f"{base}/photos",
        "issuer": server.issuer,
        "subject": CLIENT,
        "client_id": CLIENT,
        "scopes": ["photos.read"],
        "audience": [f"{base}/photos"],
        "expires_at": claims["exp"],
        "format": "jwt",
        "binding": "none",
        "actor": None,
        "params": {"id": "7"},
        "claims": claims,
    }
    assert example.get("/photos/7", token).status == 200, "the second time"


def test_a_malformed_published_key_is_reported_in_the_log(serve, glewlwyd, base, resources):
    server = glewlwyd(resources, "ecdsa", True)
    example = serve(photos_and_notes(base, server.issuer), base)
    answer = example.get("/photos/7", server.token("photos.read", f"{base}/photos"))
    assert answer.status == 503 and answer.all("WWW-Authenticate") == [], answer
    assert f"{server.issuer}: key 0 of its set cannot be used: a member of the key is absent or malformed" in example.errors


def test_a_token_is_refused_at_another_resource_and_without_the_scope(serve, glewlwyd, base, resources):
    server = glewlwyd(resources)
    example = serve(photos_and_notes(base, server.issuer), base)
    token = server.token("photos.read", f"{base}/photos")

    assert example.get("/photos/7", token).status == 200
    answer = example.get("/notes", token)
    assert refused_as_invalid(answer), answer
    assert answer.challenge["resource_metadata"] == f"{base}/.well-known/oauth-protected-resource/notes"
    assert example.get("/notes", server.token("notes.read", f"{base}/notes")).status == 200
    # Without a resource this server uses the scopes as the audience, which matches no resource here.
    assert refused_as_invalid(example.get("/photos/7", server.token("photos.read", None)))

    answer = example.request("PUT", "/photos/7", token, body=b"")
    assert answer.status == 403, answer
    assert answer.challenge["error"] == "insufficient_scope"
    assert answer.challenge["scope"] == "photos.write"
    assert example.request("PUT", "/photos/7", server.token("photos.write", f"{base}/photos"), body=b"").status == 200

    assert example.get("/photos/7/nothing", token).status == 404
    answer = example.request("DELETE", "/photos/7", token)
    assert answer.status == 405 and "GET" in answer.one("Allow") and "PUT" in answer.one("Allow")


def test_a_changed_token_is_refused(serve, glewlwyd, base, resources):
    server = glewlwyd(resources)
    example = serve(photos_and_notes(base, server.issuer), base)
    token = server.token("photos.read", f"{base}/photos")
    assert example.get("/photos/7", token).status == 200
    header, payload, signature = token.split(".")

    def encoded(text):
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    def with_member(part, **members):
        value = json.loads(base64.urlsafe_b64decode(part + "=="))
        return encoded(json.dumps({**value, **members}))

    other = "A" if signature[0] != "A" else "B"
    altered = {
        "signature": f"{header}.{payload}.{other}{signature[1:]}",
        "payload": f"{header}.{with_member(payload, scope='photos.write')}.{signature}",
        "algorithm none": f"{with_member(header, alg='none')}.{payload}.",
        "algorithm HS256": f"{with_member(header, alg='HS256')}.{payload}.{signature}",
        "type JWT": f"{with_member(header, typ='JWT')}.{payload}.{signature}",
        "issuer": f"{header}.{with_member(payload, iss='https://as.example.com')}.{signature}",
        "no signature": f"{header}.{payload}.",
        "two parts": f"{header}.{payload}",
        "padding": f"{header}=.{payload}.{signature}",
        "cut": token[:-4],
    }
    for what, changed in altered.items():
        answer = example.get("/photos/7", changed)
        assert refused_as_invalid(answer), (what, answer)
        assert changed not in repr(answer), "a refusal never echoes the token"
    assert example.get("/photos/7", token).status == 200


def test_tokens_of_a_dropped_key_are_refused_and_those_of_the_new_one_accepted(serve, glewlwyd, base, resources):
    server = glewlwyd(resources)
    bounds = {"jwks_refresh_seconds": 1, "jwks_cooldown_seconds": 1, "jwks_stale_seconds": 1}
    example = serve(photos_and_notes(base, server.issuer, authorization_server=bounds), base)
    old = server.token("photos.read", f"{base}/photos")
    assert example.get("/photos/7", old).status == 200

    server.rotate("rsa")
    new = server.token("photos.read", f"{base}/photos")
    wait_until(
        lambda: example.get("/photos/7", new).status == 200, 8, "the new key is found by its unknown identifier"
    )
    wait_until(
        lambda: refused_as_invalid(example.get("/photos/7", old)), 8, "the old key and what it signed are dropped"
    )
    assert example.get("/photos/7", new).status == 200
    assert refused_as_invalid(example.get("/photos/7", old))


def test_without_the_authorization_server_a_valid_token_is_503_and_never_401(serve, glewlwyd, base, resources):
    server = glewlwyd(resources)
    token = server.token("photos.read", f"{base}/photos")
    server.stop()
    bounds = {"jwks_cooldown_seconds": 2, "timeout_seconds": 2}
    example = serve(photos_and_notes(base, server.issuer, authorization_server=bounds), base)

    for _ in range(3):
        answer = example.get("/photos/7", token)
        assert answer.status == 503, answer
        assert float(answer.one("Retry-After")) >= 0
        assert answer.all("WWW-Authenticate") == []
        assert answer.one("Cache-Control") == "no-store"
    # Checks that need no key are made without one.
    answer = example.get("/photos/7")
    assert answer.status == 401 and "error" not in answer.challenge
    header, payload, signature = token.split(".")
    claims = {**json.loads(base64.urlsafe_b64decode(payload + "==")), "iss": "https://as.example.com"}
    foreign = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    assert refused_as_invalid(example.get("/photos/7", f"{header}.{foreign}.{signature}"))
    assert example.get("/hello").body == b"Hello, world"

    server.start()
    wait_until(lambda: example.get("/photos/7", token).status == 200, 15, "the keys are fetched once there are any")


def test_known_keys_survive_a_short_outage_of_their_server(serve, glewlwyd, base, resources):
    server = glewlwyd(resources)
    bounds = {"jwks_refresh_seconds": 1, "jwks_cooldown_seconds": 1, "jwks_stale_seconds": 3600, "timeout_seconds": 1}
    example = serve(photos_and_notes(base, server.issuer, authorization_server=bounds), base)
    token = server.token("photos.read", f"{base}/photos")
    unseen = server.token("photos.read", f"{base}/photos")
    wait_until(lambda: example.get("/photos/7", token).status == 200, 15, "the keys are fetched in spite of the short timeout")
    server.stop()
    end = time.monotonic() + 3
    while time.monotonic() < end:
        assert example.get("/photos/7", token).status == 200
        time.sleep(0.1)
    assert example.get("/photos/7", unseen).status == 200
