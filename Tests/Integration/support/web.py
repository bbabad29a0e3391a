# SPDX-License-Identifier: MIT
"""Plain HTTP with one connection per request, without normalisation: field lines stay separate lines."""

import base64
import http.client
import json
import re
import urllib.parse

from . import secrecy


class Answer:
    def __init__(self, status, fields, body):
        self.status, self.fields, self.body = status, fields, body

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]

    def one(self, name):
        """The field's only line, or None; fails if there are two lines."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} was sent {len(values)} times"
        return values[0] if values else None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def media_type(self):
        return (self.one("Content-Type") or "").split(";")[0].strip().lower()

    @property
    def challenges(self):
        """One (scheme, parameters) for each WWW-Authenticate line."""
        found = []
        for line in self.all("WWW-Authenticate"):
            scheme, _, rest = line.partition(" ")
            found.append((scheme, dict(re.findall(r'([a-z_]+)="([^"]*)"', rest))))
        return found

    @property
    def challenge(self):
        """The parameters of the only challenge, which must be Bearer."""
        challenges = self.challenges
        assert [scheme for scheme, _ in challenges] == ["Bearer"], self.all("WWW-Authenticate")
        return challenges[0][1]

    def __repr__(self):
        return f"<{self.status} {self.fields} {self.body[:300]!r}>"


def request(url, method="GET", fields=(), body=None, timeout=10, tls=None):
    """One exchange; `fields` is a list of pairs or a dictionary, `tls` the context of an https URL."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=timeout, context=tls)
    else:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=timeout)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        pairs = list(fields.items() if hasattr(fields, "items") else fields)
        names_host = any(name.lower() == "host" for name, _ in pairs)
        connection.putrequest(method, target, skip_host=names_host, skip_accept_encoding=True)
        secrecy.note_request(url, pairs, body)
        for name, value in pairs:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return Answer(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def post_form(url, members, fields=()):
    pairs = list(fields.items() if hasattr(fields, "items") else fields)
    pairs.append(("Content-Type", "application/x-www-form-urlencoded"))
    answer = request(url, "POST", pairs, urllib.parse.urlencode(members).encode())
    secrecy.note_answer(answer)
    return answer


def send_json(url, value, method="POST", fields=()):
    pairs = list(fields.items() if hasattr(fields, "items") else fields)
    pairs.append(("Content-Type", "application/json"))
    return request(url, method, pairs, json.dumps(value).encode())
