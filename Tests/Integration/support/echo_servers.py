# SPDX-License-Identifier: MIT
"""Servers of other projects behind a gateway. Each answers with the request's path, and writes path and subject of each
request to its log.

    python echo_servers.py (h11 | uvicorn) PORT
"""

import asyncio
import os
import shutil
import sys

from support.nginx import PROGRAM as NGINX
from support.processes import Program, free_port, is_open, wait_until

NODE = """
require("http").createServer((request, answer) => {
  request.on("data", () => {});
  request.on("end", () => {
    process.stderr.write(request.url + " " + (request.headers["x-portcullis-subject"] || "-") + "\\n");
    answer.end(request.url);
  });
}).listen(PORT, "127.0.0.1");
"""

NGINX_TEXT = """
daemon off; master_process off; pid nginx.pid; error_log nginx.error crit;
events {{ worker_connections 512; }}
http {{
  log_format seen '$request_uri $http_x_portcullis_subject';
  access_log seen.log seen;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  keepalive_requests 100000;
  server {{ listen 127.0.0.1:{port}; location / {{ default_type text/plain; return 200 $request_uri; }} }}
}}
"""


class EchoServer:
    """A running server: `nginx`, `node`, `uvicorn` or `h11`; `base` is its origin."""

    KINDS = ["nginx", "node", "uvicorn", "h11"]

    def __init__(self, kind, folder):
        port = free_port()
        self.base, self.folder, self.kind = f"http://127.0.0.1:{port}", folder, kind
        if kind == "nginx":
            path = os.path.join(folder, "echo.conf")
            with open(path, "w", encoding="utf-8") as file:
                file.write(NGINX_TEXT.format(port=port))
            command = [NGINX, "-p", folder, "-c", path]
        elif kind == "node":
            command = [shutil.which("node"), "-e", NODE.replace("PORT", str(port))]
        else:
            command = [sys.executable, "-m", "support.echo_servers", kind, port]
        here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        self.program = Program(command, folder, kind, {"PYTHONPATH": here})
        wait_until(lambda: is_open(port), 20, f"{kind} listens: {self.program.errors}")

    @staticmethod
    def is_there(kind):
        return bool({"nginx": NGINX, "node": shutil.which("node")}.get(kind, True))

    def seen(self):
        """Path and subject of each request that arrived."""
        if self.kind == "nginx":
            with open(os.path.join(self.folder, "seen.log"), encoding="latin-1") as file:
                text = file.read()
        else:
            text = self.program.errors
        return [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("/")]

    def stop(self):
        self.program.stop()


async def h11_connection(reader, writer):
    import h11

    connection = h11.Connection(h11.SERVER)
    try:
        target = subject = None
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                target = event.target
                subject = dict(event.headers).get(b"x-portcullis-subject") or b"-"
            elif isinstance(event, h11.EndOfMessage):
                print(target.decode("latin-1"), subject.decode("latin-1"), file=sys.stderr, flush=True)
                head = h11.Response(status_code=200, headers=[("Content-Length", str(len(target)))])
                for part in [head, h11.Data(data=target), h11.EndOfMessage()]:
                    writer.write(connection.send(part))
                await writer.drain()
                if connection.our_state is h11.MUST_CLOSE:
                    return
                connection.start_next_cycle()
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                return
    except (h11.ProtocolError, OSError):
        return
    finally:
        writer.close()


async def application(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    path = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
    subject = dict(scope["headers"]).get(b"x-portcullis-subject") or b"-"
    print(path.decode("latin-1"), subject.decode("latin-1"), file=sys.stderr, flush=True)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": path})


async def serve_h11(port):
    server = await asyncio.start_server(h11_connection, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "h11":
        asyncio.run(serve_h11(int(sys.argv[2])))
    else:
        import uvicorn

        uvicorn.run(application, host="127.0.0.1", port=int(sys.argv[2]), log_level="critical", lifespan="off")
