# SPDX-License-Identifier: MIT
"""A resource server of the `mcp` package as a program: the defaults that its users get.

    python mcp_package_server.py PORT ISSUER

Prints `ready` when it accepts connections. The resource is http://127.0.0.1:PORT/mcp.
"""

import socket
import sys

import uvicorn
from mcp.server import MCPServer
from mcp.server.auth.provider import TokenVerifier
from mcp.server.auth.settings import AuthSettings


class Nobody(TokenVerifier):
    """Refuses every token."""

    async def verify_token(self, token):
        return None


def app(port, issuer):
    settings = AuthSettings(
        issuer_url=issuer,
        resource_server_url=f"http://127.0.0.1:{port}/mcp",
        required_scopes=["mcp:read"],
        validate_token_resource=True,
    )
    return MCPServer("Foreign", token_verifier=Nobody(), auth=settings).streamable_http_app()


def serve(application, port):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        print("ready", flush=True)
        uvicorn.Server(uvicorn.Config(application, log_level="critical")).run(sockets=[listener])


if __name__ == "__main__":
    serve(app(int(sys.argv[1]), sys.argv[2]), int(sys.argv[1]))
