# SPDX-License-Identifier: MIT
"""The reverse proxies of the article ReverseProxies, started with the configurations that it prints.

Only ports and paths are replaced.
"""

import json
import os
import re
import shutil
import subprocess

from .example_server import ROOT
from .nginx import PROGRAM as NGINX
from .processes import Program, free_port, is_open, wait_until

ARTICLE = os.path.join(ROOT, "Sources", "PortcullisServer", "PortcullisServer.docc", "ReverseProxies.md")
HOST = "api.example.com"


def find(name, *paths):
    fetched = [os.path.join(ROOT, ".build-integration", name, path) for path in paths]
    return next(filter(None, map(shutil.which, [name, *[f"/{path}" for path in paths], *fetched])), None)


PROGRAMS = {
    "nginx": NGINX,
    "HAProxy": find("haproxy", "usr/sbin/haproxy"),
    "HAProxy with the PROXY protocol": find("haproxy", "usr/sbin/haproxy"),
    "Caddy": find("caddy", "usr/bin/caddy"),
}


def blocks():
    """The article's blocks below each heading, as pairs of a language and a text."""
    with open(ARTICLE, encoding="utf-8") as file:
        sections = re.split(r"^## (.+)$", file.read(), flags=re.MULTILINE)
    return {
        title: re.findall(r"^```(\w+)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
        for title, text in zip(sections[1::2], sections[2::2])
    }


def configuration(name):
    """The example server's file for a proxy: its `server`, and the resources of the overview."""
    sections = blocks()
    (common,) = [text for language, text in sections["Overview"] if language == "json"]
    (own,) = [text for language, text in sections[name] if language == "json"]
    return {**json.loads(common), **json.loads(own)}


def replaced(text, changes):
    for old, new in changes.items():
        assert old in text, f"the article has no {old}"
        text = text.replace(old, new)
    return text


class ReverseProxy:
    """A running proxy in front of a port; `port` is its own."""

    def __init__(self, name, folder, upstream):
        self.port = free_port()
        ((_, text),) = [block for block in blocks()[name] if block[0] != "json"]
        home = os.path.join(folder, f"proxy-{self.port}")
        os.makedirs(home)
        words = getattr(self, "_" + name.split()[0].lower())(text, folder, home, upstream)
        self.program = Program(words, home, "proxy", {"HOME": home, "XDG_CONFIG_HOME": home, "XDG_DATA_HOME": home})
        wait_until(lambda: is_open(self.port) or self.program.process.poll() is not None, 20, f"{name} listens")
        assert self.program.process.poll() is None, self.program.errors

    def stop(self):
        self.program.stop()

    def _nginx(self, text, folder, home, upstream):
        site = {" 443 ": f" 127.0.0.1:{self.port} ", "127.0.0.1:8080": f"127.0.0.1:{upstream}", "/etc/nginx/tls": folder}
        write(home, "api.conf", replaced(text, site))
        temporary = " ".join(f"{kind}_temp_path {kind};" for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
        main = f"daemon off; master_process off; pid nginx.pid; error_log stderr warn; events {{}}\n"
        main += f"http {{ access_log off; {temporary} include {home}/api.conf; }}\n"
        return [NGINX, "-p", home, "-e", "stderr", "-c", write(home, "nginx.conf", main)]

    def _haproxy(self, text, folder, home, upstream):
        changes = {" :443": f" 127.0.0.1:{self.port}"}
        (old,) = re.findall(r"127\.0\.0\.1:\d+", text)
        changes[old] = f"127.0.0.1:{upstream}"
        if "/etc/haproxy/tls" in text:
            changes["/etc/haproxy/tls/server.pem"] = os.path.join(folder, "server-and-key.pem")
            changes["/etc/haproxy/tls"] = folder
        return [PROGRAMS["HAProxy"], "-db", "-f", write(home, "haproxy.cfg", replaced(text, changes))]

    def _caddy(self, text, folder, home, upstream):
        changes = {"127.0.0.1:8080": f"127.0.0.1:{upstream}", "/etc/caddy/tls": folder}
        ports = f"{{\n\tadmin off\n\thttp_port {free_port()}\n\thttps_port {self.port}\n\tdefault_bind 127.0.0.1\n}}\n"
        path = write(home, "Caddyfile", ports + replaced(text, changes))
        return [PROGRAMS["Caddy"], "run", "--config", path, "--adapter", "caddyfile"]


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


class Caller:
    """curl at another address than the proxy's, so that it is no trusted proxy itself."""

    ADDRESS = "127.0.0.2"

    def __init__(self, certificates, port, version, folder):
        self.certificates, self.port, self.version, self.folder = certificates, port, version, folder
        self._words = ["curl", "--silent", "--show-error", "--max-time", "20", f"--http{version}"]
        self._words += ["--cacert", certificates.path("ca.pem"), "--interface", self.ADDRESS]
        self._words += ["--connect-to", f"{HOST}:443:127.0.0.1:{port}"]

    def ask(self, path, fields=(), words=(), certificate=None):
        """The status, the answer's fields with names in lower case, and its body."""
        if certificate:
            words = [*words, "--cert", self.certificates.path(f"{certificate}.pem")]
            words += ["--key", self.certificates.path(f"{certificate}.key")]
        code, *answer = self.attempt(path, fields, words)
        assert code == 0, f"curl ended with {code}"
        return tuple(answer)

    def attempt(self, path, fields=(), words=()):
        """curl's exit status, and what it received before."""
        head, body = os.path.join(self.folder, "answer.head"), os.path.join(self.folder, "answer.body")
        # curl makes no file for a body that does not arrive.
        with open(body, "wb"):
            pass
        printed = "%{http_code} %{http_version}"
        done = self._run(["-D", head, "-o", body, "-w", printed, *words, f"https://{HOST}{path}"], fields)
        status, version = done.stdout.split()
        assert version == self.version, done.stderr
        with open(head, encoding="latin-1") as file:
            last = re.split(r"\r?\n\r?\n", file.read().strip())[-1]
        lines = [line.split(":", 1) for line in last.splitlines()[1:]]
        received = [(name.lower(), value.strip()) for name, value in lines]
        with open(body, "rb") as file:
            return done.returncode, int(status), received, file.read()

    def statuses(self, paths, fields=()):
        """The statuses of requests on one connection, at the same time over HTTP/2."""
        words = ["--parallel", "--parallel-max", "20"] if self.version == "2" else []
        words += ["-w", "%{http_code}\n"]
        for path in paths:
            words += ["-o", os.devnull, f"https://{HOST}{path}"]
        done = self._run(words, fields)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def timed(self, path, fields=()):
        """The seconds from the first byte of an answer to its end."""
        printed = "%{time_starttransfer} %{time_total}"
        done = self._run(["-N", "-o", os.devnull, "-w", printed, f"https://{HOST}{path}"], fields)
        assert done.returncode == 0, done.stderr
        first, last = map(float, done.stdout.split())
        return last - first

    def _run(self, words, fields):
        lines = [word for name, value in fields for word in ["-H", f"{name}: {value}"]]
        return subprocess.run([*self._words, *lines, *words], capture_output=True, text=True, timeout=30)
