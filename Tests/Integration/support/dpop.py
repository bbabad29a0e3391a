# SPDX-License-Identifier: MIT
"""The tests' own DPoP client: joserfc makes its keys, tokens and proofs (RFC 9449)."""

import base64
import hashlib
import json
import time
import uuid

from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

KEYS = {
    "ES256": lambda: ECKey.generate_key("P-256"),
    "ES384": lambda: ECKey.generate_key("P-384"),
    "RS256": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519"),
}


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Client:
    """A client with a key, which makes proofs by RFC 9449 section 4.2."""

    def __init__(self, base, signer, algorithm="ES256"):
        self.base, self.algorithm = base, algorithm
        self.key = KEYS[algorithm]()
        confirmation = {"jkt": self.key.thumbprint()}
        self.token = signer.token(f"{base}/photos", "photos.read", cnf=confirmation)

    def proof(self, path="/photos/7", method="GET", header=None, **changes):
        claims = {
            "jti": str(uuid.uuid4()),
            "htm": method,
            "htu": self.base + path,
            "iat": int(time.time()),
            "ath": encoded(hashlib.sha256(self.token.encode()).digest()),
            **changes,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        head = {"typ": "dpop+jwt", "alg": self.algorithm, "jwk": self.public_key, **(header or {})}
        registry = jws.JWSRegistry(algorithms=list(KEYS))
        return jws.serialize_compact(head, json.dumps(claims).encode(), self.key, registry=registry)

    @property
    def public_key(self):
        members = self.key.as_dict(private=False)
        return {name: value for name, value in members.items() if name != "kid"}

    def fields(self, *proofs):
        return [("Authorization", f"DPoP {self.token}")] + [("DPoP", proof) for proof in proofs]
