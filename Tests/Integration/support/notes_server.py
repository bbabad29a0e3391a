# SPDX-License-Identifier: MIT
"""An MCP server as its author writes it, without any authorization, for either generation of the `mcp` package.

    python notes_server.py PORT

The endpoint is http://127.0.0.1:PORT/mcp.
"""

import asyncio
import sys

try:
    from mcp.server.mcpserver import Context, MCPServer

    PLACE = {}
    WHERE = {"host": "127.0.0.1", "port": int(sys.argv[1])}
except ImportError:
    from mcp.server.fastmcp import Context
    from mcp.server.fastmcp import FastMCP as MCPServer

    PLACE = {"host": "127.0.0.1", "port": int(sys.argv[1])}
    WHERE = {}

server = MCPServer("Notes", **PLACE)


@server.tool()
def add(a: int, b: int) -> int:
    """The sum of two numbers."""
    return a + b


@server.tool()
async def count(seconds: float, context: Context) -> str:
    """Reports progress ten times a second."""
    for step in range(int(seconds * 10)):
        await context.report_progress(step)
        await asyncio.sleep(0.1)
    return "done"


server.run(transport="streamable-http", **WHERE)
