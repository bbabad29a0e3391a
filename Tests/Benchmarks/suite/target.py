# SPDX-License-Identifier: MIT
"""What is measured: a request to a server, the required answer, and the rate of answers."""

import http.client
import ssl
import time

from . import wrk
from .needs import Wrong


class Target:
    """One kind of request to one server.

    `body` is the answer's, or a function that checks it. With `lines`, a file, every request has its own line
    after the text `field`, and wrk continues where its last run stopped. A `predecessor` is a target that is
    warmed up instead.
    """

    def __init__(
        self,
        name,
        server,
        port,
        path,
        status=200,
        body=None,
        fields=None,
        tls=False,
        lines=None,
        field=None,
        upload=None,
        script=None,
        connections=64,
        threads=2,
        warm_up_requests=0,
        predecessor=None,
    ):
        self.name, self.server, self.port, self.path, self.status, self.body = name, server, port, path, status, body
        self.fields, self.tls, self.lines, self.field, self.upload = fields or {}, tls, lines, field, upload
        self.script, self.connections, self.threads = script, connections, threads
        self.warm_up_requests, self.predecessor = warm_up_requests, predecessor
        self.offset = 0

    @property
    def url(self):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}{self.path}"

    def all_fields(self):
        """The fields of the first request."""
        if not self.lines:
            return self.fields
        with open(self.lines, encoding="ascii") as file:
            text = self.field + file.readline().strip()
        return {**self.fields, **dict(line.split(": ", 1) for line in text.split("\r\n"))}

    def connect(self):
        if not self.tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)

    def verify(self):
        """Sends one request and checks the answer; returns the answer."""
        connection = self.connect()
        method = "GET" if self.upload is None else "POST"
        connection.request(method, self.path, body=self.upload, headers=self.all_fields())
        session = (connection.sock.version(), connection.sock.cipher()[0]) if self.tls else None
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        good = self.body(content) if callable(self.body) else self.body is None or content == self.body
        if answer.status != self.status or not good:
            raise Wrong(f"{self.name}: {answer.status} {content[:200]!r} is not the expected answer.")
        return {
            "status": answer.status,
            "head_bytes": sum(len(name) + len(value) + 4 for name, value in answer.getheaders()),
            "body_bytes": len(content),
            **({"tls": session} if session else {}),
        }

    def prepare(self, seconds):
        """Makes what each measurement needs to be fresh."""

    def start(self, seconds):
        environment = None
        script = self.script
        fields = self.fields
        if self.lines:
            script = wrk.LUA
            fixed = "".join(f"{name}: {value}\r\n" for name, value in self.fields.items())
            environment = wrk.lines_of(self.lines, self.threads, self.offset, fixed + self.field)
            fields = {}
        return wrk.Load(self.url, seconds, self.connections, self.threads, fields, script, environment)

    def checked(self, figures):
        """The figures, if every answer had the expected status."""
        expected = figures["requests"] if self.status >= 400 else 0
        if abs(figures["failed"] - expected) > self.connections or figures["trouble"]:
            raise Wrong(
                f"{self.name}: of {figures['requests']} answers {figures['failed']} were above 399"
                f" instead of {expected}; socket errors: {figures['trouble']}."
            )
        self.offset += figures["requests"] // self.threads + 1
        return figures

    def measure(self, seconds):
        self.prepare(seconds)
        before, begun = self.server.processor_seconds, time.monotonic()
        figures = self.checked(self.start(seconds).figures())
        used = self.server.processor_seconds - before
        figures["server_microseconds"] = used * 1e6 / figures["requests"]
        figures["server_cores"] = used / (time.monotonic() - begun)
        return figures

    def warm_up(self, seconds):
        if self.predecessor:
            self.predecessor.warm_up(seconds)
            return
        done = self.measure(seconds)["requests"]
        while done < self.warm_up_requests:
            done += self.measure(2)["requests"]
