# SPDX-License-Identifier: MIT
"""The demo as a person uses it: its printed commands are pasted, line by line, into one shell."""

import asyncio
import html.parser
import os
import re
import subprocess
import urllib.parse

import httpx2
import pytest
from mcp.client.auth import AuthorizationCodeResult, OAuthClientProvider
from mcp.shared.auth import OAuthClientMetadata
from support import web
from support.memory import Memory
from support.processes import Program, is_open

#: Wraps curl in the shell that runs the commands, and records each answer's head.
SHIM = r"""
curl() { command curl -D "$HEADS/$(date +%s%N)" "$@"; }
"""


@pytest.fixture
def demo(binary, folder):
    """The demo and its output; on its default ports if they are free."""
    usual = not is_open(8080) and not is_open(8081)
    program = Program([binary] if usual else [binary, "--port", "0"], folder, "demo")
    first = program.line(20) or ""
    found = re.fullmatch(r"listening on (http://\S+)", first)
    assert found, (first, program.errors)
    yield found.group(1), program.lines(5, quiet=0.7)
    assert program.stop() == 0, program.errors


def is_complete(command):
    """Whether a shell would run this text, rather than wait for more."""
    if command.endswith("\\"):
        return False
    return subprocess.run(["bash", "-n"], input=command, capture_output=True, text=True).returncode == 0


def commands(lines):
    """The printed commands: a line that starts with a command or an assignment, and its continuation lines.
    """
    found, pending = [], ""
    for line in lines:
        text = line.strip()
        if not pending and not re.match(r"(curl|export|printf|echo)\b|[A-Z][A-Z_]*=", text):
            continue
        pending = f"{pending}\n{text}" if pending else text
        if is_complete(pending):
            found.append(pending)
            pending = ""
    assert not pending, f"not finished: {pending}"
    return found


def test_the_printed_commands_walk_the_whole_chain(demo, folder):
    base, lines = demo
    pasted = commands(lines)
    assert len(pasted) >= 6, lines
    heads = os.path.join(folder, "heads")
    os.makedirs(heads)
    script = SHIM + "\n".join(pasted) + "\n"
    done = subprocess.run(
        ["bash"], input=script, cwd=folder, capture_output=True, text=True, timeout=60,
        env={**os.environ, "HEADS": heads},
    )
    assert "command not found" not in done.stderr, done.stderr
    statuses = []
    for name in sorted(os.listdir(heads)):
        with open(os.path.join(heads, name), encoding="latin-1") as file:
            statuses += [int(status) for status in re.findall(r"^HTTP/1\.1 (\d+)", file.read(), re.MULTILINE)]
    where = (statuses, script, done.stdout, done.stderr)
    # 401, resource metadata, server metadata, registration, token, the protected call, a scope that the token
    # lacks.
    assert statuses[0] == 401 and statuses[-1] == 403 and statuses[-2] == 200, where
    assert [status for status in statuses if status != 302] in (
        [401, 200, 200, 201, 200, 200, 403],
        [401, 200, 200, 201, 200, 200, 200, 403],
    ), where


def test_the_demo_is_one_host_with_two_resources_and_a_page(demo):
    base, _ = demo
    documents = [
        web.request(f"{base}/.well-known/oauth-protected-resource{path}").json for path in ["/photos", "/notes", ""]
    ]
    assert [document["resource"] for document in documents] == [f"{base}/photos", f"{base}/notes", f"{base}/photos"]
    (issuer,) = documents[0]["authorization_servers"]
    assert documents[1]["authorization_servers"] == [issuer]
    parts = urllib.parse.urlsplit(issuer)
    answer = web.request(f"{parts.scheme}://{parts.netloc}/.well-known/oauth-authorization-server{parts.path}")
    assert answer.status == 200 and answer.json["issuer"] == issuer
    for path in ["/photos", "/notes", "/photos/x"]:
        assert web.request(base + path, "HEAD").status == 401


class Form(html.parser.HTMLParser):
    """A page's first form: its action and its fields when its first button is pressed."""

    def __init__(self, page):
        super().__init__()
        self.action, self.method, self.members, self.pressed = None, "GET", {}, False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "form" and self.action is None:
            self.action, self.method = values.get("action", ""), values.get("method", "get").upper()
        button = tag == "button" or tag == "input" and values.get("type") == "submit"
        if tag in ("input", "button") and values.get("name") and not (button and self.pressed):
            self.members[values["name"]] = values.get("value", "")
        self.pressed = self.pressed or button


def test_a_foreign_client_signs_in_with_a_code_and_one_click(demo):
    """The MCP SDK's client: registration (RFC 7591), PKCE, the consent page, the token, the protected call.
    """
    base, _ = demo
    returned = []
    callback = "http://127.0.0.1:8099/callback"

    async def click(url):
        async with httpx2.AsyncClient(follow_redirects=False) as browser:
            page = await browser.get(url)
            if page.status_code == 200:
                form = Form(page.text)
                assert form.action is not None, page.text
                target = urllib.parse.urljoin(url, form.action)
                if form.method == "POST":
                    page = await browser.post(target, data=form.members)
                else:
                    page = await browser.get(target, params=form.members)
            assert page.status_code in (302, 303), page
            location = page.headers["Location"]
            assert location.startswith(callback)
            returned.append(urllib.parse.parse_qs(urllib.parse.urlsplit(location).query))

    async def result():
        answer = {name: values[0] for name, values in returned[-1].items()}
        return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))

    async def walk():
        memory = Memory()
        metadata = OAuthClientMetadata(
            client_name="a client that was never here", redirect_uris=[callback], grant_types=["authorization_code"]
        )
        provider = OAuthClientProvider(
            f"{base}/photos", metadata, memory, redirect_handler=click, callback_handler=result
        )
        async with httpx2.AsyncClient(auth=provider) as client:
            return await client.get(f"{base}/photos/7"), memory.tokens

    answer, tokens = asyncio.run(walk())
    assert tokens is not None and tokens.access_token
    assert answer.status_code == 200, answer.text
