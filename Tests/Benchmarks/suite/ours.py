# SPDX-License-Identifier: MIT
"""The example server with a route for each measurement, and its targets."""

import json
import subprocess
import time

from . import needs
from .material import ALGORITHMS, AUDIENCE, ISSUER, OPAQUE_ISSUER, ORIGIN
from .nginx import LARGE, TEXT
from .processes import free_port
from .target import Target

WELL_KNOWN = "/.well-known/oauth-protected-resource"
HELLO = {"text": TEXT}
TOKEN_COUNT = 100_000
REMEMBERED_COUNT = 10_000


def resource(name, tokens, issuer=ISSUER, **metadata):
    return {
        "metadata": {
            "resource": f"{ORIGIN}/{name}",
            "authorization_servers": [issuer],
            "scopes_supported": ["read"],
            "bearer_methods_supported": ["header"],
            **metadata,
        },
        "tokens": {"audiences": [AUDIENCE], **tokens},
        "routes": [{"path": f"/{name}/hello", "scopes": ["read"], "respond": HELLO}],
    }


def configuration(material, introspection_endpoint, tls=None, status_list=None):
    jwt = {"algorithms": list(ALGORITHMS)}
    opaque = {"format": "opaque"}
    server = {"limits": {"max_connections": 12000, "idle_timeout_seconds": 600}}
    if tls:
        server["tls"] = {"certificate": tls[0], "private_key": tls[1]}
    return {
        "server": server,
        "authorization_servers": [
            {"issuer": ISSUER, "jwks": material.key_set, **(status_list.settings if status_list else {})},
            {
                "issuer": OPAQUE_ISSUER,
                "introspection": {
                    "endpoint": introspection_endpoint,
                    "client_id": "rs",
                    "client_secret": "secret",
                },
                "allow_insecure_loopback": True,
            },
        ],
        "resources": [
            resource("api", jwt),
            resource("cold", {**jwt, "verified_cache_entries": REMEMBERED_COUNT}),
            # Room for the tokens of all three algorithms, in any distribution of the entries.
            resource("warm", {**jwt, "verified_cache_entries": 8 * TOKEN_COUNT}),
            resource("opaque/cold", {**opaque, "introspection_cache_seconds": 0}, OPAQUE_ISSUER),
            resource("opaque/warm", opaque, OPAQUE_ISSUER),
            resource("dpop", jwt, dpop_signing_alg_values_supported=["ES256"]),
        ],
        "public_routes": [
            {"path": "/hello", "respond": HELLO},
            {"path": "/large", "respond": {"text": LARGE}},
            {"path": "/upload", "methods": ["POST"], "respond": HELLO},
            {"path": "/echo", "methods": ["POST"], "respond": "echo"},
            {"path": "/stream", "respond": {"stream": 10}},
        ],
    }


def program():
    return needs.program("EXAMPLE_SERVER", "example-server")


def start(servers, words, name="example-server", before=(), seconds=20, environment=None):
    """The process, its port, and the time from start to listening."""
    # A build is not part of the start.
    executable = program()
    begun = time.monotonic()
    process = servers.start([*before, executable, *words], name, environment, stdout=subprocess.PIPE)
    line = process.popen.stdout.readline().decode()
    took = time.monotonic() - begun
    if not line.startswith("listening on "):
        raise needs.Wrong(f"The example server did not start: {servers.log(process)}")
    return process, int(line.strip().rsplit(":", 1)[1]), took


class Ours:
    """The example server and its targets."""

    def __init__(
        self,
        servers,
        material,
        introspection_endpoint="http://127.0.0.1:1/",
        tls=None,
        loops=None,
        status_list=None,
        **options,
    ):
        name = "config-tls.json" if tls else "config.json"
        settings = configuration(material, introspection_endpoint, tls, status_list)
        self.status_list = status_list
        if loops:
            settings["server"]["event_loops"] = loops
        path = servers.write(name, json.dumps(settings))
        self.tls = tls is not None
        self.material = material
        self.process, self.port, _ = start(servers, ["--config", path, "--port", str(free_port())], **options)

    def target(self, name, path, body=TEXT.encode(), **options):
        return Target(name, self.process, self.port, path, body=body, tls=self.tls, **options)

    def trivial(self, name="trivial", **options):
        return self.target(name, "/hello", **options)

    def metadata(self):
        def is_right(content):
            return json.loads(content)["resource"] == f"{ORIGIN}/api"

        return self.target("metadata", f"{WELL_KNOWN}/api", body=is_right)

    def refused(self):
        return self.target("401", "/api/hello", body=None, status=401)

    def guarded(self, algorithm, name=None, **options):
        fields = {"Authorization": f"Bearer {self.material.token(algorithm)}"}
        return self.target(name or f"guarded {algorithm}", "/api/hello", fields=fields, **options)

    def withdrawable(self, claim="status"):
        """One token that a status list can withdraw, or with another claim one of the same length."""
        fields = {"Authorization": f"Bearer {self.status_list.token(claim)}"}
        return self.target(f"guarded ES256 with {claim}", "/api/hello", fields=fields)

    def distinct(self, algorithm, temperature):
        """A hundred thousand tokens in turn, of which the cache contains none or all."""
        if temperature == "warm":
            return self.series("warm", algorithm, TOKEN_COUNT, warm_up_requests=TOKEN_COUNT)
        # The cache is full of other tokens: it keeps those rather than tokens that occur once in a hundred
        # thousand requests.
        others = self.series("cold", algorithm, REMEMBERED_COUNT, warm_up_requests=2 * REMEMBERED_COUNT)
        return self.series("cold", algorithm, TOKEN_COUNT, predecessor=others)

    def series(self, temperature, algorithm, count, **options):
        return self.target(
            f"{temperature} {algorithm}",
            f"/{temperature}/hello",
            lines=self.material.tokens(algorithm, count),
            field="Authorization: Bearer ",
            **options,
        )

    def forged(self, **options):
        return self.target(
            "forged",
            "/api/hello",
            body=None,
            status=401,
            lines=self.material.forged(TOKEN_COUNT),
            field="Authorization: Bearer ",
            **options,
        )

    def introspected(self, temperature):
        """Cold: opaque tokens in turn, each introspected again. Warm: one token with a cached answer."""
        name, path = f"introspection {temperature}", f"/opaque/{temperature}/hello"
        if temperature == "cold":
            return self.target(name, path, lines=self.material.opaque(TOKEN_COUNT), field="Authorization: Bearer ")
        # Sent like the JWT that it is compared with: a script that builds each request slows wrk, not the
        # server.
        with open(self.material.opaque(1), encoding="ascii") as file:
            return self.target(name, path, fields={"Authorization": f"Bearer {file.readline().strip()}"})

    def dpop(self, count_for):
        return ProvenTarget(self, count_for)


class ProvenTarget(Target):
    """One bound token with a new proof in every request; the proofs are made before each measurement."""

    def __init__(self, ours, count_for):
        token = ours.material.bound_token()
        super().__init__(
            "DPoP",
            ours.process,
            ours.port,
            "/dpop/hello",
            body=TEXT.encode(),
            lines=ours.material.path("proofs"),
            field=f"Authorization: DPoP {token}\r\nDPoP: ",
        )
        self.material, self.token, self.count_for = ours.material, token, count_for

    def prepare(self, seconds):
        self.count = self.count_for(seconds)
        self.material.proofs(self.lines, self.count, f"{ORIGIN}/dpop/hello", self.token)
        self.offset = 0

    def verify(self):
        self.prepare(0)
        return super().verify()

    def checked(self, figures):
        figures = super().checked(figures)
        if figures["requests"] + 2 * self.connections > self.count:
            raise needs.Wrong(f"DPoP: {self.count} proofs were too few.")
        return figures
