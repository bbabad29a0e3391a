# SPDX-License-Identifier: MIT
"""Keys, tokens, proofs and the certificate: the material of the requests, the same for every server."""

import base64
import hashlib
import json
import os
import secrets
import shutil
import subprocess
import time

from . import needs

ISSUER = "https://as.example.com"
OPAQUE_ISSUER = "https://opaque.example.com"
ORIGIN = "https://bench.example.com"
AUDIENCE = ORIGIN
ALGORITHMS = {"RS256": "rs", "ES256": "es", "Ed25519": "ed"}
PUBLIC_MEMBERS = ("kty", "crv", "x", "y", "n", "e", "kid", "use", "alg")
KEPT_SECONDS = 12 * 3600


def encoded(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def public(key):
    return {name: key[name] for name in PUBLIC_MEMBERS if name in key}


def thumbprint(key):
    """RFC 7638 §3, for an elliptic-curve key."""
    members = {name: key[name] for name in ("crv", "kty", "x", "y")}
    return encoded(hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest())


class Material:
    """Made once and kept for half a day, because a hundred thousand RSA signatures take a minute."""

    def __init__(self):
        self.mint = needs.program("BENCHMARK_MINT", "benchmark-mint")
        self.folder = os.path.join(needs.WORK, "material")
        stamp = os.path.join(self.folder, "stamp")
        if not os.path.exists(stamp) or time.time() - os.path.getmtime(stamp) > KEPT_SECONDS:
            shutil.rmtree(self.folder, ignore_errors=True)
            os.makedirs(self.folder)
            with open(stamp, "w", encoding="ascii"):
                pass
        self.keys = {name: self.key(name, kid) for name, kid in ALGORITHMS.items()}
        # Forged tokens name the ES256 key, but this key signs them.
        self.forger = self.key("ES256", "es", "forger")
        self.client = self.key("ES256", "client", "client")
        del self.client["kid"]

    def path(self, name):
        return os.path.join(self.folder, name)

    def key(self, algorithm, kid, name=None):
        path = self.path(f"{name or algorithm}.jwk")
        if not os.path.exists(path):
            text = subprocess.run([self.mint, "key", algorithm, kid], check=True, capture_output=True).stdout
            with open(path, "wb") as file:
                file.write(text)
        with open(path, "rb") as file:
            return json.load(file)

    @property
    def key_set(self):
        return {"keys": [public(key) for key in self.keys.values()]}

    @property
    def peers_key_set(self):
        """A file of the keys that every peer supports; JWTKit knows Ed25519 only as EdDSA."""
        path = self.path("jwks.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"keys": [public(self.keys[name]) for name in ("RS256", "ES256")]}, file)
        return path

    def claims(self, **others):
        now = int(os.path.getmtime(self.path("stamp")))
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "user", "client_id": "app", "scope": "read"}
        return {**claims, "iat": now, "exp": now + 2 * KEPT_SECONDS, **others}

    def sign(self, path, count, algorithm, key, header, claims):
        job = {"algorithm": algorithm, "key": key, "header": header, "claims": claims}
        with open(path + ".part", "wb") as file:
            subprocess.run([self.mint, "sign", str(count)], input=json.dumps(job).encode(), stdout=file, check=True)
        os.replace(path + ".part", path)
        return path

    def kept(self, name, make):
        path = self.path(name)
        if not os.path.exists(path):
            needs.say(f"making {name}")
            make(path)
        return path

    def tokens(self, algorithm, count):
        """A file of this many RFC 9068 access tokens."""
        return self.kept(
            f"{algorithm}.{count}",
            lambda path: self.sign(path, count, algorithm, self.keys[algorithm], {"typ": "at+jwt"}, self.claims()),
        )

    def token(self, algorithm):
        return first_line(self.tokens(algorithm, 1))

    def forged(self, count):
        """ES256 tokens with a known `kid`, each signed with another key."""
        return self.kept(
            f"forged.{count}",
            lambda path: self.sign(path, count, "ES256", self.forger, {"typ": "at+jwt"}, self.claims()),
        )

    def bound_token(self):
        """An ES256 token bound to the client's key. RFC 9449 §6.1."""
        claims = self.claims(cnf={"jkt": thumbprint(self.client)})
        return first_line(
            self.kept(
                "bound",
                lambda path: self.sign(path, 1, "ES256", self.keys["ES256"], {"typ": "at+jwt"}, claims),
            )
        )

    def proofs(self, path, count, uri, token):
        """Proofs for one URI, valid from now; RFC 9449 §4.2."""
        jwk = {name: self.client[name] for name in ("kty", "crv", "x", "y")}
        ath = encoded(hashlib.sha256(token.encode()).digest())
        claims = {"htm": "GET", "htu": uri, "iat": int(time.time()), "ath": ath}
        return self.sign(path, count, "ES256", self.client, {"typ": "dpop+jwt", "jwk": jwk}, claims)

    def opaque(self, count):
        def make(path):
            with open(path, "w", encoding="ascii") as file:
                file.writelines(secrets.token_urlsafe(32) + "\n" for _ in range(count))

        return self.kept(f"opaque.{count}", make)

    def certificate(self):
        """A self-signed P-256 certificate and its key."""
        paths = self.path("server.pem"), self.path("server.key")
        if not os.path.exists(paths[0]):
            words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost"
            subprocess.run([*words.split(), "-out", paths[0], "-keyout", paths[1]], check=True, capture_output=True)
        return paths


def first_line(path):
    with open(path, encoding="ascii") as file:
        return file.readline().strip()
