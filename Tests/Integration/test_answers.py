# SPDX-License-Identifier: MIT
"""A server's answers over the network: the gate's table and the kinds of `respond`."""

import http.client
import threading
import time

import pytest
from support.example_server import photos_and_notes
from support.tokens import ISSUER, Signer


@pytest.fixture
def signer():
    return Signer()


@pytest.fixture
def example(serve, base, signer):
    configuration = photos_and_notes(base, ISSUER, authorization_server={"jwks": signer.jwks})
    del configuration["authorization_servers"][0]["allow_insecure_loopback"]
    configuration["server"]["event_loops"] = 1
    configuration["public_routes"] += [
        {"path": "/echo", "methods": ["POST", "PUT"], "respond": "echo"},
        {"path": "/stream", "respond": {"stream": 5}},
        {"path": "/sleep", "respond": {"sleep_seconds": 0.3}},
        {"path": "/block", "respond": {"block_seconds": 1}},
    ]
    return serve(configuration, base)


def claims_of_trouble(base):
    now = int(time.time())
    return {
        "expired": {"exp": now - 3600, "iat": now - 7200},
        "not yet valid": {"nbf": now + 3600},
        "another issuer": {"iss": "https://as.example.com/"},
        "another audience": {"aud": f"{base}/photos/"},
        "no audience": {"aud": None},
        "no expiry": {"exp": None},
        "no subject": {"sub": None},
        "no client": {"client_id": None},
        "no identifier": {"jti": None},
        "expiry as text": {"exp": str(now + 600)},
    }


@pytest.mark.parametrize("what", claims_of_trouble(""))
def test_a_token_with_a_wrong_claim_is_invalid(example, base, signer, what):
    changes = claims_of_trouble(base)[what]
    token = signer.token(f"{base}/photos", "photos.read", **changes)
    answer = example.get("/photos/7", token)
    assert answer.status == 401, answer
    assert answer.challenge["error"] == "invalid_token"
    assert answer.json["error"] == "invalid_token"
    assert answer.one("Cache-Control") == "no-store"


def test_a_valid_token_is_accepted_in_any_case_of_the_scheme(example, base, signer):
    token = signer.token([f"{base}/notes", f"{base}/photos"], "photos.read")
    for scheme in ["Bearer", "bearer", "BEARER"]:
        assert example.get("/photos/7", fields={"Authorization": f"{scheme} {token}"}).status == 200
    head = example.request("HEAD", "/photos/7", token)
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    "fields, status, error",
    [
        ([("Authorization", "Basic dXNlcjpwYXNz")], 401, None),
        ([("Authorization", "Bearer")], 400, "invalid_request"),
        ([("Authorization", "Bearer a"), ("Authorization", "Bearer b")], 400, "invalid_request"),
        ([("Authorization", "Bearer a,b")], 401, "invalid_token"),
        ([("Authorization", "Bearer a b")], 401, "invalid_token"),
        ([("Authorization", "Bearer not-a-jwt")], 401, "invalid_token"),
        ([("Authorization", "Bearer " + "a" * 20000)], 401, "invalid_token"),
    ],
    ids=["other scheme", "scheme without a token", "twice", "comma", "space", "one part", "oversized"],
)
def test_malformed_credentials_are_refused(example, fields, status, error):
    answer = example.get("/photos/7", fields=fields)
    assert answer.status == status, answer
    assert answer.challenge.get("error") == error


def test_a_token_in_the_query_is_not_a_credential(example, base, signer):
    token = signer.token(f"{base}/photos", "photos.read")
    answer = example.get(f"/photos/7?access_token={token}")
    assert answer.status == 401 and "error" not in answer.challenge


@pytest.mark.parametrize("path", ["/photos/../hello", "/photos//7", "/photos/%2e%2e/x", "/photos/a%2Fb", "/photos/%00"])
def test_ambiguous_paths_are_refused_before_the_gate(example, base, signer, path):
    token = signer.token(f"{base}/photos", "photos.read")
    assert example.get(path, token).status == 400
    assert example.get(path).status == 400


def test_an_unknown_path_outside_every_resource_is_404(example):
    assert example.get("/nothing").status == 404
    assert example.get("/photoshop").status == 404, "prefixes match whole segments"
    answer = example.request("DELETE", "/hello")
    assert answer.status == 405 and "GET" in answer.one("Allow")


def test_text(example):
    answer = example.get("/hello")
    assert (answer.status, answer.body, answer.media_type) == (200, b"Hello, world", "text/plain")


@pytest.mark.parametrize("size", [0, 1, 100_000, 1_000_000])
def test_echo(example, size):
    body = bytes(index * 7 % 256 for index in range(size))
    answer = example.request("POST", "/echo", fields={"Content-Type": "application/x-thing"}, body=body)
    assert answer.status == 200
    assert answer.body == body
    if size:
        assert answer.media_type == "application/x-thing"


def test_a_body_beyond_the_limit_is_413(example):
    port = int(example.base.rsplit(":", 1)[1])
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.putrequest("POST", "/echo")
    connection.putheader("Content-Length", str(2 * 1048576))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


def test_stream(example):
    answer = example.get("/stream")
    assert answer.body.split() == b" ".join(b"line %d" % n for n in range(1, 6)).split()
    assert answer.one("Transfer-Encoding") == "chunked"


def test_a_handler_that_sleeps_or_blocks_delays_no_other(example):
    """One event loop, so a request that shares a thread with the blocked handlers would be late."""
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(example.get("/block").body)) for _ in range(8)
    ] + [threading.Thread(target=lambda: answers.append(example.get("/sleep").body)) for _ in range(8)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    time.sleep(0.1)
    for _ in range(5):
        asked = time.monotonic()
        assert example.get("/hello").status == 200
        assert time.monotonic() - asked < 0.5
    for thread in threads:
        thread.join(10)
    assert sorted(answers) == [b"blocked"] * 8 + [b"slept"] * 8
    assert time.monotonic() - started < 4, "they ran concurrently"


def test_many_requests_on_one_connection(example, base, signer):
    token = signer.token(f"{base}/photos", "photos.read")
    connection = http.client.HTTPConnection("127.0.0.1", int(base.rsplit(":", 1)[1]), timeout=5)
    for number in range(50):
        fields = {"Authorization": f"Bearer {token}"} if number % 2 else {}
        connection.request("GET", f"/photos/{number}", headers=fields)
        response = connection.getresponse()
        response.read()
        assert response.status == (200 if number % 2 else 401)
    connection.close()
