# SPDX-License-Identifier: MIT
"""The time from start to listening with a file of ten resources, resident memory then, and memory per idle
connection.

Also resident memory when the issuer's keys come over https, for which the server reads the system's
certificates.
"""

import contextlib
import json
import socket
import ssl
import time

from . import figures, ours
from .bounds import Ceiling
from .needs import Wrong

MEBIBYTE = 1 << 20
HELLO = b"GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n"
IDLE = 9000


def ten_resources(material, tls=None):
    settings = ours.configuration(material, "http://127.0.0.1:1/", tls)
    resources = [ours.resource(f"service-{number}", {}) for number in range(10)]
    for one in resources:
        del one["tokens"]
    # No authorization server introspects here.
    issuers = settings["authorization_servers"][:1]
    return {**settings, "authorization_servers": issuers, "resources": resources}


def behind_https(settings):
    """No server listens there, but the example server prepares to check a certificate."""
    issuer = "https://127.0.0.1:1"
    metadata = [{**one["metadata"], "authorization_servers": [issuer]} for one in settings["resources"]]
    resources = [{**one, "metadata": its} for one, its in zip(settings["resources"], metadata, strict=True)]
    return {**settings, "authorization_servers": [{"issuer": issuer}], "resources": resources}


def run(stage):
    settings = ten_resources(stage.material)
    path = stage.write("ten.json", json.dumps(settings))
    over_https = stage.write("ten-https.json", json.dumps(behind_https(settings)))
    starts, resident, trusting, idle = [], [], [], []
    for number in range(stage.options.pairs + 1):
        process, port, took = ours.start(stage, ["--config", path, "--port", "0"])
        time.sleep(0.3)
        fresh = process.resident_bytes
        # The first start reads the program from the disk.
        if number:
            starts.append(took * 1000)
            resident.append(fresh / MEBIBYTE)
        if number % 3 == 1:
            other, _, _ = ours.start(stage, ["--config", over_https, "--port", "0"])
            time.sleep(1)
            trusting.append(other.resident_bytes / MEBIBYTE)
            stage.stop(other)
            idle.append(memory_of_idle(process, port, IDLE))
            stage.progress.step(
                f"footprint {number}: {took * 1000:.0f} ms, {fresh / MEBIBYTE:.1f} MiB, {idle[-1]:.0f} bytes"
            )
        stage.stop(process)
    pair = stage.material.certificate()
    over_tls = stage.write("ten-tls.json", json.dumps(ten_resources(stage.material, pair)))
    process, port, _ = ours.start(stage, ["--config", over_tls, "--port", "0"])
    tls = memory_of_idle(process, port, 2000, pair[0])
    stage.verdicts += [
        Ceiling("start to listening, with a file of ten resources", 100, "ms").verdict(starts),
        Ceiling("resident memory at start", 20, "MiB").verdict(resident),
        Ceiling(f"resident memory of each of {IDLE} idle connections", 4, "KiB").verdict([one / 1024 for one in idle]),
    ]
    stage.targets["footprint"] = {
        "start_ms": figures.spread(starts),
        "resident_mebibytes": figures.spread(resident),
        "resident_https_mebibytes": figures.spread(trusting),
        "idle_bytes": figures.spread(idle),
        "idle_tls_bytes": figures.spread([tls]),
    }


def memory_of_idle(process, port, count, certificate=None):
    """The memory that each connection adds, after one request on it."""
    context = None
    if certificate:
        context = ssl.create_default_context(cafile=certificate)
        context.check_hostname = False
    with contextlib.ExitStack() as stack:
        # The first request's one-time cost belongs to no connection.
        with connect(port, context) as first:
            ask(first)
        time.sleep(0.3)
        before = process.resident_bytes
        for _ in range(count):
            ask(stack.enter_context(connect(port, context)))
        time.sleep(0.5)
        return (process.resident_bytes - before) / count


def connect(port, context):
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    return context.wrap_socket(client) if context else client


def ask(client):
    client.sendall(HELLO)
    if not client.recv(4096).startswith(b"HTTP/1.1 200"):
        raise Wrong("An idle connection's request was not answered.")
