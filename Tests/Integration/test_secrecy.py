# SPDX-License-Identifier: MIT
"""Runs last: no example server wrote a token or secret of any test, or the name of a Swift type or case."""

from support import secrecy
from support.example_server import photos_and_notes
from support.tokens import ISSUER, Signer


def test_the_search_finds_a_secret(monkeypatch):
    monkeypatch.setattr(secrecy, "_said", [("here", "a line with payload-of-a-token in it")])
    monkeypatch.setattr(secrecy, "_secrets", set())
    secrecy.note("header-of-a-token.payload-of-a-token.signature-of-a-token")
    assert secrecy.leaks() == ["here: 1 secrets, one of 18 characters"]


def test_every_kind_of_secret_is_searched_for(monkeypatch, folder):
    monkeypatch.setattr(secrecy, "_secrets", set())
    with open(f"{folder}/client.jwk", "w", encoding="utf-8") as file:
        file.write('{"kty": "EC", "d": "d-of-a-private-key"}')
    introspection = {
        "client_secret": "a secret/of a client",
        "bearer_token": "a-token-of-the-resource-server",
        "private_key": "client.jwk",
    }
    dpop = {"nonce_keys": ["a-key-that-nonces-are-sealed-with"]}
    secrecy.note_configuration(
        {
            "authorization_servers": [{"introspection": introspection}],
            "resources": [{"tokens": {"dpop": dpop}}],
        },
        folder,
    )
    fields = [("Authorization", "DPoP a-token-of-the-field"), ("DPoP", "header.payload-of-a-proof.signature-of-a-proof")]
    secrecy.note_request("http://a/b?access_token=a-token-of-the-query", fields, b"access_token=a-token-of-the-form")
    form = b"token=a-token-that-is-asked-about&client_assertion=header.payload-of-an-assertion.signature-of-an-assertion"
    secrecy.note_request("/introspect", [("Authorization", "Basic cnM6cGFzc3dvcmQlMkYgb2Y=")], form)
    for secret in [
        "a secret/of a client", "a+secret%2Fof+a+client", "a-token-of-the-resource-server", "d-of-a-private-key",
        "a-key-that-nonces-are-sealed-with", "a-token-of-the-field", "payload-of-a-proof", "signature-of-a-proof",
        "a-token-of-the-query", "a-token-of-the-form", "a-token-that-is-asked-about", "payload-of-an-assertion",
        "signature-of-an-assertion", "cnM6cGFzc3dvcmQlMkYgb2Y=", "password/ of",
    ]:  # fmt: skip
        monkeypatch.setattr(secrecy, "_said", [("here", f"before {secret} after")])
        assert len(secrecy.leaks()) == 1, secret


def test_no_example_server_wrote_a_token_or_a_secret(serve, base):
    signer = Signer()
    configured = photos_and_notes(base, ISSUER, authorization_server={"jwks": signer.jwks})
    example = serve(configured, base)
    for token in [signer.token(f"{base}/photos", "photos.read"), signer.token(f"{base}/other", None), "A" * 40]:
        example.get("/photos/7", token)
        example.get(f"/photos/7?access_token={token}")
    example.stop()
    secrets, texts = secrecy.counts()
    assert secrets > 2 and texts > 5
    assert any(origin == "the log of example-server" for origin in secrecy.origins())
    assert secrecy.leaks() == []


def test_the_search_finds_swift_names(monkeypatch):
    for text in ["PortcullisHTTP.Status", "FetchError.failed(x)", "noResponse(timedOut)", "Optional(1)", "a: .keyFound(1)"]:
        monkeypatch.setattr(secrecy, "_said", [("here", f"before {text} after")])
        assert len(secrecy.swift_names()) == 1, text
    words = "https://as.example: the answer has status 404 (not 200), refusal=invalidHost, jwks_uri (RFC 8414)"
    monkeypatch.setattr(secrecy, "_said", [("here", words)])
    assert secrecy.swift_names() == []


def test_no_example_server_wrote_a_swift_name():
    assert secrecy.swift_names() == []
