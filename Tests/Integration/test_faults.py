# SPDX-License-Identifier: MIT
"""Faults of an authorization server, over real sockets: the status, the recovery, the number of calls."""

import concurrent.futures
import json
import os
import shutil
import ssl
import subprocess
import time
import urllib.parse

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from support.example_server import photos_and_notes
from support.faulty import FaultyServer
from support.processes import free_port, wait_until

BOUNDS = {"timeout_seconds": 1, "jwks_refresh_seconds": 600, "jwks_cooldown_seconds": 1}
METADATA, KEYS, INTROSPECTION = "/.well-known/oauth-authorization-server", "/jwks", "/introspect"


@pytest.fixture
def faulty():
    server = FaultyServer()
    yield server
    server.stop()


def unavailable(answer):
    return answer.status == 503 and answer.all("WWW-Authenticate") == [] and answer.one("Retry-After") is not None


def jwt_configuration(base, issuer):
    return photos_and_notes(base, issuer, authorization_server=BOUNDS)


def introspecting(base, server, **others):
    configured = photos_and_notes(
        base,
        server.issuer,
        authorization_server={
            **BOUNDS,
            "introspection": {
                "endpoint": f"{server.issuer}/introspect",
                "client_id": "rs",
                "client_secret": "a-secret-of-the-resource-server",
                **others,
            },
        },
        tokens={"format": "opaque", "introspection_cache_seconds": 0, "inactive_cache_seconds": 0},
    )
    configured["public_routes"].append({"path": "/slept", "respond": {"sleep_seconds": 0.01}})
    return configured


def test_unreachable_at_start_is_503_until_it_is_reachable(serve, base):
    port = free_port()
    example = serve(jwt_configuration(base, f"http://127.0.0.1:{port}"), base)
    token_maker = FaultyServer()
    token_maker.signer.issuer = f"http://127.0.0.1:{port}"
    token = token_maker.signer.token(f"{base}/photos", "photos.read")
    token_maker.stop()
    assert unavailable(example.get("/photos/7", token))
    assert example.get("/hello").status == 200
    server = FaultyServer(port)
    server.signer = token_maker.signer
    try:
        wait_until(lambda: example.get("/photos/7", token).status == 200, 10, "it recovers without a restart")
        assert server.counts[METADATA] <= 2 and server.counts[KEYS] == 1, server.counts
    finally:
        server.stop()


@pytest.mark.parametrize("kind", ["slow", "500", "garbage", "huge", "redirecting", "cut"])
@pytest.mark.parametrize("path", [METADATA, KEYS])
def test_a_fault_at_start_is_503_and_recovers(serve, base, faulty, path, kind):
    faulty.faults[path] = kind
    example = serve(jwt_configuration(base, faulty.issuer), base)
    token = faulty.signer.token(f"{base}/photos", "photos.read")
    began = time.monotonic()
    assert unavailable(example.get("/photos/7", token))
    assert time.monotonic() - began < 4
    assert faulty.counts["/elsewhere"] == 0
    calls = faulty.counts[path]
    # One call at the start and, if its pause of a second is over, one for the request.
    assert 1 <= calls <= 2
    faulty.faults.clear()
    wait_until(lambda: example.get("/photos/7", token).status == 200, 10, "it recovers without a restart")
    assert faulty.counts[path] <= calls + 2, "many requests, and one attempt per pause"


@pytest.mark.parametrize(("path", "kind"), [(METADATA, "wrong issuer"), (KEYS, "emptied")])
def test_an_unusable_document_is_503_and_recovers(serve, base, faulty, path, kind):
    faulty.faults[path] = kind
    example = serve(jwt_configuration(base, faulty.issuer), base)
    token = faulty.signer.token(f"{base}/photos", "photos.read")
    assert unavailable(example.get("/photos/7", token))
    calls = faulty.counts[path]
    assert 1 <= calls <= 2
    faulty.faults.clear()
    wait_until(lambda: example.get("/photos/7", token).status == 200, 10, "it recovers without a restart")
    assert faulty.counts[path] <= calls + 2


def test_rotated_keys_are_found_with_one_call(serve, base, faulty):
    example = serve(jwt_configuration(base, faulty.issuer), base)
    old = faulty.signer.token(f"{base}/photos", "photos.read")
    assert example.get("/photos/7", old).status == 200
    faulty.signer.rotate("two")
    new = [faulty.signer.token(f"{base}/photos", "photos.read") for _ in range(20)]
    wait_until(lambda: example.get("/photos/7", new[0]).status == 200, 10, "the new key is found")
    assert all(example.get("/photos/7", token).status == 200 for token in new)
    assert faulty.counts[KEYS] == 2
    refused = example.get("/photos/7", old)
    assert refused.status == 401 and refused.challenge["error"] == "invalid_token", "the old key is no longer accepted"
    assert faulty.counts[KEYS] <= 3, "an unknown key ID causes one call per cool-down"


@pytest.mark.parametrize(("skew", "status"), [(25, 200), (60, 401), (-620, 200), (-640, 401)])
def test_clocks_apart(serve, base, faulty, skew, status):
    example = serve(jwt_configuration(base, faulty.issuer), base)
    now = int(time.time())
    token = faulty.signer.token(f"{base}/photos", "photos.read", iat=now + skew, exp=now + skew + 600)
    answer = example.get("/photos/7", token)
    assert answer.status == status, answer
    if status == 401:
        text = "The access token is not valid yet" if skew > 0 else "The access token expired"
        assert (answer.challenge["error"], answer.challenge["error_description"]) == ("invalid_token", text)
    assert faulty.counts[KEYS] == 1


def test_unreachable_later_keeps_known_keys_and_recovers(serve, base, faulty):
    example = serve(jwt_configuration(base, faulty.issuer), base)
    token = faulty.signer.token(f"{base}/photos", "photos.read")
    assert example.get("/photos/7", token).status == 200
    faulty.faults[KEYS] = "cut"
    assert example.get("/photos/7", faulty.signer.token(f"{base}/photos", "photos.read")).status == 200
    faulty.signer.key = type(faulty.signer)().key
    rotated = faulty.signer.token(f"{base}/photos", "photos.read")
    assert example.get("/photos/7", rotated).status == 401, "the same key ID, another key: a bad signature"
    assert faulty.counts[KEYS] == 1


@pytest.mark.parametrize("kind", ["slow", "500", "garbage", "huge", "redirecting", "cut"])
def test_an_introspection_fault_is_503_and_recovers(serve, base, faulty, kind):
    faulty.faults[INTROSPECTION] = kind
    example = serve(introspecting(base, faulty), base)
    token = faulty.opaque("an-opaque-token-of-the-fault-table", f"{base}/photos", "photos.read")
    assert unavailable(example.get("/photos/7", token))
    assert faulty.counts[INTROSPECTION] == 1
    faulty.faults.clear()
    wait_until(lambda: example.get("/photos/7", token).status == 200, 10, "it recovers without a restart")
    assert faulty.counts[INTROSPECTION] == 2, "one failure suspends nothing, and no token is introspected twice"


def test_slow_introspection_under_200_parallel_requests_delays_no_other_route(serve, base, faulty):
    faulty.faults[INTROSPECTION] = "slow"
    example = serve(introspecting(base, faulty), base)
    tokens = [faulty.opaque(f"opaque-token-{n}-of-the-crowd", f"{base}/photos", "photos.read") for n in range(200)]
    with concurrent.futures.ThreadPoolExecutor(220) as pool:
        began = time.monotonic()
        guarded = [pool.submit(example.get, "/photos/7", token, timeout=20) for token in tokens]
        others = []
        while not all(future.done() for future in guarded):
            moment = time.monotonic()
            assert example.get("/hello").status == 200
            assert example.get("/slept").status == 200
            others.append(time.monotonic() - moment)
            time.sleep(0.02)
        answers = [future.result() for future in guarded]
        lasted = time.monotonic() - began
    assert all(unavailable(answer) for answer in answers)
    assert lasted < 8, "the timeout once, and not once for each request"
    assert sorted(others)[len(others) // 2] < 0.5, "other routes are not delayed"
    # Requests that arrive after the first failure, and before the breaker opens, count too.
    assert faulty.counts[INTROSPECTION] <= 64 + 16, "about as many calls as may run concurrently"
    calls = faulty.counts[INTROSPECTION]
    assert unavailable(example.get("/photos/7", tokens[0])) and faulty.counts[INTROSPECTION] <= calls + 1
    faulty.faults.clear()
    wait_until(lambda: example.get("/photos/7", tokens[0]).status == 200, 20, "it recovers without a restart")
    assert all(example.get("/photos/7", token).status == 200 for token in tokens[:20])


@pytest.mark.parametrize("method", ["client_secret_post", "bearer", "private_key_jwt"])
def test_introspection_is_authenticated_as_configured(serve, base, folder, faulty, method):
    key = RSAKey.generate_key(2048, {"kid": "rs-key"}, private=True)
    with open(f"{folder}/rs.jwk", "w", encoding="utf-8") as file:
        json.dump(key.as_dict(private=True), file)
    members = {
        "client_secret_post": {"client_secret": "a-secret-of-the-resource-server"},
        "bearer": {"bearer_token": "a-bearer-token-of-the-resource-server"},
        "private_key_jwt": {"private_key": "rs.jwk"},
    }[method]
    configured = introspecting(base, faulty)
    entry = configured["authorization_servers"][0]["introspection"]
    del entry["client_secret"]
    entry.update({"client_auth": method, **members})
    example = serve(configured, base)
    token = faulty.opaque("an-opaque-token-to-ask-about", f"{base}/photos", "photos.read")
    for _ in range(2):
        assert example.get("/photos/7", token).status == 200, example.errors
    forms = [dict(urllib.parse.parse_qsl(form)) for form in faulty.forms]
    if method == "bearer":
        assert faulty.authorizations == ["Bearer a-bearer-token-of-the-resource-server"] * 2
        return
    assert faulty.authorizations == [None, None]
    assert [form["client_id"] for form in forms] == ["rs", "rs"]
    if method == "client_secret_post":
        assert forms[0]["client_secret"] == "a-secret-of-the-resource-server"
        return
    claims = [jwt.decode(form["client_assertion"], key, algorithms=["RS256"]).claims for form in forms]
    assert all(c["iss"] == c["sub"] == "rs" and c["aud"] == faulty.issuer for c in claims)
    assert claims[0]["jti"] != claims[1]["jti"] and claims[0]["exp"] - claims[0]["iat"] <= 300


def certificate(folder, name):
    """A self-signed certificate for 127.0.0.1 and its key."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem"],
        check=True, capture_output=True,
    )  # fmt: skip


def over_tls(folder):
    certificate(folder, "as")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/as.pem", f"{folder}/as.key")
    return FaultyServer(tls=context)


@pytest.mark.parametrize("by", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_the_systems_trust_anchors_are_used(serve, base, folder, monkeypatch, by):
    server = over_tls(folder)
    os.mkdir(f"{folder}/trusted")
    shutil.copy(f"{folder}/as.pem", f"{folder}/trusted/as.pem")
    subprocess.run(["openssl", "rehash", f"{folder}/trusted"], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", f"{folder}/as.pem" if by == "SSL_CERT_FILE" else f"{folder}/absent.pem")
    monkeypatch.setenv("SSL_CERT_DIR", f"{folder}/absent:{folder}/trusted" if by == "SSL_CERT_DIR" else "")
    try:
        example = serve(jwt_configuration(base, server.issuer), base)
        token = server.signer.token(f"{base}/photos", "photos.read")
        assert example.get("/photos/7", token).status == 200, example.errors
    finally:
        server.stop()


def test_without_any_trust_anchor_only_https_fails(serve, base, folder, faulty, monkeypatch):
    server = over_tls(folder)
    monkeypatch.setenv("SSL_CERT_FILE", f"{folder}/absent.pem")
    monkeypatch.setenv("SSL_CERT_DIR", f"{folder}/absent")
    try:
        configured = jwt_configuration(base, server.issuer)
        plain = jwt_configuration(base, faulty.issuer)
        configured["authorization_servers"] += plain["authorization_servers"]
        configured["resources"][1] = plain["resources"][1]
        example = serve(configured, base)
        assert unavailable(example.get("/photos/7", server.signer.token(f"{base}/photos", "photos.read")))
        answer = example.get("/notes", faulty.signer.token(f"{base}/notes", "notes.read"))
        assert answer.status == 200, example.errors
        assert server.counts == {}
        # The server looks for them again when it needs them again.
        shutil.copy(f"{folder}/as.pem", f"{folder}/absent.pem")
        token = server.signer.token(f"{base}/photos", "photos.read")
        wait_until(lambda: example.get("/photos/7", token).status == 200, 20, "the file is there now")
    finally:
        server.stop()


def test_introspection_is_authenticated_by_a_certificate(serve, base, folder):
    for name in ["as", "rs-api"]:
        certificate(folder, name)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/as.pem", f"{folder}/as.key")
    context.load_verify_locations(f"{folder}/rs-api.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    server = FaultyServer(tls=context)
    try:
        configured = introspecting(base, server)
        entry = configured["authorization_servers"][0]
        entry["ca_certificates"] = "as.pem"
        del entry["introspection"]["client_secret"]
        entry["introspection"].update(
            {"client_auth": "tls_client_auth", "client_certificate": "rs-api.pem", "client_private_key": "rs-api.key"}
        )
        example = serve(configured, base)
        token = server.opaque("an-opaque-token-to-ask-about", f"{base}/photos", "photos.read")
        answer = example.get("/photos/7", token)
        assert answer.status == 200, (answer, example.errors)
        assert server.forms == ["token=an-opaque-token-to-ask-about&token_type_hint=access_token&client_id=rs"]
        assert set(server.peers) == {"rs-api"} and server.authorizations == [None]
    finally:
        server.stop()
