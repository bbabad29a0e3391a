# SPDX-License-Identifier: MIT
"""DPoP with the example server and the tests' own client: joserfc makes keys, tokens and proofs."""

import concurrent.futures
import hashlib
import signal
import time

import pytest
from joserfc.jwk import ECKey
from support.dpop import KEYS, Client, encoded
from support.example_server import photos_and_notes
from support.processes import wait_until
from support.tokens import ISSUER, Signer


@pytest.fixture
def signer():
    return Signer()


@pytest.fixture
def start(serve, base, signer):
    def begin(dpop=None, **metadata):
        configuration = photos_and_notes(
            base, ISSUER, authorization_server={"jwks": signer.jwks}, tokens={"dpop": dpop or {}}
        )
        del configuration["authorization_servers"][0]["allow_insecure_loopback"]
        metadata.setdefault("dpop_signing_alg_values_supported", list(KEYS))
        configuration["resources"][0]["metadata"].update(metadata)
        return serve(configuration, base)

    return begin


@pytest.fixture
def client(base, signer):
    return Client(base, signer)


def expect_refused(answer, error, status=401):
    assert answer.status == status, answer
    (challenge,) = answer.challenges
    assert challenge[0] == "DPoP"
    assert challenge[1]["error"] == error
    assert answer.json["error"] == error
    assert answer.one("Cache-Control") == "no-store"


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_proof_by_another_library_is_accepted(start, base, signer, algorithm):
    server = start()
    client = Client(base, signer, algorithm)
    for _ in range(2):
        answer = server.get("/photos/7?page=2", fields=client.fields(client.proof()))
        assert answer.status == 200, answer
        assert answer.json["binding"] == "dpop"
        assert answer.json["claims"]["cnf"]["jkt"] == client.key.thumbprint()


def test_both_schemes_are_offered(start):
    answer = start().get("/photos/7")
    assert [scheme for scheme, _ in answer.challenges] == ["Bearer", "DPoP"]
    assert answer.challenges[1][1]["algs"] == " ".join(KEYS)
    assert all("error" not in parameters for _, parameters in answer.challenges)


def test_a_proof_is_accepted_once(start, client):
    server = start()
    proof = client.proof()
    assert server.get("/photos/7", fields=client.fields(proof)).status == 200
    expect_refused(server.get("/photos/7", fields=client.fields(proof)), "invalid_dpop_proof")


def test_of_parallel_requests_with_one_proof_one_is_accepted(start, client):
    server = start()
    for _ in range(3):
        fields = client.fields(client.proof())
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: server.get("/photos/7", fields=fields).status, range(8)))
        assert sorted(answers) == [200] + [401] * 7


def test_a_proof_for_another_request_is_refused(start, base, client):
    server = start()
    wrong = [
        client.proof(method="POST"),
        client.proof("/photos/8"),
        client.proof("/photos/7/"),
        client.proof(htu="https://evil.example/photos/7"),
        client.proof(ath=encoded(hashlib.sha256(b"another").digest())),
        client.proof(iat=int(time.time()) - 120),
        client.proof(iat=int(time.time()) + 60),
        client.proof(header={"typ": "JWT"}),
        client.proof(header={"jwk": client.key.as_dict(private=True)}),
        client.proof(header={"jwk": ECKey.generate_key("P-256").as_dict(private=False)}),
    ] + [client.proof(**{name: None}) for name in ["jti", "htm", "htu", "iat", "ath"]]
    for proof in wrong:
        expect_refused(server.get("/photos/7", fields=client.fields(proof)), "invalid_dpop_proof")
    expect_refused(server.get("/photos/7", fields=client.fields()), "invalid_dpop_proof")
    twice = client.fields(client.proof(), client.proof())
    expect_refused(server.get("/photos/7", fields=twice), "invalid_dpop_proof")
    spoofed = client.fields(client.proof()) + [("X-Forwarded-Host", "evil.example")]
    assert server.get("/photos/7", fields=spoofed).status == 200


def test_another_key_than_the_tokens_is_refused(start, base, signer, client):
    server = start()
    thief = Client(base, signer)
    thief.token = client.token
    expect_refused(server.get("/photos/7", fields=thief.fields(thief.proof())), "invalid_token")


def test_each_scheme_refuses_the_tokens_of_the_other(start, base, signer, client):
    server = start()
    answer = server.get("/photos/7", client.token, fields=[("DPoP", client.proof())])
    assert answer.status == 401
    assert [scheme for scheme, _ in answer.challenges] == ["Bearer", "DPoP"]
    assert answer.challenges[0][1]["error"] == "invalid_token"
    assert "error" not in answer.challenges[1][1]
    client.token = signer.token(f"{base}/photos", "photos.read")
    assert server.get("/photos/7", client.token).status == 200
    expect_refused(server.get("/photos/7", fields=client.fields(client.proof())), "invalid_token")


def test_where_bound_tokens_are_required_others_are_refused(start, base, signer, client):
    server = start(dpop_bound_access_tokens_required=True)
    expect_refused(server.get("/photos/7", signer.token(f"{base}/photos", "photos.read")), "invalid_token")
    assert server.get("/photos/7", fields=client.fields(client.proof())).status == 200
    assert [scheme for scheme, _ in server.get("/photos/7").challenges] == ["DPoP"]


def test_a_nonce_is_required_and_issued(start, client):
    server = start({"nonce": "required", "nonce_lifetime_seconds": 1})
    answer = server.get("/photos/7", fields=client.fields(client.proof()))
    expect_refused(answer, "use_dpop_nonce")
    nonce = answer.one("DPoP-Nonce")
    answer = server.get("/photos/7", fields=client.fields(client.proof(nonce=nonce)))
    assert answer.status == 200, answer
    assert answer.one("DPoP-Nonce")
    assert answer.one("Cache-Control") == "no-store"
    expect_refused(server.get("/photos/7", fields=client.fields(client.proof(nonce="x"))), "use_dpop_nonce")
    deadline = time.monotonic() + 20
    while True:
        answer = server.get("/photos/7", fields=client.fields(client.proof(nonce=nonce)))
        if answer.status == 401:
            break
        assert time.monotonic() < deadline, "an old nonce is accepted forever"
        time.sleep(0.3)
    expect_refused(answer, "use_dpop_nonce")
    fresh = answer.one("DPoP-Nonce")
    assert fresh != nonce
    assert server.get("/photos/7", fields=client.fields(client.proof(nonce=fresh))).status == 200


def test_servers_with_the_same_key_accept_each_others_nonces(serve, start, base, signer, client):
    dpop = {"nonce": "required", "nonce_keys": [encoded(bytes(32))]}
    first = start(dpop)
    configuration = photos_and_notes(
        base, ISSUER, authorization_server={"jwks": signer.jwks}, tokens={"dpop": dpop}
    )
    configuration["resources"][0]["metadata"]["dpop_signing_alg_values_supported"] = ["ES256"]
    second = serve(configuration)
    nonce = first.get("/photos/7", fields=client.fields(client.proof())).one("DPoP-Nonce")
    answer = second.get("/photos/7", fields=client.fields(client.proof(nonce=nonce)))
    assert answer.status == 200, answer


def test_a_full_table_of_proofs_refuses_and_evicts_nothing(start, client):
    server = start({"replay_cache_entries": 2})
    proof = client.proof()
    assert server.get("/photos/7", fields=client.fields(proof)).status == 200
    answer = server.get("/photos/7", fields=client.fields(client.proof()))
    assert answer.status == 503
    assert answer.one("Retry-After")
    assert answer.challenges == []
    expect_refused(server.get("/photos/7", fields=client.fields(proof)), "invalid_dpop_proof")


def test_records_and_keys_survive_a_reload(start, client):
    server = start({"nonce": "required"})
    nonce = server.get("/photos/7", fields=client.fields(client.proof())).one("DPoP-Nonce")
    proof = client.proof(nonce=nonce)
    assert server.get("/photos/7", fields=client.fields(proof)).status == 200
    server.program.send(signal.SIGHUP)
    wait_until(lambda: "reload: the file is in use" in server.errors, 10, "the file is read again")
    expect_refused(server.get("/photos/7", fields=client.fields(proof)), "invalid_dpop_proof")
    assert server.get("/photos/7", fields=client.fields(client.proof(nonce=nonce))).status == 200


def test_no_token_and_no_proof_is_logged(start, client):
    server = start()
    proof = client.proof("/photos/8")
    server.get("/photos/7", fields=client.fields(proof))
    server.get("/photos/7", client.token)
    assert client.token not in server.errors
    assert proof not in server.errors
