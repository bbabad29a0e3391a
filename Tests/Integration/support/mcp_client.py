# SPDX-License-Identifier: MIT
"""The unmodified client of the environment's package: `mcp` 2, `mcp` 1, or FastMCP, if it is installed.

    python mcp_client.py URL [--bearer TOKEN] [--document URL]

Reads commands from standard input, one JSON array a line, and writes one JSON object for each:
`["tools"]`, `["call", NAME, ARGUMENTS]`, `["expire"]`, which makes the client believe that its token has expired,
and `["traffic"]`, the exchanges since the last time.
"""

import argparse
import asyncio
import contextlib
import datetime
import json
import sys
import time
import urllib.parse

from consent import allow
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata

try:
    import httpx2 as httpx
    from mcp.client.auth import AuthorizationCodeResult
    from mcp.client.client import Client
except ImportError:
    import httpx

    Client = AuthorizationCodeResult = None
try:
    import fastmcp
    from fastmcp.client.auth import OAuth
except ImportError:
    fastmcp = None

CALLBACK = "http://127.0.0.1:8099/callback"


class Memory:
    tokens = client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


class Walker:
    """A connected client."""

    def __init__(self, url, bearer=None, document=None):
        self.url, self.bearer, self.document = url, bearer, document
        self.traffic, self.returned, self.provider, self.session = [], {}, None, None
        self.progress = 0

    async def open(self, stack):
        if fastmcp:
            self.provider = OAuth(callback_host="127.0.0.1") if not self.bearer else None
            self.session = await stack.enter_async_context(fastmcp.Client(self.url, auth=self.provider or self.bearer))
            return
        fields = {"Authorization": f"Bearer {self.bearer}"} if self.bearer else {}
        if not self.bearer:
            metadata = OAuthClientMetadata(
                client_name="a client that was never here",
                redirect_uris=[CALLBACK],
                grant_types=["authorization_code", "refresh_token"],
                token_endpoint_auth_method="none",
            )
            self.provider = OAuthClientProvider(
                self.url,
                metadata,
                Memory(),
                redirect_handler=self.redirect,
                callback_handler=self.callback,
                **({"client_metadata_url": self.document} if self.document else {}),
            )
        http = httpx.AsyncClient(
            auth=self.provider, headers=fields, timeout=30, event_hooks={"response": [self.record]}
        )
        await stack.enter_async_context(http)
        transport = streamable_http_client(self.url, http_client=http)
        if Client:
            self.session = await stack.enter_async_context(Client(transport))
        else:
            streams = await stack.enter_async_context(transport)
            self.session = await stack.enter_async_context(ClientSession(streams[0], streams[1]))
            await self.session.initialize()

    async def record(self, response):
        request = response.request
        grant = ""
        if request.method == "POST" and "urlencoded" in request.headers.get("content-type", ""):
            form = urllib.parse.parse_qs((await request.aread()).decode())
            grant = form.get("grant_type", [""])[0]
        line = f"{request.method} {str(request.url)}"
        self.traffic.append(
            {
                "line": line,
                "status": response.status_code,
                "challenge": response.headers.get("www-authenticate"),
                "grant": grant,
            }
        )

    async def redirect(self, url):
        location = await asyncio.to_thread(allow, url)
        assert location.startswith(CALLBACK), location
        self.traffic.append({"line": f"GET {url}", "status": 303, "challenge": None, "grant": ""})
        self.returned = {
            name: values[0] for name, values in urllib.parse.parse_qs(urllib.parse.urlsplit(location).query).items()
        }

    async def callback(self):
        code, state = self.returned["code"], self.returned.get("state")
        if AuthorizationCodeResult:
            return AuthorizationCodeResult(code=code, state=state, iss=self.returned.get("iss"))
        return code, state

    async def run(self, command):
        name = command[0]
        if name == "tools":
            found = await self.session.list_tools()
            return sorted(tool.name for tool in getattr(found, "tools", found))
        if name == "call":
            answer = await self.session.call_tool(command[1], command[2], **self.call_options())
            assert not getattr(answer, "is_error", getattr(answer, "isError", False)), answer
            return answer.content[0].text
        if name == "expire":
            self.provider.context.token_expiry_time = time.time() - 1
            return None
        if name == "traffic":
            traffic, self.traffic = self.traffic, []
            return traffic
        raise ValueError(name)

    def call_options(self):
        if fastmcp:
            return {"progress_handler": self.count}
        # Generation 1 waits for ever for the answer in a stream that was cut.
        limit = {} if Client else {"read_timeout_seconds": datetime.timedelta(seconds=8)}
        return {"progress_callback": self.count, **limit}

    async def count(self, progress, total, message):
        self.progress += 1


async def main(options):
    walker = Walker(options.url, options.bearer, options.document)
    loop = asyncio.get_running_loop()
    async with contextlib.AsyncExitStack() as stack:
        for opening in [True, False]:
            while opening or (line := await loop.run_in_executor(None, sys.stdin.readline)):
                started = time.monotonic()
                try:
                    answer = {"answer": await (walker.open(stack) if opening else walker.run(json.loads(line)))}
                except Exception as error:  # noqa: BLE001 - whatever the client raises is its answer
                    answer = {"error": f"{type(error).__name__}: {error}"}
                answer |= {"progress": walker.progress, "seconds": time.monotonic() - started}
                print(json.dumps(answer), flush=True)
                if opening:
                    break


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--bearer")
    parser.add_argument("--document")
    asyncio.run(main(parser.parse_args()))
