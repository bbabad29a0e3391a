# SPDX-License-Identifier: MIT
"""Certificate-bound tokens whose certificate a trusted proxy sends in Client-Cert (RFC 8705, RFC 9440)."""

import base64
import hashlib

import pytest
from support.example_server import photos_and_notes
from support.tokens import ISSUER, Signer

DER = b"\x30\x03\x02\x01\x07"
FIELD = ":" + base64.b64encode(DER).decode() + ":"


@pytest.fixture
def signer():
    return Signer()


@pytest.fixture
def start(serve, base, signer):
    def begin(**server):
        configuration = photos_and_notes(base, ISSUER, server, authorization_server={"jwks": signer.jwks})
        del configuration["authorization_servers"][0]["allow_insecure_loopback"]
        configuration["resources"][0]["metadata"]["tls_client_certificate_bound_access_tokens"] = True
        return serve(configuration, base)

    return begin


@pytest.fixture
def token(base, signer):
    digest = base64.urlsafe_b64encode(hashlib.sha256(DER).digest()).rstrip(b"=").decode()
    return signer.token(f"{base}/photos", "photos.read", cnf={"x5t#S256": digest})


def test_the_field_of_a_trusted_proxy_counts(start, token):
    server = start(trusted_proxies=["127.0.0.1/32"], client_cert_field=True)
    answer = server.get("/photos/7", token, fields=[("Client-Cert", FIELD), ("Client-Cert-Chain", "x")])
    assert answer.status == 200, answer
    assert answer.json["binding"] == "mtls"
    assert answer.one("Vary") == "Client-Cert"
    for fields in [[], [("Client-Cert", ":MAMCAQg=:")]]:
        answer = server.get("/photos/7", token, fields=fields)
        assert answer.status == 401
        assert answer.challenge["error"] == "invalid_token"


@pytest.mark.parametrize("values", [["nonsense"], [":_-==:"], [FIELD, FIELD], [f"{FIELD}, {FIELD}"], [""]])
def test_a_malformed_field_of_a_trusted_proxy_is_a_bad_request(start, token, values):
    server = start(trusted_proxies=["127.0.0.1/32"], client_cert_field=True)
    answer = server.get("/photos/7", token, fields=[("Client-Cert", value) for value in values])
    assert answer.status == 400
    assert answer.challenges == []


@pytest.mark.parametrize(
    "server",
    [
        {},
        {"trusted_proxies": ["127.0.0.1/32"]},
        {"trusted_proxies": ["192.0.2.1/32"], "client_cert_field": True},
    ],
)
def test_the_field_of_an_untrusted_peer_is_ignored(start, base, signer, token, server):
    server = start(**server)
    assert server.get("/photos/7", token, fields=[("Client-Cert", FIELD)]).status == 401
    unbound = signer.token(f"{base}/photos", "photos.read")
    assert server.get("/photos/7", unbound, fields=[("Client-Cert", "nonsense")]).status == 200
