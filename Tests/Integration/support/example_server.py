# SPDX-License-Identifier: MIT
"""The example server as a program: its configuration file, its command line, its output."""

import json
import os
import re
import subprocess
import time

from . import secrecy, web
from .processes import Program

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def binary():
    """The program that EXAMPLE_SERVER names, or the last debug build."""
    named = os.environ.get("EXAMPLE_SERVER")
    if named:
        return os.path.abspath(named)
    folder = subprocess.run(
        ["swift", "build", "--show-bin-path"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    return os.path.join(folder, "example-server")


def is_release(path):
    return "/release/" in os.path.realpath(path)


class ExampleServer:
    """A running example server; `base` is the origin that it printed."""

    def __init__(self, path, arguments, folder, seconds=20):
        self.program = Program([path, *arguments], folder, "example-server")
        line = self.program.line(seconds)
        self.seconds_to_listening = time.monotonic() - self.program.started
        found = re.fullmatch(r"listening on (https?://[^ /]+:\d+)", line or "")
        if not found:
            status = self.program.stop()
            raise AssertionError(f"printed {line!r}, exit status {status}: {self.program.errors}")
        self.base = found.group(1)

    @property
    def errors(self):
        return self.program.errors

    def get(self, path, token=None, **options):
        return self.request("GET", path, token, **options)

    def request(self, method, path, token=None, fields=(), body=None, timeout=10):
        pairs = list(fields.items() if hasattr(fields, "items") else fields)
        if token is not None:
            pairs += web.bearer(token).items()
        answer = web.request(self.base + path, method, pairs, body, timeout)
        secrecy.said_in_answer(f"{method} {path.partition('?')[0]}", answer)
        return answer

    def stop(self):
        return self.program.stop()


def resource(identifier, issuers, scopes, routes, **others):
    """One entry of `resources`, with the members that every published document should have."""
    return {
        "metadata": {
            "resource": identifier,
            "authorization_servers": issuers,
            "scopes_supported": scopes,
            "bearer_methods_supported": ["header"],
        },
        "routes": routes,
        **others,
    }


def photos_and_notes(base, issuer, server=None, authorization_server=None, tokens=None):
    """Two resources that trust one issuer, with no more than a test adds."""
    others = {"tokens": tokens} if tokens else {}
    return {
        "server": server or {},
        "authorization_servers": [
            {"issuer": issuer, "allow_insecure_loopback": True, **(authorization_server or {})}
        ],
        "resources": [
            resource(
                f"{base}/photos",
                [issuer],
                ["photos.read", "photos.write"],
                [
                    {"path": "/photos/{id}", "scopes": ["photos.read"], "respond": "principal"},
                    {
                        "path": "/photos/{id}",
                        "methods": ["PUT"],
                        "scopes": ["photos.write"],
                        "respond": "principal",
                    },
                ],
                **others,
            ),
            resource(
                f"{base}/notes",
                [issuer],
                ["notes.read"],
                [{"path": "/notes", "scopes": ["notes.read"], "respond": "principal"}],
                **others,
            ),
        ],
        "public_routes": [{"path": "/hello", "respond": {"text": "Hello, world"}}],
    }


def write(configuration, folder, name="config.json"):
    path = os.path.join(folder, name)
    secrecy.note_configuration(configuration, folder)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(configuration, file, indent=2)
    return path
