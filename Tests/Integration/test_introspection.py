# SPDX-License-Identifier: MIT
"""Tokens that need introspection (RFC 7662), and that their server can revoke (RFC 7009)."""

import time

import pytest
from support.example_server import photos_and_notes
from support.faulty import FaultyServer
from support.glewlwyd import CLIENT, SECRET
from support.processes import free_port, wait_until
from support.toolkit_server import APP

#: The cache lifetime of an active answer in these tests, in seconds.
BOUND = 1


def tokens(audience=True, **others):
    policy = {"format": "opaque", "introspection_cache_seconds": BOUND, "inactive_cache_seconds": 1, **others}
    return policy if audience else {**policy, "introspection_audience": "optional"}


def refused_as_invalid(answer):
    return answer.status == 401 and answer.challenge.get("error") == "invalid_token"


def unavailable(answer):
    return answer.status == 503 and answer.all("WWW-Authenticate") == [] and answer.one("Retry-After") is not None


@pytest.fixture
def configuration(base, toolkit):
    def make(introspection=None, **policy):
        return photos_and_notes(
            base,
            toolkit.issuer,
            authorization_server={"introspection": introspection or toolkit.introspection()},
            tokens=tokens(audience=False, **policy),
        )

    return make


def test_an_opaque_token_is_accepted_until_it_is_revoked(serve, base, toolkit, configuration):
    example = serve(configuration(), base)
    token = toolkit.token("photos.read")
    assert token.count(".") == 0
    answer = example.get("/photos/7", token)
    assert answer.status == 200, (answer, example.errors)
    principal = answer.json
    assert principal["format"] == "opaque"
    assert principal["issuer"] == toolkit.issuer
    assert principal["client_id"] == APP
    assert principal["scopes"] == ["photos.read"]
    assert principal["subject"] is None
    assert principal["expires_at"] > time.time()
    assert principal["params"] == {"id": "7"}

    answer = example.request("PUT", "/photos/7", token, body=b"")
    assert answer.status == 403 and answer.challenge["error"] == "insufficient_scope"

    toolkit.revoke(token)
    revoked = time.monotonic()
    wait_until(lambda: refused_as_invalid(example.get("/photos/7", token)), BOUND + 2, "the revocation is noticed")
    assert time.monotonic() - revoked < BOUND + 1, "no later than the cache's lifetime"
    assert example.get("/photos/7", toolkit.token("photos.read")).status == 200


def test_without_a_cache_a_revocation_applies_at_once(serve, base, toolkit, configuration):
    example = serve(configuration(introspection_cache_seconds=0, inactive_cache_seconds=0), base)
    token = toolkit.token("photos.read")
    assert example.get("/photos/7", token).status == 200
    toolkit.revoke(token)
    assert refused_as_invalid(example.get("/photos/7", token))


def test_a_token_that_was_never_issued_is_refused(serve, base, configuration):
    example = serve(configuration(), base)
    for token in ["unknown", "a.b.c", "x" * 64, "A" * 4096]:
        assert refused_as_invalid(example.get("/photos/7", token)), token[:10]


def test_a_wrong_client_secret_is_503_and_not_401(serve, base, toolkit, configuration):
    example = serve(configuration(toolkit.introspection(secret="wrong")), base)
    answer = example.get("/photos/7", toolkit.token("photos.read"))
    assert unavailable(answer), answer
    assert "wrong" not in example.errors


def test_an_unreachable_endpoint_is_503(serve, base, toolkit, configuration):
    nowhere = {**toolkit.introspection(), "endpoint": f"http://127.0.0.1:{free_port()}/introspect"}
    example = serve(configuration(nowhere), base)
    assert unavailable(example.get("/photos/7", toolkit.token("photos.read")))


def test_an_answer_without_audience_is_refused_unless_allowed(serve, base, toolkit):
    configured = photos_and_notes(
        base, toolkit.issuer, authorization_server={"introspection": toolkit.introspection()}, tokens=tokens()
    )
    example = serve(configured, base)
    assert refused_as_invalid(example.get("/photos/7", toolkit.token("photos.read")))


def test_the_endpoint_is_discovered_and_its_audience_checked(serve, glewlwyd, base):
    server = glewlwyd({f"{base}/photos": ["photos.read"], f"{base}/notes": ["notes.read"]})
    introspection = {"client_id": CLIENT, "client_secret": SECRET}
    configured = photos_and_notes(
        base,
        server.issuer,
        authorization_server={"introspection": introspection, "discovery": True},
        tokens=tokens(),
    )
    example = serve(configured, base)
    token = server.token("photos.read", f"{base}/photos")
    answer = example.get("/photos/7", token)
    assert answer.status == 200, (answer, example.errors)
    assert (answer.json["format"], answer.json["audience"]) == ("opaque", [f"{base}/photos"])
    assert refused_as_invalid(example.get("/notes", token))
    server.revoke(token)
    wait_until(lambda: refused_as_invalid(example.get("/photos/7", token)), BOUND + 1, "the revocation is noticed")


@pytest.fixture
def issuer():
    server = FaultyServer()
    yield server
    server.stop()


def test_a_route_can_require_fresh_introspection(serve, base, issuer):
    introspection = {"endpoint": f"{issuer.issuer}/introspect", "client_id": "rs", "client_secret": "a-secret-of-the-rs"}
    configured = photos_and_notes(
        base, issuer.issuer, authorization_server={"introspection": introspection, "discovery": True}
    )
    configured["resources"][0]["routes"][1]["fresh_introspection"] = True
    example = serve(configured, base)
    token = issuer.signer.token(f"{base}/photos", "photos.read photos.write")
    issuer.active[token] = {"active": True}

    def put():
        return example.request("PUT", "/photos/7", token, body=b"")

    for count in (1, 2):
        answer = put()
        assert (answer.status, answer.json["format"]) == (200, "jwt"), (answer, example.errors)
        assert issuer.counts["/introspect"] == count
    assert example.get("/photos/7", token).status == 200 and issuer.counts["/introspect"] == 2
    issuer.active[token] = {"active": False}
    answer = put()
    assert refused_as_invalid(answer) and issuer.counts["/introspect"] == 3
    assert answer.challenge["error_description"] == "The access token is not active"
    other = issuer.signer.token(f"{base}/photos", "photos.write")
    issuer.faults["/introspect"] = "500"
    assert unavailable(example.request("PUT", "/photos/7", other, body=b""))
    issuer.faults.clear()
    issuer.active[other] = {"active": True}
    assert example.request("PUT", "/photos/7", other, body=b"").status == 200


def test_a_route_can_require_bound_tokens(serve, base, issuer):
    configured = photos_and_notes(base, issuer.issuer)
    configured["resources"][0]["routes"][1]["sender_constrained"] = True
    example = serve(configured, base)
    token = issuer.signer.token(f"{base}/photos", "photos.read photos.write")
    assert example.get("/photos/7", token).status == 200
    answer = example.request("PUT", "/photos/7", token, body=b"")
    assert refused_as_invalid(answer)
    assert answer.challenge["error_description"] == "The access token is not bound to a key"
