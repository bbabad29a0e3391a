# SPDX-License-Identifier: MIT
"""A server behind the gateway for many slow answers at once.

    python slow_upstream.py PORT

`/api/events` sends an event a second for as long as the client stays; `/api/trickle` a byte every 100 ms.
"""

import asyncio
import sys

HEADS = {
    "/api/events": (b"text/event-stream", b"data: " + b"x" * 100 + b"\n\n", 1.0),
    "/api/trickle": (b"text/plain", b"x", 0.1),
}


async def serve(reader, writer):
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        kind, piece, pause = HEADS[head.split(b" ")[1].decode()]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: " + kind + b"\r\nTransfer-Encoding: chunked\r\n\r\n")
        chunk = b"%x\r\n%s\r\n" % (len(piece), piece)
        while not reader.at_eof():
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause)
    except (OSError, EOFError, KeyError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(sys.argv[1]), backlog=4096)
    await server.serve_forever()


asyncio.run(main())
