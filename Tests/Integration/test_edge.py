# SPDX-License-Identifier: MIT
"""The server's edge: proxies, logs, request IDs, CORS, other sockets."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys

import pytest
from support import web
from support.example_server import ExampleServer, photos_and_notes, write
from support.load import Load
from support.nginx import PROGRAM, Nginx
from support.processes import Program, wait_until
from support.tokens import ISSUER, Signer

PROXY = {"trusted_proxies": ["127.0.0.1/32"]}


@pytest.fixture
def signer():
    return Signer()


@pytest.fixture
def configuration(base, signer):
    made = photos_and_notes(base, ISSUER, authorization_server={"jwks": signer.jwks})
    del made["authorization_servers"][0]["allow_insecure_loopback"]
    made["server"] = {"event_loops": 2}
    made["public_routes"] += [
        {"path": "/echo", "methods": ["POST"], "respond": "echo"},
        {"path": "/stream", "respond": {"stream": 5}},
    ]
    return made


@pytest.fixture
def nginx(folder):
    if PROGRAM is None:
        pytest.skip("nginx is not installed")
    running = []

    def start(upstream, directives=""):
        proxy = Nginx(folder, upstream, directives)
        running.append(proxy)
        return proxy

    yield start
    for proxy in running:
        proxy.stop()


def lines(server, count=1):
    """The JSON lines of the access log, once there are this many."""

    def found():
        parsed = [json.loads(line) for line in server.errors.splitlines() if line.startswith("{")]
        return parsed if len(parsed) >= count else None

    return wait_until(found, 10, f"{count} lines in the access log: {server.errors}")


# The access log and request IDs.


def test_a_users_request_id_finds_the_log_line(serve, configuration, base, signer):
    configuration["server"]["access_log"] = "json"
    server = serve(configuration, base)
    answer = server.get("/photos/7?access_token=hidden", "a.b.c")
    assert answer.status == 401
    name = answer.one("X-Request-Id")
    assert answer.json == {
        "error": "invalid_token",
        "error_description": "The access token is malformed",
        "request_id": name,
    }
    token = signer.token(f"{base}/photos", "photos.read")
    assert server.get("/photos/7", token).status == 200
    refused, served = lines(server, 2)
    assert refused["request_id"] == name
    assert (refused["method"], refused["path"], refused["status"]) == ("GET", "/photos/7", 401)
    assert (refused["resource"], refused["refusal"]) == (f"{base}/photos", "malformedJWT")
    assert refused["remote_address"] == "127.0.0.1" and refused["duration_seconds"] >= 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", refused["time"])
    assert (served["status"], served["refusal"], served["route"]) == (200, None, "/photos/{id}")
    assert "hidden" not in server.errors and token not in server.errors and "a.b.c" not in server.errors


def test_the_text_log_begins_with_the_common_log_format(serve, configuration, base):
    configuration["server"]["access_log"] = "text"
    server = serve(configuration, base)
    server.get("/hello?q=hidden")
    line = wait_until(lambda: [line for line in server.errors.splitlines() if '"GET ' in line], 10, "a line")[0]
    common = r'127\.0\.0\.1 - - \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET /hello HTTP/1\.1" 200 \d+'
    assert re.match(common + r" duration=\d+\.\d{6} id=[0-9a-z]{13} trace_id=[0-9a-f]{32} route=/hello$", line), line


def test_the_log_of_the_last_requests_is_written_before_exit(serve, configuration, base):
    configuration["server"]["access_log"] = "json"
    server = serve(configuration, base)
    for _ in range(50):
        server.get("/hello")
    assert server.stop() == 0
    assert len(lines(server, 50)) == 50


def test_sighup_reopens_the_log_file(serve, configuration, base, folder):
    configuration["server"].update({"access_log": "json", "access_log_file": "access.log"})
    server = serve(configuration, base)
    log, moved = os.path.join(folder, "access.log"), os.path.join(folder, "access.log.1")

    def count(path):
        return len(open(path).read().splitlines()) if os.path.exists(path) else 0

    server.get("/hello")
    wait_until(lambda: count(log) == 1, 10, "a line in the file")
    os.rename(log, moved)
    server.program.send(signal.SIGHUP)
    wait_until(lambda: os.path.exists(log), 10, "the file exists again")
    server.get("/hello")
    wait_until(lambda: count(log) == 1, 10, "a line in the new file")
    assert count(moved) == 1


def test_a_log_file_that_cannot_be_opened_ends_the_start(binary, configuration, folder):
    configuration["server"].update({"access_log": "text", "access_log_file": "no/such/folder/access.log"})
    path = write(configuration, folder)
    ended = subprocess.run([binary, "--config", path, "--port", "0"], capture_output=True, text=True, timeout=20)
    assert ended.returncode == 1
    assert ended.stderr.startswith("$.server.access_log_file: cannot be opened")


# Proxies.


@pytest.mark.parametrize(
    "family, field, others",
    [
        ("forwarded", ("Forwarded", "for=192.0.2.9;proto=https"), ("X-Forwarded-For", "203.0.113.1")),
        ("x-forwarded", ("X-Forwarded-For", "192.0.2.9"), ("Forwarded", "for=203.0.113.1")),
        ("none", ("X-Whatever", "1"), ("X-Forwarded-For", "203.0.113.1")),
    ],
)
def test_only_the_configured_family_of_a_trusted_proxy_is_trusted(serve, configuration, base, family, field, others):
    configuration["server"].update({**PROXY, "forwarded": family, "access_log": "json"})
    server = serve(configuration, base)
    assert server.get("/hello", fields=[field, others, ("X-Request-Id", "from-the-proxy")]).status == 200
    line = lines(server)[0]
    assert line["remote_address"] == ("127.0.0.1" if family == "none" else "192.0.2.9")
    assert line["request_id"] == "from-the-proxy"


def test_the_fields_of_an_untrusted_peer_are_ignored(serve, configuration, base):
    configuration["server"].update(
        {"trusted_proxies": ["192.0.2.0/24"], "forwarded": "forwarded", "access_log": "json"}
    )
    server = serve(configuration, base)
    fields = [("Forwarded", "for=192.0.2.9"), ("Forwarded", "=;nonsense"), ("X-Request-Id", "mine")]
    assert server.get("/hello", fields=fields).status == 200
    line = lines(server)[0]
    assert line["remote_address"] == "127.0.0.1" and line["request_id"] != "mine"


def test_a_trusted_proxy_that_sends_malformed_fields_is_reported(serve, configuration, base):
    configuration["server"].update({**PROXY, "forwarded": "forwarded"})
    assert serve(configuration, base).get("/hello", fields={"Forwarded": "for=1;for=2"}).status == 400


def test_an_unknown_host_is_reported_with_the_fix(serve, configuration, base):
    server = serve(configuration, base)
    for _ in range(60):
        server.get("/hello", fields={"Host": "internal.example:8080"})
    wait_until(lambda: "keep naming the host internal.example:8080" in server.errors, 10, "the warning")
    for _ in range(60):
        server.get("/hello", fields={"Host": "internal.example:8080"})
    assert server.errors.count("keep naming") == 1
    assert "proxy_set_header Host $http_host" in server.errors


KEEP_ALIVE = """
proxy_http_version 1.1;
proxy_set_header Connection "";
proxy_set_header Host internal.example;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Host $http_host;
proxy_set_header X-Forwarded-Proto $scheme;
proxy_set_header X-Request-Id $request_id;
"""


def test_behind_nginx_with_persistent_connections(serve, configuration, base, signer, nginx):
    configuration["server"].update({**PROXY, "forwarded": "x-forwarded", "access_log": "json"})
    configuration["admin"] = {"port": 0}
    server = serve(configuration, base)
    admin = server.program.line(10).removeprefix("admin on ")
    proxy = nginx(base.removeprefix("http://"), KEEP_ALIVE)
    token = signer.token(f"{base}/photos", "photos.read")
    for _ in range(40):
        assert web.request(proxy.base + "/photos/7", fields=web.bearer(token)).status == 200
    answer = web.request(proxy.base + "/photos/7")
    assert answer.status == 401
    assert answer.challenge["resource_metadata"] == f"{base}/.well-known/oauth-protected-resource/photos"
    body = b"x" * 300_000
    assert web.request(proxy.base + "/echo", "POST", body=body).body == body
    assert web.request(proxy.base + "/stream").body == b"".join(b"line %d\n" % n for n in range(1, 6))
    spoofed = web.request(proxy.base + "/hello", fields={"X-Forwarded-For": "203.0.113.66"})
    assert spoofed.status == 200
    log = lines(server, 44)
    assert {line["remote_address"] for line in log} == {"127.0.0.1", "203.0.113.66"}
    # nginx adds its own client, 127.0.0.1, which is a trusted proxy here too, so that the client's own value
    # counts.
    assert log[-1]["remote_address"] == "203.0.113.66"
    assert all(re.fullmatch("[0-9a-f]{32}", line["request_id"]) for line in log), "nginx assigns the request IDs"
    opened = re.search(r"connections_opened_total (\d+)", web.request(admin + "/metrics").body.decode())
    assert int(opened[1]) < 20, "connections from nginx persist"


def test_behind_nginx_the_forwarded_host_selects_the_resource(serve, configuration, base, nginx):
    configuration["server"].update({**PROXY, "forwarded": "x-forwarded"})
    configuration["resources"][1]["metadata"]["resource"] = "https://other.example/notes"
    configuration["resources"][1]["metadata"]["authorization_servers"] = [ISSUER]
    server = serve(configuration, base)
    proxy = nginx(base.removeprefix("http://"), KEEP_ALIVE)
    own = base.removeprefix("http://")
    assert web.request(proxy.base + "/photos/7", fields={"Host": own}).status == 401
    assert web.request(proxy.base + "/notes", fields={"Host": "other.example"}).status == 401
    assert web.request(proxy.base + "/notes", fields={"Host": own}).status == 404
    assert web.request(proxy.base + "/notes", fields={"Host": "unknown.example"}).status == 421
    assert server.get("/notes", fields={"Host": "other.example"}).status == 401


def test_nginx_gets_no_closed_connection_under_load(serve, configuration, base, nginx):
    serve(configuration, base)
    proxy = nginx(base.removeprefix("http://"), KEEP_ALIVE)
    load = Load(proxy.base, "/hello", threads=4)
    load.wait_for_answers(400, 20)
    load.stop()
    assert load.problems == []


# The PROXY protocol.


def raw(base, sent, family=socket.AF_INET, address=None):
    """The answer to some bytes, until the server closes."""
    host, port = base.removeprefix("http://").split(":") if base else (None, None)
    with socket.socket(family) as client:
        client.settimeout(10)
        client.connect(address or (host, int(port)))
        client.sendall(sent)
        received = b""
        try:
            while piece := client.recv(65536):
                received += piece
        except ConnectionError:
            pass
        return received


REQUEST = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
VERSION_2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11" + struct.pack(
    "!H4s4sHH", 12, socket.inet_aton("192.0.2.9"), socket.inet_aton("10.0.0.1"), 4711, 443
)


@pytest.mark.parametrize("header", [b"PROXY TCP4 192.0.2.9 10.0.0.1 4711 443\r\n", VERSION_2])
def test_a_proxy_announces_the_client_of_a_connection(serve, configuration, base, header):
    configuration["server"].update({**PROXY, "proxy_protocol": True, "access_log": "json"})
    server = serve(configuration, base)
    assert raw(base, header + REQUEST).startswith(b"HTTP/1.1 200 OK\r\n")
    assert lines(server)[0]["remote_address"] == "192.0.2.9"
    assert raw(base, REQUEST) == b"", "a trusted proxy has to send one"


def test_curl_sends_the_proxy_protocol(serve, configuration, base):
    configuration["server"].update({**PROXY, "proxy_protocol": True})
    serve(configuration, base)
    words = ["curl", "--silent", "--max-time", "10", "--haproxy-protocol", base + "/hello", base + "/hello"]
    assert subprocess.run(words, capture_output=True, timeout=20).stdout == b"Hello, worldHello, world"


# Other sockets.


def unix_exchange(path):
    return raw(None, REQUEST, socket.AF_UNIX, path)


def test_a_unix_socket(binary, configuration, folder):
    path = os.path.join(folder, "server.sock")
    configuration["server"].update({"host": f"unix:{path}", "access_log": "json"})
    file = write(configuration, folder)
    program = Program([binary, "--config", file], folder, "example-server")
    try:
        assert program.line(20) == f"listening on unix:{path}", program.errors
        assert unix_exchange(path).startswith(b"HTTP/1.1 200 OK\r\n")
        second = subprocess.run([binary, "--config", file], capture_output=True, text=True, timeout=20)
        assert second.returncode == 1, "another server listens there"
        assert unix_exchange(path).startswith(b"HTTP/1.1 200 OK\r\n"), "and it keeps its socket"
    finally:
        assert program.stop() == 0
    assert not os.path.exists(path)


ACTIVATOR = """
import os, socket, sys
names = sys.argv[1].split(",")
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in names]
print(" ".join(str(s.getsockname()[1]) for s in sockets), flush=True)
copies = [os.dup2(s.fileno(), 100 + index) for index, s in enumerate(sockets)]
for index, copy in enumerate(copies):
    os.dup2(copy, 3 + index, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(names)), LISTEN_FDNAMES=":".join(names))
os.execv(sys.argv[2], sys.argv[2:])
"""


def test_socket_activation_and_readiness(binary, configuration, folder, base):
    configuration["admin"] = {"port": 0}
    file = write(configuration, folder)
    path = os.path.join(folder, "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.bind(path)
        told.settimeout(20)
        program = Program(
            [sys.executable, "-c", ACTIVATOR, "http,admin", binary, "--config", file],
            folder,
            "activated",
            {"NOTIFY_SOCKET": path},
        )
        try:
            port, admin = program.line(20).split()
            assert program.line(20) == f"listening on http://127.0.0.1:{port}", program.errors
            assert program.line(20) == f"admin on http://127.0.0.1:{admin}"
            assert told.recv(256) == b"READY=1"
            for _ in range(8):
                assert web.request(f"http://127.0.0.1:{port}/hello").status == 200
            assert web.request(f"http://127.0.0.1:{admin}/healthz").status == 200
            program.send(signal.SIGHUP)
            assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", told.recv(256))
            assert told.recv(256) == b"READY=1"
        finally:
            assert program.stop() == 0
        assert told.recv(256) == b"STOPPING=1"


# CORS.


def test_pages_of_listed_origins_may_call(serve, configuration, base, signer):
    app = "https://app.example.com"
    configuration["resources"][0]["cors"] = {"allowed_origins": [app]}
    server = serve(configuration, base)
    ask = {"Origin": app, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization"}
    preflight = server.request("OPTIONS", "/photos/7", fields=ask)
    assert preflight.status == 204 and preflight.body == b""
    assert preflight.one("Access-Control-Allow-Origin") == app
    assert preflight.one("Access-Control-Allow-Methods") == "GET, HEAD, OPTIONS, PUT"
    assert "Authorization" in preflight.one("Access-Control-Allow-Headers").split(", ")
    assert preflight.one("Vary") == "Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
    other = server.request("OPTIONS", "/photos/7", fields={**ask, "Origin": "https://evil.example"})
    assert other.status == 204
    assert [name for name, _ in other.fields if name.startswith("Access-Control")] == []
    notes = server.request("OPTIONS", "/notes", fields=ask)
    assert notes.status == 204 and notes.one("Access-Control-Allow-Origin") is None
    for token, status in [(None, 401), (signer.token(f"{base}/photos", "photos.read"), 200)]:
        answer = server.get("/photos/7", token, fields={"Origin": app})
        assert answer.status == status
        assert answer.one("Access-Control-Allow-Origin") == app
        assert answer.one("Access-Control-Expose-Headers") == "WWW-Authenticate, DPoP-Nonce"
    metadata = server.get("/.well-known/oauth-protected-resource/photos", fields={"Origin": "https://any.example"})
    assert metadata.one("Access-Control-Allow-Origin") == "*"
