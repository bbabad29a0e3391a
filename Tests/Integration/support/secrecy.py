# SPDX-License-Identifier: MIT
"""Every token and secret that a run uses, and everything that the example servers said meanwhile."""

import json
import os
import re
import urllib.parse

#: Shorter ones occur in ordinary text.
LEAST_LENGTH = 12

_secrets = set()
_said = []


def note(value):
    """Remembers something that no log and no error may hold; of a JWT also its payload and its signature."""
    for part in {value, *value.split(".")[1:]} if value.count(".") == 2 else {value}:
        for spelling in (part, urllib.parse.quote(part, safe=""), urllib.parse.quote_plus(part)):
            if len(spelling) >= LEAST_LENGTH:
                _secrets.add(spelling)


def note_request(url, pairs, body):
    for name, value in pairs:
        if name.lower() == "authorization":
            note(value.partition(" ")[2].strip())
        elif name.lower() == "dpop":
            note(value)
    for text in [urllib.parse.urlsplit(url).query, (body or b"").decode("latin-1") if len(body or b"") < 65536 else ""]:
        for name, found in re.findall(r"(?:^|&)(access_token|client_secret|client_assertion|token)=([^&]*)", text):
            note(urllib.parse.unquote_plus(found))


def note_answer(answer):
    """What an authorization server hands out."""
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
            elif name == "nonce_keys":
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
    """Keeps what an example server wrote: a log, an error, the fields of an answer."""
    _said.append((origin, text))


def said_in_answer(request, answer):
    """An answer's fields, and its body where it is an error: what a handler answers is its own affair."""
    said(f"the fields answered to {request}", "\n".join(f"{name}: {value}" for name, value in answer.fields))
    if answer.status >= 400:
        said(f"the body answered to {request}", answer.body.decode("latin-1"))


def leaks():
    """Where which secret was said; never the secret itself."""
    found = []
    for origin, text in _said:
        held = [secret for secret in _secrets if secret in text]
        if held:
            found.append(f"{origin}: {len(held)} secrets, one of {len(held[0])} characters")
    return found


def counts():
    return len(_secrets), len(_said)
