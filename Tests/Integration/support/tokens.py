# SPDX-License-Identifier: MIT
"""Access tokens signed by joserfc, for tests that do not depend on the source of the keys."""

import time

from joserfc import jwt
from joserfc.jwk import ECKey

from . import secrecy

ISSUER = "https://as.example.com"


class Signer:
    def __init__(self, issuer=ISSUER):
        self.issuer = issuer
        self.key = ECKey.generate_key("P-256", {"kid": "one", "alg": "ES256", "use": "sig"})

    def rotate(self, name):
        """Adds another key with another key ID, and removes the old one."""
        self.key = ECKey.generate_key("P-256", {"kid": name, "alg": "ES256", "use": "sig"})

    @property
    def jwks(self):
        return {"keys": [self.key.as_dict(private=False)]}

    def token(self, audience, scope, **others):
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": audience,
            "sub": "user",
            "client_id": "app",
            "iat": now,
            "exp": now + 600,
            "jti": f"{time.monotonic_ns()}",
            "scope": scope,
            **others,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        token = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": self.key.kid}, claims, self.key)
        secrecy.note(token)
        return token
