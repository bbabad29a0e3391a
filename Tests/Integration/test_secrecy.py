# SPDX-License-Identifier: MIT
"""Runs last: nothing that any test used as a token or secret was said by an example server."""

from support import secrecy
from support.example_server import photos_and_notes
from support.tokens import ISSUER, Signer


def test_the_search_finds_a_secret_where_there_is_one(monkeypatch):
    monkeypatch.setattr(secrecy, "_said", [("here", "a line with payload-of-a-token in it")])
    monkeypatch.setattr(secrecy, "_secrets", set())
    secrecy.note("header-of-a-token.payload-of-a-token.signature-of-a-token")
    assert secrecy.leaks() == ["here: 1 secrets, one of 18 characters"]


def test_no_token_and_no_secret_was_said_by_any_example_server(serve, base):
    signer = Signer()
    configured = photos_and_notes(base, ISSUER, authorization_server={"jwks": signer.jwks})
    example = serve(configured, base)
    for token in [signer.token(f"{base}/photos", "photos.read"), signer.token(f"{base}/other", None), "A" * 40]:
        example.get("/photos/7", token)
        example.get(f"/photos/7?access_token={token}")
    example.stop()
    secrets, texts = secrecy.counts()
    assert secrets > 2 and texts > 5
    assert secrecy.leaks() == []
