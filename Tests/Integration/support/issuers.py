# SPDX-License-Identifier: MIT
"""Authorization servers that are not ours, each started with two resources and what it needs to issue for them.

Each has a Python of its own, or its Debian packages, which `Tests/run --all` fetches. A class is a server: `jwt`
and `opaque` return an access token for a resource, `untargeted` one for no resource, `id_token` an ID token or None.
`introspection` has the credentials of the resource server.
"""

import http.cookiejar
import json
import os
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from . import secrecy, web
from .processes import Program, free_port, is_open, wait_until

HERE = os.path.dirname(os.path.abspath(__file__))
SCOPES = "photos.read"


class Absent(Exception):
    """The server has not been fetched."""


def python(variable):
    path = os.environ.get(variable)
    if not path:
        raise Absent(f"{variable} names no Python with it; Tests/run --all makes one")
    return path


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


class Issuer:
    """What all have in common."""

    issues_jwts = True
    issues_opaque_tokens = False
    #: The numbers of suggested edits after which a JWT may be accepted; None if no setting is sound.
    jwt_edits = {1}
    #: The number for an opaque token.
    opaque_edits = 1
    #: Whether introspection answers name the audience.
    introspects_audience = True

    def __init__(self, folder, resources):
        self.folder, self.resources = folder, resources
        self.port = free_port()
        self.base = self.issuer = f"http://127.0.0.1:{self.port}"
        os.makedirs(folder)
        self.program = self.start()

    def stop(self):
        self.program.stop()

    def run(self, *command, environment=None, is_ready=None):
        program = Program(list(command), self.folder, "issuer", environment)
        if is_ready:
            assert program.line(60) == is_ready, program.errors
        else:
            wait_until(lambda: is_open(self.port), 60, f"the server listens: {program.errors}")
        return program

    def ask(self, path, members, client, secret):
        # RFC 6749 §2.3.1: both are encoded as form values before they are joined.
        credentials = web.basic(urllib.parse.quote_plus(client), urllib.parse.quote_plus(secret))
        answer = web.post_form(self.base + path, members, credentials)
        assert answer.status == 200, answer
        if "id_token" in answer.json:
            secrecy.note(answer.json["id_token"])
        return answer.json

    def makers(self):
        """The functions that make access tokens for a resource."""
        names = ["jwt"] * self.issues_jwts + ["opaque"] * self.issues_opaque_tokens
        return [getattr(self, name) for name in names]

    def id_token(self):
        return None


class Nanoidp(Issuer):
    """nanoidp: JWTs with `typ` JWT; RFC 8707."""

    client, secret = "app", "s3cret-of-the-app"

    def start(self):
        clients = [{"client_id": self.client, "client_secret": self.secret, "allowed_resources": self.resources}]
        settings = {
            "config_version": 1,
            "server": {"host": "127.0.0.1", "port": self.port},
            "oauth": {
                "issuer": self.issuer,
                "audience": "another-api",
                "scopes_supported": ["openid", "photos.read", "notes.read"],
                "clients": clients,
            },
        }
        users = {"config_version": 1, "users": {"alice": {"password": "s3cret-of-alice", "email": "alice@example.org"}}}
        # JSON is YAML.
        write(f"{self.folder}/settings.yaml", json.dumps(settings))
        write(f"{self.folder}/users.yaml", json.dumps(users))
        return self.run(python("NANOIDP_PYTHON"), "-m", "nanoidp", "--config", self.folder, "--port", self.port)

    def _token(self, **members):
        return self.ask("/token", {"scope": SCOPES, **members}, self.client, self.secret)

    def jwt(self, resource):
        return self._token(grant_type="client_credentials", resource=resource)["access_token"]

    def untargeted(self):
        return self._token(grant_type="client_credentials")["access_token"]

    def id_token(self):
        return self._token(
            grant_type="password",
            username="alice",
            password="s3cret-of-alice",
            scope="openid photos.read",
            resource=self.resources[0],
        )["id_token"]

    def introspection(self):
        return {"client_id": self.client, "client_secret": self.secret}


class Authgent(Issuer):
    """authgent-server: dynamic registration (RFC 7591), JWTs with `typ` JWT, RFC 8707."""

    def start(self):
        environment = {
            "AUTHGENT_SERVER_URL": self.issuer,
            "AUTHGENT_DATABASE_URL": f"sqlite+aiosqlite:///{self.folder}/authgent.db",
            "AUTHGENT_SECRET_KEY": "0123456789abcdef" * 4,
        }
        program = self.run(
            os.path.join(os.path.dirname(python("AUTHGENT_PYTHON")), "authgent-server"),
            *["run", "--host", "127.0.0.1", "--port", self.port],
            environment=environment,
        )
        answer = web.send_json(
            f"{self.base}/register",
            {
                "client_name": "app",
                "grant_types": ["client_credentials"],
                "scope": "photos.read notes.read",
                "token_endpoint_auth_method": "client_secret_basic",
                "allowed_resources": self.resources,
            },
        )
        assert answer.status == 201, answer
        secrecy.note_answer(answer)
        self.client, self.secret = answer.json["client_id"], answer.json["client_secret"]
        return program

    def _token(self, **members):
        members = {"grant_type": "client_credentials", "scope": SCOPES, **members}
        return self.ask("/token", members, self.client, self.secret)["access_token"]

    def jwt(self, resource):
        return self._token(resource=resource)

    def untargeted(self):
        return self._token()

    def introspection(self):
        return {"client_id": self.client, "client_secret": self.secret}


class Allauth(Issuer):
    """django-allauth: JWTs without `sub`, or opaque tokens; RFC 8707."""

    token_format = "jwt"

    def start(self):
        script = os.path.join(HERE, "allauth_server.py")
        words = [python("ALLAUTH_PYTHON"), script, self.port, self.folder, self.token_format]
        return self.run(*words, is_ready="ready")

    def _token(self, **members):
        return self.ask("/identity/o/api/token", members, "app", "s3cret-of-the-app")

    def _access_token(self, **members):
        return self._token(grant_type="client_credentials", scope=SCOPES, **members)["access_token"]

    def jwt(self, resource):
        return self._access_token(resource=resource)

    def untargeted(self):
        return self._access_token()

    def id_token(self):
        callback = "http://127.0.0.1/callback"
        browser = Browser()
        browser.get(f"{self.base}/log-in")
        question = {
            "response_type": "code",
            "client_id": "app",
            "redirect_uri": callback,
            "scope": "openid photos.read",
            "nonce": "n",
            "resource": self.resources[0],
        }
        code = browser.code(f"{self.base}/identity/o/authorize?{urllib.parse.urlencode(question)}")
        return self._token(grant_type="authorization_code", code=code, redirect_uri=callback)["id_token"]

    def introspection(self):
        return {"client_id": "resource-server", "client_secret": "s3cret-of-the-resource-server"}


class OpaqueAllauth(Allauth):
    token_format = "opaque"
    issues_jwts, issues_opaque_tokens = False, True

    def opaque(self, resource):
        return self._access_token(resource=resource)


class Canaille(Issuer):
    """Canaille: JWTs without scopes for users, opaque tokens for clients; times with fractions."""

    jwt_edits = None
    issues_opaque_tokens = True

    def start(self):
        script = os.path.join(HERE, "canaille_server.py")
        return self.run(python("CANAILLE_PYTHON"), script, self.port, *self.resources, is_ready="ready")

    def _token(self, client, **members):
        return self.ask("/oauth/token", {"scope": "openid photos.read", **members}, client, "s3cret-of-the-app")

    def _client(self, resource):
        return "app" if resource == self.resources[0] else "other-app"

    def jwt(self, resource):
        user = {"grant_type": "password", "username": "alice", "password": "s3cret-of-alice"}
        return self._token(self._client(resource), **user)["access_token"]

    def opaque(self, resource):
        return self._token(self._client(resource), grant_type="client_credentials")["access_token"]

    def untargeted(self):
        return self._token("plain-app", grant_type="client_credentials")["access_token"]

    def introspection(self):
        return {"client_id": self.resources[0], "client_secret": "s3cret-of-the-resource"}


class Lemonldap(Issuer):
    """LemonLDAP::NG: JWTs, opaque tokens, ID tokens that name the API; introspection without `aud`."""

    issues_opaque_tokens = True
    # Versions before 2.20 write the type JWT.
    jwt_edits = {0, 1}
    opaque_edits = 2
    introspects_audience = False

    def start(self):
        self.root = os.environ.get("LEMONLDAP_ROOT")
        if not self.root:
            raise Absent("LEMONLDAP_ROOT names no folder with its packages; Tests/run --all makes one")
        for name in ("configuration", "sessions", "persistent", "locks", "cache", "perl/Portcullis"):
            os.makedirs(f"{self.folder}/{name}")
        write(f"{self.folder}/configuration/lmConf-1.json", json.dumps(self._configuration()))
        write(f"{self.folder}/lemonldap-ng.ini", self._ini())
        # The package's own captcha needs a graphics library.
        write(
            f"{self.folder}/perl/Portcullis/NoCaptcha.pm",
            "package Portcullis::NoCaptcha; use Mouse; extends 'Lemonldap::NG::Portal::Main::Plugin'; sub init { 1 } 1;",
        )
        environment = {
            "PERL5LIB": f"{self.folder}/perl:{self.root}/usr/share/perl5",
            "LLNG_DEFAULTCONFFILE": f"{self.folder}/lemonldap-ng.ini",
        }
        portal = "use Lemonldap::NG::Portal::Main; Lemonldap::NG::Portal::Main->run({})"
        words = ["plackup", "--host", "127.0.0.1", "-p", self.port, "-s", "HTTP::Server::PSGI", "-E", "deployment"]
        return self.run(*words, "-e", portal, environment=environment)

    def _ini(self):
        cache = f"'cache_root' => '{self.folder}/cache', 'cache_depth' => 3"
        return f"""
[all]
logLevel = warn
logger = Lemonldap::NG::Common::Logger::Std
userLogger = Lemonldap::NG::Common::Logger::Std
checkTime = 600
[configuration]
type = File
dirName = {self.folder}/configuration
localStorage = Cache::FileCache
localStorageOptions = {{ 'namespace' => 'c', 'default_expires_in' => 600, {cache} }}
[portal]
staticPrefix = /static
templateDir = {self.root}/usr/share/lemonldap-ng/portal/templates
languages = en
[handler]
"""

    def _configuration(self):
        def openssl(*words, text=None):
            done = subprocess.run(["openssl", *words], input=text, check=True, capture_output=True, text=True)
            return done.stdout

        def storage(name):
            return {"Directory": f"{self.folder}/{name}", "LockDirectory": f"{self.folder}/locks"}

        def client(name, resource, is_jwt):
            options = {
                "ClientID": name,
                "ClientSecret": f"s3cret-of-{name}",
                "AllowClientCredentialsGrant": 1,
                "AllowPasswordGrant": 1,
                "AccessTokenJWT": is_jwt,
                "IDTokenSignAlg": "RS256",
                "BypassConsent": 1,
                "UserIDAttr": "uid",
                **({"AdditionalAudiences": resource} if resource else {}),
            }
            return {f"oidcRPMetaDataOptions{option}": value for option, value in options.items()}

        photos, notes = self.resources[:2]
        clients = {
            "jwt-app": client("jwt-app", photos, 1),
            "other-jwt-app": client("other-jwt-app", notes, 1),
            "plain-jwt-app": client("plain-jwt-app", None, 1),
            "app": client("app", photos, 0),
            "resource-server": client("resource-server", None, 0),
        }
        key = openssl("genrsa", "2048")
        return {
            "cfgNum": 1,
            "cfgAuthor": "test",
            "cfgDate": 1,
            "domain": "127.0.0.1",
            "portal": f"{self.base}/",
            "authentication": "Demo",
            "userDB": "Same",
            "passwordDB": "Demo",
            "registerDB": "Null",
            "globalStorage": "Apache::Session::File",
            "globalStorageOptions": storage("sessions"),
            "persistentStorage": "Apache::Session::File",
            "persistentStorageOptions": storage("persistent"),
            "key": "0123456789abcdef",
            "securedCookie": 0,
            "captcha": "Portcullis::NoCaptcha",
            "requireToken": 0,
            "locationRules": {"127.0.0.1": {"default": "accept"}},
            "exportedHeaders": {},
            "macros": {},
            "groups": {},
            "whatToTrace": "uid",
            "exportedVars": {"uid": "uid"},
            "demoExportedVars": {"uid": "uid"},
            "issuerDBOpenIDConnectActivation": 1,
            "oidcServiceMetaDataIssuer": self.issuer,
            "oidcServicePrivateKeySig": key,
            "oidcServicePublicKeySig": openssl("rsa", "-pubout", text=key),
            "oidcServiceKeyIdSig": "llng-1",
            "oidcRPMetaDataOptions": clients,
            "oidcRPMetaDataExportedVars": {name: {} for name in clients},
            "oidcRPMetaDataScopeRules": {name: {"photos.read": "1"} for name in clients},
        }

    def _token(self, client, **members):
        members = {"scope": SCOPES, **(members or {"grant_type": "client_credentials"})}
        return self.ask("/oauth2/token", members, client, f"s3cret-of-{client}")

    def jwt(self, resource):
        return self._token("jwt-app" if resource == self.resources[0] else "other-jwt-app")["access_token"]

    def opaque(self, resource):
        return self._token("app")["access_token"]

    def untargeted(self):
        return self._token("plain-jwt-app")["access_token"]

    def id_token(self):
        user = {"grant_type": "password", "username": "dwho", "password": "dwho", "scope": "openid photos.read"}
        return self._token("jwt-app", **user)["id_token"]

    def introspection(self):
        return {"client_id": "resource-server", "client_secret": "s3cret-of-resource-server"}


class Browser:
    """A browser with cookies that follows no redirect."""

    class _Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    def __init__(self):
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies, self._Stay)

    def get(self, url):
        try:
            return self._opener.open(url, timeout=10)
        except urllib.error.HTTPError as answer:
            assert answer.code < 400, answer
            return answer

    def code(self, url):
        """The authorization code in the redirect that answers."""
        target = self.get(url).headers["Location"]
        return urllib.parse.parse_qs(urllib.parse.urlsplit(target).query)["code"][0]


ALL = {
    "nanoidp": Nanoidp,
    "authgent-server": Authgent,
    "django-allauth": Allauth,
    "django-allauth, opaque": OpaqueAllauth,
    "Canaille": Canaille,
    "LemonLDAP::NG": Lemonldap,
}
