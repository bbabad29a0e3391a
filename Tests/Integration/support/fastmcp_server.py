# SPDX-License-Identifier: MIT
"""A resource server of FastMCP as a program, run by a Python that has it: the defaults that its users get.

    python fastmcp_server.py PORT ISSUER

Prints `ready` when it accepts connections. The resource is http://127.0.0.1:PORT/mcp.
"""

import socket
import sys

import uvicorn
from fastmcp import FastMCP
from fastmcp.server.auth import RemoteAuthProvider
from fastmcp.server.auth.providers.jwt import StaticTokenVerifier


def app(port, issuer):
    base = f"http://127.0.0.1:{port}"
    verifier = StaticTokenVerifier(tokens={}, required_scopes=["mcp:read"])
    auth = RemoteAuthProvider(token_verifier=verifier, authorization_servers=[issuer], base_url=base)
    return FastMCP("Foreign", auth=auth).http_app(path="/mcp")


def serve(application, port):
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        print("ready", flush=True)
        uvicorn.Server(uvicorn.Config(application, log_level="critical")).run(sockets=[listener])


if __name__ == "__main__":
    serve(app(int(sys.argv[1]), sys.argv[2]), int(sys.argv[1]))
