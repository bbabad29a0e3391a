# SPDX-License-Identifier: MIT
"""Django OAuth Toolkit, whose tokens are random strings that need introspection."""

import os
import sys

from . import web
from .processes import Program, free_port
from .toolkit_server import APP, APP_SECRET, RESOURCE_SERVER, RESOURCE_SERVER_SECRET


class Toolkit:
    def __init__(self, folder):
        self.folder = os.path.join(folder, "toolkit")
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}/o"
        os.makedirs(self.folder)
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "toolkit_server.py")
        self.program = Program([sys.executable, script, self.port, self.folder], self.folder, "toolkit")
        assert self.program.line(30) == "ready", self.program.errors

    def token(self, scope, resource=None):
        members = {"grant_type": "client_credentials", "scope": scope}
        if resource:
            members["resource"] = resource
        answer = web.post_form(f"{self.issuer}/token/", members, web.basic(APP, APP_SECRET))
        assert answer.status == 200, answer
        return answer.json["access_token"]

    def revoke(self, token):
        answer = web.post_form(f"{self.issuer}/revoke_token/", {"token": token}, web.basic(APP, APP_SECRET))
        assert answer.status == 200, answer

    def introspection(self, secret=RESOURCE_SERVER_SECRET):
        """The member of the example server's configuration that names this server's endpoint."""
        return {
            "endpoint": f"{self.issuer}/introspect/",
            "client_id": RESOURCE_SERVER,
            "client_secret": secret,
        }

    def stop(self):
        self.program.stop()
