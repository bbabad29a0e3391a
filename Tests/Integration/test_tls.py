# SPDX-License-Identifier: MIT
"""The example server with TLS, called by Python's ssl, by curl and by openssl s_client."""

import http.client
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import pytest
from support import example_server, web
from support.certificates import Certificates
from support.example_server import resource
from support.processes import free_port, wait_until
from support.tokens import ISSUER, Signer


@pytest.fixture
def certificates(folder):
    return Certificates(folder)


@pytest.fixture
def base():
    return f"https://127.0.0.1:{free_port()}"


@pytest.fixture
def signer():
    return Signer()


def configuration(base, signer, **tls):
    photos = resource(
        f"{base}/photos",
        [ISSUER],
        ["photos.read"],
        [{"path": "/photos/{id}", "scopes": ["photos.read"], "respond": "principal"}],
    )
    return {
        "server": {"tls": {"certificate": "server.pem", "private_key": "server.key", **tls}, "event_loops": 2},
        "admin": {"port": free_port()},
        "authorization_servers": [{"issuer": ISSUER, "jwks": signer.jwks}],
        "resources": [photos],
        "public_routes": [
            {"path": "/hello", "respond": {"text": "Hello, world"}},
            {"path": "/lines", "respond": {"stream": 20}},
            {"path": "/slow", "respond": {"sleep_seconds": 1}},
            {"path": "/echo", "methods": ["POST"], "respond": "echo"},
        ],
    }


@pytest.fixture
def server(serve, certificates, base, signer):
    return serve(configuration(base, signer), base)


def port(server):
    return urllib.parse.urlsplit(server.base).port


def trusting(certificates, showing=None):
    context = ssl.create_default_context(cafile=certificates.path("ca.pem"))
    if showing:
        context.load_cert_chain(certificates.path(f"{showing}.pem"), certificates.path(f"{showing}.key"))
    return context


def get(server, path, context, token=None):
    return web.request(server.base + path, "GET", web.bearer(token) if token else (), tls=context)


def connect(server, context):
    return context.wrap_socket(
        socket.create_connection(("127.0.0.1", port(server)), timeout=10), server_hostname="localhost"
    )


def ask(connection, target="/hello", method="GET", fields="", body=b""):
    connection.sendall(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n".encode() + body)
    answer = http.client.HTTPResponse(connection, method=method)
    answer.begin()
    return answer.status, answer.read()


def curl(*words):
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--max-time", "20", *words], capture_output=True, check=False
    )
    return done.returncode, done.stdout, done.stderr.decode()


def test_the_server_prints_https_and_guards_as_without_tls(server, certificates, base, signer):
    assert server.base == base
    context = trusting(certificates)
    refused = get(server, "/photos/7", context)
    assert refused.status == 401
    assert refused.challenge["resource_metadata"] == f"{base}/.well-known/oauth-protected-resource/photos"
    document = get(server, "/.well-known/oauth-protected-resource/photos", context).json
    assert document["resource"] == f"{base}/photos"
    assert get(server, "/photos/7", context, signer.token(f"{base}/photos", "photos.read")).status == 200


def test_curl_with_every_version_and_kind_of_body(server, certificates, folder):
    trust = ["--cacert", certificates.path("ca.pem")]
    for options in [[], ["--http1.0"], ["--tlsv1.2", "--tls-max", "1.2"], ["--tlsv1.3"], ["--http2"], ["--no-alpn"]]:
        assert curl(*trust, *options, server.base + "/hello")[:2] == (0, b"Hello, world"), options
    path = f"{folder}/body"
    with open(path, "wb") as file:
        file.write(bytes(range(256)) * 3000)
    with open(path, "rb") as file:
        body = file.read()
    for fields in [["Content-Type: a/b"], ["Transfer-Encoding: chunked"], ["Expect: 100-continue"]]:
        words = [word for field in fields for word in ["-H", field]]
        code, answer, _ = curl(*trust, *words, "--data-binary", f"@{path}", server.base + "/echo")
        assert (code, answer) == (0, body), fields
    assert curl(*trust, server.base + "/lines")[1].count(b"\n") == 20
    assert curl(server.base + "/hello")[0] == 60, "curl trusts only the system's authorities"


def test_pipelined_requests_and_a_slow_reader(server, certificates):
    with connect(server, trusting(certificates)) as connection:
        one = b"GET /lines HTTP/1.1\r\nHost: localhost\r\n\r\n"
        connection.sendall(one * 3 + b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        time.sleep(0.3)
        got = b""
        while piece := connection.recv(1000):
            got += piece
        assert got.count(b"HTTP/1.1 200 OK") == 4 and got.endswith(b"Hello, world")
        # Python raises an error for an end without a closure alert.
        assert connection.unwrap() is not None


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("showing", [None, "client"])
def test_sessions_are_resumed(serve, certificates, base, signer, version, showing):
    server = serve(configuration(base, signer, client_certificates="request", client_ca="ca.pem"), base)
    context = trusting(certificates, showing)
    context.minimum_version = context.maximum_version = version
    with connect(server, context) as first:
        assert ask(first)[0] == 200
        assert not first.session_reused
        session = first.session
    again = socket.create_connection(("127.0.0.1", port(server)), timeout=10)
    with context.wrap_socket(again, server_hostname="localhost", session=session) as second:
        assert second.session_reused
        assert ask(second)[0] == 200


def test_old_versions_and_foreign_protocols_are_refused(server, certificates):
    def client(*words):
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port(server)}", *words]
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)

    assert b"alert protocol version" in client("-tls1_1", "-cipher", "ALL:@SECLEVEL=0").stderr
    assert b"alert number 120" in client("-alpn", "h2").stderr
    assert b"ALPN protocol: http/1.1" in client("-alpn", "h2,http/1.1").stdout


def test_keys_are_updated_during_a_connection(server):
    words = ["openssl", "s_client", "-connect", f"127.0.0.1:{port(server)}", "-tls1_3"]
    client = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # The program reads a one-letter line as a command: update keys, and request the other side's update too.
    for line in [b"K\n", b"k\n", b"K\n", b"GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"]:
        time.sleep(0.3)
        client.stdin.write(line)
        client.stdin.flush()
    said = client.stdout.read()
    client.communicate(timeout=20)
    assert said.count(b"KEYUPDATE") == 3 and b"Hello, world" in said


@pytest.mark.parametrize("kind", ["request", "require"])
def test_certificates_of_clients(serve, certificates, base, signer, kind):
    server = serve(configuration(base, signer, client_certificates=kind, client_ca="ca.pem"), base)
    shown = ["--cert", certificates.path("client.pem"), "--key", certificates.path("client.key")]
    trust = ["--cacert", certificates.path("ca.pem")]
    assert curl(*trust, *shown, server.base + "/hello")[:2] == (0, b"Hello, world")
    assert (curl(*trust, server.base + "/hello")[0] == 0) == (kind == "request")
    foreign = ["--cert", certificates.path("self-signed.pem"), "--key", certificates.path("self-signed.key")]
    assert curl(*trust, *foreign, server.base + "/hello")[0] != 0


def test_without_an_authority_every_client_certificate_is_accepted(serve, certificates, base, signer):
    server = serve(configuration(base, signer, client_certificates="request"), base)
    for name in ["client", "self-signed", None]:
        assert get(server, "/hello", trusting(certificates, name)).status == 200


def test_plain_requests_get_an_answer_and_are_counted(server, base):
    plain = base.replace("https", "http")
    answer = web.request(plain + "/hello")
    assert answer.status == 400 and b"HTTPS" in answer.body
    with socket.create_connection(("127.0.0.1", port(server)), timeout=10) as nonsense:
        nonsense.sendall(b"\x00\x01\x02")
        assert nonsense.recv(100) == b""
    admin = server.program.line(5).removeprefix("admin on ")
    assert b'tls_handshakes_total{outcome="plaintext"} 1' in web.request(admin + "/metrics").body


def test_tls_on_a_port_without_it_is_closed_at_once(serve, certificates, signer):
    made = configuration(f"https://localhost:{free_port()}", signer)
    del made["server"]["tls"]
    server = serve(made)
    began = time.monotonic()
    with pytest.raises(ssl.SSLError):
        connect(server, trusting(certificates))
    assert time.monotonic() - began < 5
    admin = server.program.line(5).removeprefix("admin on ")
    assert b'tls_handshakes_total{outcome="unexpected"} 1' in web.request(admin + "/metrics").body
    assert server.get("/hello").status == 200


def shown_certificate(server, certificates):
    with connect(server, trusting(certificates)) as connection:
        return connection.getpeercert()["serialNumber"]


def reload(server):
    before = len(server.errors)
    server.program.send(signal.SIGHUP)

    def outcome():
        said = server.errors[before:]
        return said if "reload: the file is" in said else None

    return wait_until(outcome, 10, "the log has the result of the reload")


def test_renewed_files_are_read_on_sighup(server, certificates):
    with connect(server, trusting(certificates)) as old:
        before = shown_certificate(server, certificates)
        certificates.issue("renewed", "subjectAltName=DNS:localhost,IP:127.0.0.1", to="server")
        assert shown_certificate(server, certificates) == before, "not before the signal"
        assert "is in use" in reload(server)
        assert shown_certificate(server, certificates) != before
        assert ask(old)[0] == 200, "open connections continue"


@pytest.mark.parametrize("damage", ["missing", "empty", "foreign"])
def test_unusable_files_leave_the_old_certificate(server, certificates, damage):
    before = shown_certificate(server, certificates)
    with open(certificates.path("server.key"), encoding="utf-8") as file:
        key = file.read()
    with open(certificates.path("client.key"), encoding="utf-8") as file:
        foreign = file.read()
    text = {"missing": None, "empty": "", "foreign": foreign}[damage]
    if text is None:
        subprocess.run(["rm", certificates.path("server.key")], check=True)
    else:
        with open(certificates.path("server.key"), "w", encoding="utf-8") as file:
            file.write(text)
    said = reload(server)
    assert "reload: $.server.tls.private_key: " in said and "stays in use" in said
    assert "PRIVATE KEY" not in said
    assert shown_certificate(server, certificates) == before
    with open(certificates.path("server.key"), "w", encoding="utf-8") as file:
        file.write(key)
    assert "is in use" in reload(server)


def test_removing_tls_needs_a_restart(server, certificates, base, signer, folder):
    made = configuration(base, signer)
    del made["server"]["tls"]
    made["admin"]["port"] = 1
    example_server.write(made, folder, "config-0.json")
    assert "reload: $.server.tls has changed" in reload(server)
    assert get(server, "/hello", trusting(certificates)).status == 200


class Asking(threading.Thread):
    """Opens one TLS connection after another, with some requests on each, until it is stopped."""

    def __init__(self, server, context):
        super().__init__()
        self.server, self.context = server, context
        self.answers, self.problems, self.ends = 0, [], False

    def run(self):
        while not self.ends:
            try:
                with connect(self.server, self.context) as connection:
                    for _ in range(20):
                        assert ask(connection) == (200, b"Hello, world")
                        self.answers += 1
            except Exception as problem:  # every one is a failure
                self.problems.append(repr(problem))


def test_reloading_under_load_drops_no_connection(server, certificates):
    threads = [Asking(server, trusting(certificates)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        certificates.issue("renewed", "subjectAltName=DNS:localhost,IP:127.0.0.1", to="new")
        for kind in ["pem", "key"]:
            subprocess.run(["mv", certificates.path(f"new.{kind}"), certificates.path(f"server.{kind}")], check=True)
        reload(server)
        count = sum(thread.answers for thread in threads)
        wait_until(lambda: sum(thread.answers for thread in threads) > count + 40, 20, "answers continue")  # noqa: B023
    for thread in threads:
        thread.ends = True
    for thread in threads:
        thread.join()
        assert thread.problems == []


def test_stopping_answers_requests_in_flight(server, certificates):
    idle = connect(server, trusting(certificates))
    assert ask(idle)[0] == 200
    answers = []
    thread = threading.Thread(target=lambda: answers.append(get(server, "/slow", trusting(certificates))))
    thread.start()
    time.sleep(0.5)
    server.program.send(signal.SIGTERM)
    assert idle.recv(10) == b"", "the server sends a closure alert"
    thread.join()
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"slept")]
    assert server.program.wait(10) == 0


def test_idle_connections_use_little_memory(binary, server, certificates):
    if "san/" in os.path.realpath(binary):
        pytest.skip("a sanitizer uses more memory")

    def resident_kibibytes():
        with open(f"/proc/{server.program.process.pid}/status", encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmRSS:"))

    context = trusting(certificates)

    def served():
        connection = connect(server, context)
        assert ask(connection)[0] == 200
        return connection

    kept = [served() for _ in range(50)]
    before = resident_kibibytes()
    kept += [served() for _ in range(500)]
    each = (resident_kibibytes() - before) / 500
    for connection in kept:
        connection.close()
    assert each <= 24, f"{each} KiB"


def problems(binary, folder, made):
    path = example_server.write(made, folder)
    done = subprocess.run([binary, "--check", path], capture_output=True, text=True, timeout=20, check=False)
    # The last line of a good file says so.
    lines = done.stderr.splitlines()
    if done.returncode == 0:
        assert lines.pop().startswith(f"{path}: the configuration is valid")
    return done.returncode, lines


def test_check_reports_every_problem(binary, certificates, folder, base, signer):
    def check(**tls):
        return problems(binary, folder, configuration(base, signer, **tls))

    assert check() == (0, [])
    status, lines = check(certificate="none.pem", private_key="none.key", client_certificates="require")
    assert status == 1 and [line.split(": ")[0] for line in lines] == ["$.server.tls.client_ca"]
    status, lines = check(
        certificate="none.pem", private_key="none.key", client_certificates="require", client_ca="no.pem"
    )
    assert status == 1
    assert lines == [
        f"$.server.tls.{key}: {folder}/{name} cannot be opened: No such file or directory"
        for key, name in [("certificate", "none.pem"), ("private_key", "none.key"), ("client_ca", "no.pem")]
    ]
    for changed, place in [
        ({"private_key": "client.key"}, "private_key: does not belong to the certificate"),
        ({"private_key": "server.pem"}, "private_key: cannot be read"),
        ({"certificate": "server.key"}, "certificate: cannot be read"),
        ({"client_ca": "server.key", "client_certificates": "request"}, "client_ca: cannot be read"),
    ]:
        status, lines = check(**changed)
        assert status == 1 and len(lines) == 1 and lines[0].startswith(f"$.server.tls.{place}")


def test_check_warns_about_certificates_that_clients_will_refuse(binary, certificates, folder, base, signer):
    certificates.issue("old", "subjectAltName=DNS:elsewhere.example", days=-1)
    made = configuration(base, signer, certificate="old.pem", private_key="old.key")
    status, lines = problems(binary, folder, made)
    assert status == 0 and len(lines) == 2
    assert "$.server.tls.certificate: warning: the certificate has expired" in lines[0]
    assert "$.server.tls.certificate: warning: does not cover the host of $.resources[0]" in lines[1]
