# SPDX-License-Identifier: MIT
"""Every token and secret that a run uses, and everything that the example servers wrote."""

import base64
import json
import os
import re
import urllib.parse

#: Shorter texts occur in ordinary output.
LEAST_LENGTH = 12

_secrets = set()
_said = []


def note(value):
    """Records a secret that no log and no error may contain; for a JWT also its payload and its signature."""
    for part in {value, *value.split(".")[1:]} if value.count(".") == 2 else {value}:
        for spelling in (part, urllib.parse.quote(part, safe=""), urllib.parse.quote_plus(part)):
            if len(spelling) >= LEAST_LENGTH:
                _secrets.add(spelling)


def note_request(url, pairs, body):
    for name, value in pairs:
        if name.lower() in ("authorization", "proxy-authorization"):
            note_credentials(value)
        elif name.lower() == "dpop":
            note(value)
    for text in [urllib.parse.urlsplit(url).query, (body or b"").decode("latin-1") if len(body or b"") < 65536 else ""]:
        for name, found in re.findall(r"(?:^|&)(access_token|client_secret|client_assertion|token)=([^&]*)", text):
            note(urllib.parse.unquote_plus(found))


def note_credentials(value):
    """The secrets in a field with credentials; for a name and a password also the password alone."""
    scheme, _, credentials = value.partition(" ")
    note(credentials.strip())
    if scheme.lower() == "basic":
        try:
            note(urllib.parse.unquote_plus(base64.b64decode(credentials).decode().partition(":")[2]))
        except ValueError:
            return


def note_answer(answer):
    """Records what an authorization server issues."""
    if answer.media_type != "application/json":
        return
    try:
        members = json.loads(answer.body)
    except ValueError:
        return
    if isinstance(members, dict):
        for name in ("access_token", "refresh_token", "client_secret"):
            if isinstance(members.get(name), str):
                note(members[name])


def note_configuration(value, folder):
    """The secrets of a configuration file and of the key files that it names."""
    if isinstance(value, dict):
        for name, member in value.items():
            if name in ("client_secret", "bearer_token", "password") and isinstance(member, str):
                note(member)
            elif name == "nonce_keys" and isinstance(member, list):
                for key in member:
                    note(key)
            elif name.endswith("private_key") and isinstance(member, str):
                note_key(os.path.join(folder, member))
            else:
                note_configuration(member, folder)
    elif isinstance(value, list):
        for member in value:
            note_configuration(member, folder)


def note_key(path):
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, UnicodeDecodeError):
        return
    for found in re.findall(r'"(?:d|p|q|dp|dq|qi|k)"\s*:\s*"([^"]+)"', text):
        note(found)
    for line in text.splitlines():
        if not line.startswith("-----") and re.fullmatch(r"[A-Za-z0-9+/=]{40,}", line):
            note(line)


def said(origin, text):
    """Keeps an example server's output: a log, an error, the fields of an answer."""
    _said.append((origin, text))


def said_in_answer(request, answer):
    """Keeps an answer's fields, and its body if it is an error: a handler's body is not checked."""
    said(f"the fields answered to {request}", "\n".join(f"{name}: {value}" for name, value in answer.fields))
    if answer.status >= 400:
        said(f"the body answered to {request}", answer.body.decode("latin-1"))


def leaks():
    """Where each secret was written; never the secret itself."""
    found = []
    for origin, text in _said:
        held = [secret for secret in _secrets if secret in text]
        if held:
            found.append(f"{origin}: {len(held)} secrets, one of {len(held[0])} characters")
    return found


# A module-qualified type, a case with a payload, an optional, an error without a description.
_SWIFT_NAMES = re.compile(
    r"Portcullis\w*\.[A-Z]\w*|\b[A-Z]\w+\.[a-z]\w*\(|(?:^|[\s(,:.])[a-z]+[A-Z]\w*\(|Optional\(|Error Domain=", re.MULTILINE
)


# URLs and request targets are the configuration's and the clients' own words, some of them random.
_URLS = re.compile(r"(?:https?://|/)\S+")


def swift_names():
    """Where an example server wrote what only a Swift programmer understands."""
    found = ((origin, _SWIFT_NAMES.search(_URLS.sub("", text))) for origin, text in _said)
    return [f"{origin}: {match[0].strip()}" for origin, match in found if match]


def counts():
    return len(_secrets), len(_said)


def origins():
    return [origin for origin, _ in _said]
