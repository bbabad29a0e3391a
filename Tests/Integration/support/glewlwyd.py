# SPDX-License-Identifier: MIT
"""Glewlwyd, an authorization server in C from Debian: OpenID Connect plug-in, SQLite, RFC 9068 access tokens.

It signs with GnuTLS and publishes keys with its own JOSE library, so no code is shared with us.
"""

import base64
import os
import sqlite3
import subprocess

from . import web
from .example_server import ROOT
from .processes import Program, free_port, is_open, wait_until

CLIENT, SECRET = "app", "s3cret-of-the-app"

#: How each key is made; the name is the plug-in's `jwt-type`, the algorithm is the tokens' `alg`.
KEY_KINDS = {
    "ecdsa": ("ES256", ["ecparam", "-genkey", "-name", "prime256v1", "-noout"]),
    "rsa": ("RS256", ["genrsa", "2048"]),
    "rsa-pss": ("PS256", ["genrsa", "2048"]),
    "eddsa": ("EdDSA", ["genpkey", "-algorithm", "ed25519"]),
}


def installation():
    """The unpacked Debian package of Tests/run, or the installed one."""
    unpacked = os.path.join(ROOT, ".build-integration", "glewlwyd")
    return unpacked if os.path.exists(f"{unpacked}/usr/bin/glewlwyd") else "/"


def key_pair(kind, short=False):
    """A private and a public key in PEM, made by the openssl command.

    One P-256 key in 128 has a coordinate that begins with a zero byte. Glewlwyd publishes it without the
    byte, which RFC 7518 §6.2.1.2 forbids and we refuse: such keys are made only on request.
    """
    _, words = KEY_KINDS[kind]
    while True:
        private = subprocess.run(["openssl", *words], check=True, capture_output=True).stdout
        public = subprocess.run(["openssl", "pkey", "-pubout"], input=private, check=True, capture_output=True).stdout
        if kind != "ecdsa" or has_short_coordinate(public) == short:
            return private.decode(), public.decode()


def has_short_coordinate(public):
    """Whether a coordinate of a P-256 key begins with a zero byte: the last 64 bytes of DER are both of them.
    """
    lines = public.decode().splitlines()
    point = base64.b64decode("".join(lines[1:-1]))[-64:]
    return point[0] == 0 or point[32] == 0


class Glewlwyd:
    def __init__(self, folder, resources, kind="ecdsa", short=False):
        self.root = installation()
        self.folder = os.path.join(folder, "glewlwyd")
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}/api"
        self.issuer = f"{self.base}/oidc"
        self.program = None
        os.makedirs(self.folder)
        self._prepare_database()
        self.start()
        self._log_in()
        for scope in sorted({scope for scopes in resources.values() for scope in scopes}):
            self._admin("POST", "/scope/", {"name": scope, "display_name": scope})
        self._install(kind, resources, short)
        self.resources = resources
        self._admin(
            "POST",
            "/client/",
            {
                "client_id": CLIENT,
                "name": CLIENT,
                "client_secret": SECRET,
                "confidential": True,
                "enabled": True,
                "authorization_type": ["client_credentials"],
                "token_endpoint_auth_method": ["client_secret_basic"],
                "redirect_uri": ["http://127.0.0.1/callback"],
                "scope": sorted({scope for scopes in resources.values() for scope in scopes}),
            },
        )

    # The interface for resource servers and clients.

    def token(self, scope, resource):
        answer = web.post_form(
            f"{self.issuer}/token",
            {
                "grant_type": "client_credentials",
                "scope": scope,
                **({"resource": resource} if resource else {}),
            },
            web.basic(CLIENT, SECRET),
        )
        assert answer.status == 200, answer
        return answer.json["access_token"]

    def revoke(self, token):
        answer = web.post_form(f"{self.issuer}/revoke", {"token": token}, web.basic(CLIENT, SECRET))
        assert answer.status == 200, answer

    # The interface for the operator.

    def rotate(self, kind="ecdsa"):
        """Signs with a new key from now on, and removes the old key."""
        parameters = self._parameters(kind, self.resources)
        self._admin("PUT", "/mod/plugin/oidc", parameters)
        self._admin("PUT", "/mod/plugin/oidc/reset", None)

    def start(self):
        program = f"{self.root}/usr/bin/glewlwyd".replace("//", "/")
        self.program = Program([program, f"--config-file={self._configuration()}"], self.folder, "glewlwyd")
        wait_until(lambda: is_open(self.port), 15, f"glewlwyd listens: {self.program.errors}")

    def stop(self):
        if self.program is not None:
            self.program.stop()
            self.program = None

    def _prepare_database(self):
        script = f"{self.root}/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3"
        with open(script, encoding="utf-8") as file, sqlite3.connect(f"{self.folder}/glewlwyd.db") as base:
            base.executescript(file.read())

    def _configuration(self):
        modules = f"{self.root}/usr/lib/glewlwyd".replace("//", "/")
        text = f"""
            port={self.port}
            bind_address="127.0.0.1"
            external_url="http://127.0.0.1:{self.port}"
            login_url="login.html"
            api_prefix="api"
            log_mode="console"
            log_level="WARNING"
            cookie_domain="127.0.0.1"
            cookie_secure=0
            admin_session_authentication="cookie"
            admin_scope="g_admin"
            profile_scope="g_profile"
            user_module_path="{modules}/user"
            user_middleware_module_path="{modules}/user_middleware"
            client_module_path="{modules}/client"
            user_auth_scheme_module_path="{modules}/scheme"
            plugin_module_path="{modules}/plugin"
            hash_algorithm="SHA512"
            database={{ type="sqlite3" path="{self.folder}/glewlwyd.db" }};
        """
        path = f"{self.folder}/glewlwyd.conf"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def _log_in(self):
        # The administrator that the package's own database script creates.
        answer = web.send_json(f"{self.base}/auth/", {"username": "admin", "password": "password"})
        assert answer.status == 200, answer
        self.cookie = answer.one("Set-Cookie").split(";")[0]

    def _admin(self, method, path, value):
        answer = web.send_json(self.base + path, value, method, {"Cookie": self.cookie})
        assert answer.status == 200, f"{method} {path}: {answer} {self.program.errors}"

    def _install(self, kind, resources, short):
        self._admin("POST", "/mod/plugin/", self._parameters(kind, resources, short))

    def _parameters(self, kind, resources, short=False):
        private, public = key_pair(kind, short)
        by_scope = {}
        for resource, scopes in resources.items():
            for scope in scopes:
                by_scope.setdefault(scope, []).append(resource)
        return {
            "module": "oidc",
            "name": "oidc",
            "display_name": "oidc",
            "order_rank": 0,
            "readonly": False,
            "parameters": {
                "iss": self.issuer,
                "jwt-type": kind,
                "jwt-key-size": "256",
                "key": private,
                "cert": public,
                "access-token-duration": 3600,
                "refresh-token-duration": 3600,
                "code-duration": 600,
                "refresh-token-rolling": True,
                "allow-non-oidc": True,
                "auth-type-client-enabled": True,
                "auth-type-code-enabled": True,
                "auth-type-refresh-enabled": True,
                "jwks-show": True,
                "resource-allowed": True,
                "resource-client-property": "resource",
                "resource-scope": by_scope,
                "resource-scope-and-client-property": False,
                "introspection-revocation-allowed": True,
                "introspection-revocation-allow-target-client": True,
            },
        }
