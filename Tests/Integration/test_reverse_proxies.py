# SPDX-License-Identifier: MIT
"""nginx, HAProxy and Caddy in front of the server, with the configurations that the article prints.

TLS, HTTP/2, the client's address, certificates (RFC 8705, RFC 9440), DPoP (RFC 9449), bodies and streams.
"""

import base64
import hashlib
import http.client
import json
import os
import shutil
import socket
import ssl
import threading
import time
import urllib.parse

import pytest
from support.certificates import Certificates
from support.dpop import Client
from support.processes import free_port, wait_until
from support.reverse_proxies import HOST, PROGRAMS, Caller, ReverseProxy, blocks, configuration
from support.tokens import Signer

BASE = f"https://{HOST}"
VERSIONS = ["2", "1.1"]
TERMINATING = ["nginx", "HAProxy", "Caddy"]
PASSING_ON = "HAProxy with the PROXY protocol"


@pytest.fixture
def certificates(folder):
    made = Certificates(folder)
    made.issue("server", f"subjectAltName=DNS:{HOST}")
    made.issue("other", "extendedKeyUsage=clientAuth")
    shutil.copy(made.path("ca.pem"), made.path("clients.pem"))
    with open(made.path("server-and-key.pem"), "wb") as joined:
        for name in ["server.pem", "server.key"]:
            with open(made.path(name), "rb") as part:
                joined.write(part.read())
    return made


@pytest.fixture
def signer():
    return Signer("https://login.example.com")


@pytest.fixture
def start(binary, serve, folder, signer, certificates):
    """Starts the server with the article's file and the proxy in front of it."""
    running = []

    def begin(name, version):
        if PROGRAMS[name] is None:
            pytest.skip(f"{name.split()[0]} is not installed: Tests/run --all fetches it")
        file = configuration(name)
        file["authorization_servers"][0]["jwks"] = signer.jwks
        port = free_port()
        scheme = "https" if "tls" in file["server"] else "http"
        server = serve(file, f"{scheme}://127.0.0.1:{port}")
        proxy = ReverseProxy(name, folder, port)
        running.append(proxy)
        return server, Caller(certificates, proxy.port, version, folder)

    yield begin
    for proxy in running:
        proxy.stop()


@pytest.fixture(params=[(name, version) for name in TERMINATING for version in VERSIONS], ids="-".join)
def pair(request, start):
    return start(*request.param)


@pytest.fixture(params=[*[(name, version) for name in TERMINATING for version in VERSIONS], (PASSING_ON, "1.1")], ids="-".join)
def each(request, start):
    return start(*request.param)


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


def one(fields, name):
    values = [value for field, value in fields if field == name]
    assert len(values) == 1, fields
    return values[0]


def logged(server, count):
    def found():
        lines = [json.loads(line) for line in server.errors.splitlines() if line.startswith("{")]
        return lines if len(lines) >= count else None

    return wait_until(found, 10, f"{count} lines in the access log: {server.errors}")


def thumbprint(certificates, name):
    with open(certificates.path(f"{name}.pem"), encoding="ascii") as file:
        der = ssl.PEM_cert_to_DER_cert(file.read())
    digest = base64.urlsafe_b64encode(hashlib.sha256(der).digest()).rstrip(b"=").decode()
    return der, digest


def test_the_article_has_each_configuration():
    assert [title for title, found in blocks().items() if found] == ["Overview", *TERMINATING[:2], PASSING_ON, "Caddy"]


def test_a_client_discovers_the_resource_through_the_proxy(each, signer):
    """RFC 9728 section 5.1: the challenge leads to the document, both at the name that clients use."""
    _, caller = each
    status, fields, body = caller.ask("/photos/7")
    assert status == 401
    url = f"{BASE}/.well-known/oauth-protected-resource/photos"
    challenges = [value for name, value in fields if name == "www-authenticate"]
    assert len(challenges) == 2 and all(f'resource_metadata="{url}"' in value for value in challenges)
    status, fields, body = caller.ask(urllib.parse.urlsplit(url).path)
    assert status == 200 and json.loads(body)["resource"] == f"{BASE}/photos"
    assert one(fields, "access-control-allow-origin") == "*"
    token = signer.token(f"{BASE}/photos", "photos.read")
    for _ in range(10):
        assert caller.ask("/photos/7", bearer(token))[0] == 200


def test_a_proof_names_the_url_that_the_client_calls(each, signer):
    """RFC 9449 section 4.3: `htu` is the public URL, also of a path with escapes and of a query."""
    server, caller = each
    client = Client(BASE, signer)
    for path in ["/photos/7", "/photos/a%20b", "/photos/%C3%A9", "/photos/it's(1)+~!"]:
        proof = client.proof(path)
        status, _, body = caller.ask(path + "?page=2", client.fields(proof))
        assert (status, json.loads(body)["binding"]) == (200, "dpop"), body
        assert caller.ask(path, client.fields(proof))[0] == 401, "a proof is accepted once"
    status, _, body = caller.ask("/photos/7", client.fields(client.proof(htu=server.base + "/photos/7")))
    assert (status, json.loads(body)["error"]) == (401, "invalid_dpop_proof")
    assert caller.ask("/photos", client.fields(client.proof("/photos", "POST")), ["--data", "x=1"])[2] == b"x=1"


def test_a_certificate_of_the_clients_connection_counts(each, signer, certificates):
    """RFC 8705 section 3, RFC 9440 section 2."""
    _, caller = each
    der, digest = thumbprint(certificates, "client")
    token = signer.token(f"{BASE}/photos", "photos.read", cnf={"x5t#S256": digest})
    for _ in range(2):
        status, _, body = caller.ask("/photos/7", bearer(token), certificate="client")
        assert (status, json.loads(body)["binding"]) == (200, "mtls"), body
    assert caller.ask("/photos/7", bearer(token))[0] == 401
    assert caller.ask("/photos/7", bearer(token), certificate="other")[0] == 401
    plain = signer.token(f"{BASE}/photos", "photos.read")
    assert caller.ask("/photos/7", bearer(plain))[0] == 200
    assert caller.ask("/photos/7", bearer(plain), certificate="other")[0] == 200


def test_a_certificate_that_the_client_writes_in_a_field_does_not_count(each, signer, certificates):
    """RFC 9440 section 4: the proxy removes the field."""
    _, caller = each
    der, digest = thumbprint(certificates, "client")
    token = signer.token(f"{BASE}/photos", "photos.read", cnf={"x5t#S256": digest})
    field = ":" + base64.b64encode(der).decode() + ":"
    pem = urllib.parse.quote(ssl.DER_cert_to_PEM_cert(der), safe="")
    for name in ["Client-Cert", "client-cert", "Client_Cert", "X-SSL-Client-Cert", "X_SSL_Client_Cert"]:
        for value in [field, pem]:
            for shown in [None, "other"]:
                status, _, _ = caller.ask("/photos/7", [*bearer(token), (name, value)], certificate=shown)
                assert status == 401, (name, value, shown)


def test_the_log_has_the_clients_address(each):
    server, caller = each
    spoofed = [("X-Forwarded-For", "203.0.113.66"), ("Forwarded", "for=203.0.113.67"), ("X-Forwarded-Host", "evil.example")]
    for fields in [[], spoofed, [*spoofed, ("X-Request-Id", "mine")]]:
        assert caller.ask("/photos/7", fields)[0] == 401
    for line in logged(server, 3):
        assert line["remote_address"] == Caller.ADDRESS, line
        assert (line["status"], line["path"]) == (401, "/photos/7")
    others = [line for line in server.errors.splitlines() if "warning" in line or "malformed" in line]
    assert others == []


def test_the_proxy_names_the_request(start):
    for name, shape in [("nginx", 32), ("HAProxy", 36)]:
        if PROGRAMS[name] is None:
            continue
        server, caller = start(name, "2")
        _, fields, _ = caller.ask("/photos/7", [("X-Request-Id", "mine")])
        (line,) = logged(server, 1)
        assert line["request_id"] == one(fields, "x-request-id")
        assert len(line["request_id"]) == shape


def test_bodies(each, signer, folder, request):
    """The echo begins before the body has ended; over HTTP/1.1 Caddy 2.6 then loses the rest, as the article says."""
    _, caller = each
    fields = bearer(signer.token(f"{BASE}/photos", "photos.read"))
    path = os.path.join(folder, "body")
    for size in [0, 10_000] if request.node.callspec.id.endswith("Caddy-1.1") else [0, 10_000, 1_000_000]:
        sent = os.urandom(size)
        with open(path, "wb") as file:
            file.write(sent)
        for words in [[], ["-H", "Expect:"]]:
            status, _, body = caller.ask("/photos", fields, ["--data-binary", f"@{path}", *words])
            assert (status, body == sent) == (200, True), (size, words, len(body))


def test_the_servers_own_413_arrives(each, signer, folder, request):
    """RFC 9110 section 15.5.14: also where the client sends without waiting.

    Caddy's HTTP/2 resets the stream of a request whose body it has not read, for which curl 7.88 may drop the text.
    Its HTTP/1.1 may lose the whole answer to a client that expects 100: see the next test.
    """
    _, caller = each
    fields = bearer(signer.token(f"{BASE}/photos", "photos.read"))
    path = os.path.join(folder, "body")
    case = request.node.callspec.id
    loses_text = case.endswith("Caddy-2")
    for size in [3_000_000, 30_000_000]:
        with open(path, "wb") as file:
            file.truncate(size)
        for words in [[], ["-H", "Expect:"]]:
            code, status, received, body = caller.attempt("/photos", fields, ["--data-binary", f"@{path}", *words])
            if case.endswith("Caddy-1.1") and not words and is_reset(code):
                continue
            assert status == 413 and one(received, "content-type").startswith("text/plain"), (size, received)
            assert (code, body) == (0, b"Content Too Large\n") or loses_text, (size, code, body)


def is_reset(code):
    """Whether curl could not send the rest (55) or receive the answer (56)."""
    return code in (55, 56)


class RefusingServer:
    """The least that answers 413: to each head, after a moment; then it reads what comes. It never sends 100."""

    TEXT = b"Content Too Large\n"

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._refuse, args=(connection,), daemon=True).start()

    def _refuse(self, connection):
        with connection:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            time.sleep(0.2)
            lines = b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 18\r\n\r\n"
            connection.sendall(lines + self.TEXT)
            connection.shutdown(socket.SHUT_WR)
            try:
                while connection.recv(1 << 20):
                    pass
            except OSError:
                pass

    def stop(self):
        self._listener.close()


@pytest.mark.skipif(PROGRAMS["Caddy"] is None, reason="Caddy is not installed: Tests/run --all fetches it")
def test_caddy_sends_100_itself_and_may_reset_the_answer_whatever_is_behind_it(folder, certificates):
    """Go's server waits before it closes a connection with an unread body, but not after it has sent 100."""
    server = RefusingServer()
    proxy = ReverseProxy("Caddy", folder, server.port)
    path = os.path.join(folder, "body")
    with open(path, "wb") as file:
        file.truncate(3_000_000)
    try:
        caller = Caller(certificates, proxy.port, "1.1", folder)
        code, status, _, body = caller.attempt("/photos", (), ["--data-binary", f"@{path}"])
        with open(os.path.join(folder, "answer.head"), encoding="latin-1") as head:
            assert head.read().startswith("HTTP/1.1 100 Continue")
        assert (code, status, body) == (0, 413, RefusingServer.TEXT) or is_reset(code) and body == b"", code
        code, status, _, body = caller.attempt("/photos", (), ["--data-binary", f"@{path}", "-H", "Expect:"])
        assert (code, status, body) == (0, 413, RefusingServer.TEXT)
    finally:
        proxy.stop()
        server.stop()


def test_one_connection_serves_many_requests(each, signer, certificates):
    """Over HTTP/2 at the same time, from Python over HTTP/1.1 one after the other."""
    _, caller = each
    token = signer.token(f"{BASE}/photos", "photos.read")
    assert caller.statuses([f"/photos/{number}" for number in range(40)], bearer(token)) == ["200"] * 40
    context = ssl.create_default_context(cafile=certificates.path("ca.pem"))
    plain = socket.create_connection(("127.0.0.1", caller.port), 10, (Caller.ADDRESS, 0))
    connection = http.client.HTTPConnection(HOST)
    connection.sock = context.wrap_socket(plain, server_hostname=HOST)
    used = connection.sock
    for number in range(20):
        for fields, expected in [({}, 401), ({"Authorization": f"Bearer {token}"}, 200)]:
            connection.request("GET", f"/photos/{number}", headers=fields)
            answer = connection.getresponse()
            assert (answer.status, answer.read() != b"") == (expected, expected == 200)
            assert connection.sock is used, "the connection stays open"
    connection.close()


def test_a_stream_arrives_as_it_is_written(each, signer):
    _, caller = each
    assert caller.timed("/photos/events", bearer(signer.token(f"{BASE}/photos", "photos.read"))) > 0.2
