# SPDX-License-Identifier: MIT
"""nginx as a reverse proxy for a server, in its own folder and without privileges."""

import os
import shutil
import subprocess

from .example_server import ROOT
from .processes import free_port, is_open, wait_until

FETCHED = os.path.join(ROOT, ".build-integration", "nginx", "usr", "sbin", "nginx")
PROGRAM = next(filter(None, map(shutil.which, ["nginx", "/usr/sbin/nginx", FETCHED])), None)

TEXT = """
daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events {{ worker_connections 256; }}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    client_max_body_size 10m;
    upstream api {{ server {upstream}; keepalive 8; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ proxy_pass http://api; {directives} }}
    }}
}}
"""


class Nginx:
    """Running nginx, whose location has these directives; `base` is its origin."""

    def __init__(self, folder, upstream, directives=""):
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        home = os.path.join(folder, f"nginx-{port}")
        os.makedirs(home)
        text = TEXT.format(upstream=upstream, port=port, directives=directives)
        path = os.path.join(home, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.process = subprocess.Popen([PROGRAM, "-p", home, "-c", path], stdin=subprocess.DEVNULL)
        wait_until(lambda: is_open(port) or self.process.poll() is not None, 10, "nginx listens")
        assert self.process.poll() is None, "nginx has ended"

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
