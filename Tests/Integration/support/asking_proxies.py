# SPDX-License-Identifier: MIT
"""nginx, Caddy and HAProxy with the configurations of the article about forward authentication."""

import http.server
import os
import re
import shutil
import threading

from .example_server import ROOT
from .processes import Program, free_port, is_open, wait_until

ARTICLE = os.path.join(
    ROOT, "Sources", "PortcullisServer", "PortcullisServer.docc", "ForwardAuthentication.md"
)
SCRIPT = os.path.join(ROOT, "Examples", "ForwardAuth", "forward-auth.lua")


def program(name, *places):
    """The installed program, or the one that Tests/run has fetched."""
    fetched = os.path.join(ROOT, ".build-integration", name, *places)
    return next(filter(None, map(shutil.which, [name, os.path.join("/", *places), fetched])), None)


PROGRAMS = {
    "nginx": program("nginx", "usr", "sbin", "nginx"),
    "caddy": program("caddy", "usr", "bin", "caddy"),
    "haproxy": program("haproxy", "usr", "sbin", "haproxy"),
}


def block(language):
    """The article's only block of a language."""
    with open(ARTICLE, encoding="utf-8") as file:
        found = re.findall(rf"^```{language}\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
    assert len(found) == 1, f"{len(found)} blocks of {language}"
    return found[0]


def replaced(text, changes):
    """The text with other addresses, which must all be there."""
    for old, new in changes.items():
        assert old in text, f"{old} is not in the article"
        text = text.replace(old, new)
    return text


TEMPORARY = "".join(f"{kind}_temp_path {kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


class AskingProxy:
    """A running proxy with the article's file; only the addresses are others. `base` is its origin."""

    def __init__(self, name, folder, gate, api):
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        home = os.path.join(folder, f"{name}-{port}")
        os.makedirs(home)
        addresses = {"127.0.0.1:8080": gate, "127.0.0.1:3000": api}
        if name == "nginx":
            text = replaced(block("nginx"), addresses | {"listen 80;": f"listen 127.0.0.1:{port};"})
            text = text.replace("http {", "http { access_log off; " + TEMPORARY, 1)
            path = self.write(home, "nginx.conf", text)
            rest = "daemon off; master_process off; pid nginx.pid; error_log stderr;"
            command = [PROGRAMS[name], "-p", home, "-c", path, "-g", rest]
        elif name == "caddy":
            site = {"api.example.com {": f"http://:{port} {{"}
            text = "{\n\tadmin off\n\tauto_https off\n}\n" + replaced(block("caddyfile"), addresses | site)
            path = self.write(home, "Caddyfile", text)
            command = [PROGRAMS[name], "run", "--config", path, "--adapter", "caddyfile"]
        else:
            text = replaced(block("haproxy"), {**addresses, "bind :80": f"bind 127.0.0.1:{port}"})
            path = self.write(home, "haproxy.cfg", text)
            self.write(home, "forward-auth.lua", block("lua"))
            command = [PROGRAMS[name], "-db", "-f", path]
        environment = {"HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}
        self.program = Program(command, home, name, environment)
        running = self.program.process
        wait_until(lambda: is_open(port) or running.poll() is not None, 15, f"{name} listens")
        assert running.poll() is None, self.program.errors

    @staticmethod
    def write(folder, name, text):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def stop(self):
        self.program.stop()


class Received:
    def __init__(self, method, target, fields, body):
        self.method, self.target, self.fields, self.body = method, target, fields, body

    def all(self, name):
        return [value for field, value in self.fields if field.lower() == name.lower()]


class API:
    """The server behind the proxies: keeps what it receives, and answers 200."""

    def __init__(self):
        received = self.received = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if "chunked" in (self.headers.get("Transfer-Encoding") or ""):
                    body = self.chunks()
                received.append(Received(self.command, self.path, self.headers.items(), body))
                status = int(self.headers.get("Wanted-Status") or 200)
                self.send_response(status)
                self.send_header("Content-Length", "4")
                if caching := self.headers.get("Wanted-Cache-Control"):
                    self.send_header("Cache-Control", caching)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(b"done")

            def chunks(self):
                body = b""
                while size := int(self.rfile.readline(), 16):
                    body += self.rfile.read(size)
                    self.rfile.readline()
                self.rfile.readline()
                return body

            def log_message(self, *arguments):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *arguments):
                """A proxy may reset a kept connection."""

        for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
            setattr(Handler, f"do_{method}", Handler.answer)
        self.server = Server(("127.0.0.1", 0), Handler)
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def last(self):
        return self.received[-1]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
