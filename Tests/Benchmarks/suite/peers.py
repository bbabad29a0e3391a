# SPDX-License-Identifier: MIT
"""Other servers that guard a route with the same tokens: Hummingbird with JWTKit, and Apache with mod_oauth2.
"""

import json
import os

from . import needs
from .material import AUDIENCE, ISSUER, first_line, public
from .nginx import TEXT
from .processes import free_port
from .target import Target


class Peer:
    """A server with a guarded route for each algorithm."""

    def guarded(self, algorithm):
        fields = {"Authorization": f"Bearer {self.material.token(algorithm)}"}
        target = GuardedPeer(
            f"{self.name} {algorithm}",
            self.process,
            self.port,
            self.path_of(algorithm),
            body=TEXT.encode(),
            fields=fields,
        )
        target.forged = first_line(self.material.forged(1))
        return target


class GuardedPeer(Target):
    """Checks the peer without a token and with a forged one: a peer that accepts either measures nothing."""

    def verify(self):
        for fields in ({}, {"Authorization": f"Bearer {self.forged}"}):
            connection = self.connect()
            connection.request("GET", self.path, headers=fields)
            status = connection.getresponse().status
            connection.close()
            if status != 401:
                raise needs.Wrong(f"{self.name} answers {status} where 401 should be.")
        return super().verify()


class Hummingbird(Peer):
    """Hummingbird 2 with JWTKit 5, in its own package, which only this suite builds."""

    name = "Hummingbird"

    def __init__(self, stage):
        self.material, self.port = stage.material, free_port()
        program = os.environ.get("HUMMINGBIRD_PEER") or needs.swift_product(
            "hummingbird-peer",
            os.path.join(needs.BENCHMARKS, "HummingbirdPeer"),
            os.path.join(needs.WORK, "hummingbird"),
        )
        words = [os.path.abspath(program), str(self.port), self.material.peers_key_set, ISSUER, AUDIENCE]
        self.process = stage.start(words, "hummingbird")
        stage.wait_for(self.process, self.port)

    def path_of(self, algorithm):
        return "/api/hello"

    def trivial(self):
        return Target("Hummingbird trivial", self.process, self.port, "/hello", body=TEXT.encode())


MODULES = "/usr/lib/apache2/modules"
APACHE = """
ServerRoot {folder}
PidFile {folder}/apache.pid
Listen 127.0.0.1:{port}
ServerName 127.0.0.1
User nobody
Group nogroup
ErrorLog {folder}/apache-errors.log
LogLevel crit
DocumentRoot {folder}/site
DefaultRuntimeDir {folder}
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule oauth2_module {modules}/mod_oauth2.so
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 600
StartServers 2
ServerLimit 4
ThreadsPerChild 64
MaxRequestWorkers 256
EnableSendfile On
"""
LOCATION = """
<Location /{algorithm}>
    AuthType oauth2
    OAuth2TokenVerify jwk "{key}" verify.exp=required
    <RequireAll>
        Require oauth2_claim iss:{issuer}
        Require oauth2_claim aud:{audience}
        Require oauth2_claim scope:read
    </RequireAll>
</Location>
"""


class Apache(Peer):
    """Apache 2.4 with mod_oauth2 from Debian, with a location and a key for each algorithm."""

    name = "Apache"

    def __init__(self, stage):
        self.material, self.port = stage.material, free_port()
        if not os.path.exists(f"{MODULES}/mod_oauth2.so"):
            needs.install("apache2-bin", "libapache2-mod-oauth2")
        program = needs.tool("apache2-bin", "/usr/sbin/apache2")
        text = APACHE.format(folder=stage.folder, port=self.port, modules=MODULES)
        for algorithm in ("RS256", "ES256"):
            key = json.dumps(public(self.material.keys[algorithm])).replace('"', '\\"')
            text += LOCATION.format(algorithm=algorithm, key=key, issuer=ISSUER, audience=AUDIENCE)
            os.makedirs(stage.path(f"site/{algorithm}"))
            with open(stage.path(f"site/{algorithm}/hello"), "w", encoding="ascii") as file:
                file.write(TEXT)
        os.chmod(stage.folder, 0o755)
        path = stage.write("apache.conf", text)
        self.process = stage.start([program, "-f", path, "-D", "FOREGROUND"], "apache")
        stage.wait_for(self.process, self.port)

    def path_of(self, algorithm):
        return f"/{algorithm}/hello"
