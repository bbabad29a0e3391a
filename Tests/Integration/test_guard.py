# SPDX-License-Identifier: MIT
"""`example-server --guard`: one command in front of an unmodified MCP server, and unmodified clients that walk in."""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

import pytest
from support import consent, example_server, secrecy, web
from support.certificates import Certificates
from support.example_server import ROOT, resource
from support.faulty import FaultyServer
from support.guarded import Client, ClientError, Guard, NotesServer
from support.processes import free_port, wait_until
from support.tokens import Signer
from test_demo import SHIM, commands

ARTICLE = os.path.join(ROOT, "Sources/PortcullisServer/PortcullisServer.docc/GuardingAServer.md")

#: The environments whose package is the client, or the server: the tests' own, and those of Tests/run --all.
PYTHONS = {"mcp": sys.executable, "mcp1": os.environ.get("MCP1_PYTHON"), "fastmcp": os.environ.get("FASTMCP_PYTHON")}


def python(name):
    if not PYTHONS[name]:
        pytest.skip(f"no Python with {name}; Tests/run --all makes one")
    return PYTHONS[name]


@pytest.fixture
def notes(folder):
    running = []

    def start(name="mcp"):
        running.append(NotesServer(folder, python(name)))
        return running[-1]

    yield start
    for server in running:
        server.stop()


@pytest.fixture
def guard(binary, folder):
    running = []

    def start(*words, environment=None):
        running.append(Guard(binary, folder, *words, environment=environment))
        return running[-1]

    yield start
    assert [server.stop() for server in running] == [0] * len(running), [server.errors for server in running]


@pytest.fixture
def client(folder):
    running = []

    def start(url, name="mcp", **options):
        running.append(Client(folder, url, python(name), **options))
        return running[-1]

    yield start
    for one in running:
        one.stop()


def told(traffic, guard):
    """The exchanges as lines, at the ports that the program has by default."""
    lines = []
    for exchange in traffic:
        line = exchange["line"].split("?")[0].replace(guard.base, "http://127.0.0.1:8080")
        line = line.replace(guard.issuer, "http://127.0.0.1:8081")
        lines.append(f"{line} {exchange['status']} {exchange['grant']}".strip())
    return lines


def blocks(text):
    """The code blocks of an article."""
    return re.findall(r"```\w*\n(.*?)```", text, re.DOTALL)


def test_one_command_and_the_mcp_client_walks_in_as_the_article_tells(notes, guard, client):
    """MCX-21, MCX-24, MCX-25, RFC 9728 section 5: discovery, registration, code with PKCE, tool call, refresh."""
    upstream = notes()
    guarded = guard(upstream.base)
    walker = client(f"{guarded.base}/mcp")
    assert walker.tools() == ["add", "count"]
    assert walker.call("add", a=2, b=3) == "5"
    first = walker.traffic()
    assert first[0]["challenge"] == (
        f'Bearer resource_metadata="{guarded.base}/.well-known/oauth-protected-resource"'
    )
    walker.expire()
    assert walker.call("add", a=20, b=22) == "42"
    second = walker.traffic()
    with open(ARTICLE, encoding="utf-8") as file:
        quoted = blocks(file.read())
    printed = "\n".join([f"listening on {guarded.base}", *guarded.lines]) + "\n"
    for real, usual in [(guarded.base, 8080), (guarded.issuer, 8081), (upstream.base, 3000)]:
        printed = printed.replace(real, f"http://127.0.0.1:{usual}")
    assert printed in quoted, printed
    walk = "\n".join(told(first, guarded) + told(second, guarded)) + "\n"
    assert walk in quoted, walk


@pytest.mark.parametrize("server", ["mcp", "mcp1"])
@pytest.mark.parametrize("name", ["mcp", "mcp1", "fastmcp"])
def test_each_client_walks_into_each_server(notes, guard, client, server, name):
    """Both generations of the protocol, with and without sessions and the GET stream."""
    guarded = guard(notes(server).base)
    walker = client(f"{guarded.base}/mcp", name)
    assert walker.tools() == ["add", "count"]
    assert walker.call("add", a=2, b=3) == "5"
    assert walker.call("count", seconds=0.5) == "done" and walker.progress == 5
    walker.expire()
    assert walker.call("add", a=20, b=22) == "42"
    assert guarded.errors.count("502") == 0


def guarded_with_scopes(upstream, base, issuer, scopes):
    """A configuration whose routes need scopes, for the authorization server of a guard."""
    route = {"scopes": scopes, "respond": {"proxy": upstream}, "methods": ["GET", "POST", "DELETE"]}
    return {
        "authorization_servers": [{"issuer": issuer, "allow_insecure_loopback": True}],
        "resources": [
            resource(f"{base}/mcp", [issuer], ["notes.read", "notes.write"], [{"path": "/mcp", **route}])
        ],
    }


@pytest.mark.parametrize("name", ["mcp", "mcp1", "fastmcp"])
def test_a_403_leads_the_client_to_the_wider_scope(notes, guard, serve, client, base, folder, name):
    """MCX-02, MCP-06: the challenge names all that the request needs, and the client asks for that."""
    if name != "mcp":
        python(name)
    upstream = notes().base
    # This guard's authorization server issues for the resource of the server with scopes.
    issuer = guard(upstream, "--resource", f"{base}/mcp", "--port", "0").issuer
    server = serve(guarded_with_scopes(upstream, base, issuer, ["notes.read"]), base)
    walker = client(f"{base}/mcp", name)
    assert walker.call("add", a=2, b=3) == "5"
    walker.traffic()
    path = os.path.join(folder, "config-0.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(guarded_with_scopes(upstream, base, issuer, ["notes.read", "notes.write"]), file)
    server.program.send(1)
    wait_until(lambda: "the file is in use" in server.errors, 10, "the new scopes are in use")
    assert walker.call("add", a=20, b=22) == "42"
    refused = [exchange for exchange in walker.traffic() if exchange["status"] == 403]
    if name != "fastmcp":
        assert len(refused) == 1
        assert 'error="insufficient_scope"' in refused[0]["challenge"]
        assert 'scope="notes.read notes.write"' in refused[0]["challenge"]


@pytest.mark.parametrize("name", ["mcp", "mcp1", "fastmcp"])
def test_HTT_11_a_long_stream_is_cut_when_its_token_expires(notes, serve, client, base, name):
    if name != "mcp":
        python(name)
    signer = Signer()
    configuration = guarded_with_scopes(notes().base, base, signer.issuer, [])
    configuration["authorization_servers"] = [{"issuer": signer.issuer, "jwks": signer.jwks}]
    configuration["resources"][0]["tokens"] = {"leeway_seconds": 0}
    serve(configuration, base)
    lifetime = 5
    token = signer.token(f"{base}/mcp", None, exp=int(time.time()) + lifetime)
    walker = client(f"{base}/mcp", name, bearer=token)
    assert walker.call("add", a=2, b=3) == "5"
    with pytest.raises(ClientError):
        walker.call("count", seconds=30)
    assert 1 <= walker.progress <= 10 * lifetime, walker.progress
    assert walker.seconds < lifetime + 5


class ClientDocuments(FaultyServer):
    """A web server with the document of one client."""

    PATH = "/oauth/client.json"

    @property
    def url(self):
        return f"https://localhost:{self.port}{self.PATH}"

    def respond(self, path, body):
        document = {
            "client_id": self.url,
            "client_name": "A client with a document",
            "redirect_uris": ["http://127.0.0.1:8099/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        }
        return (200, [], json.dumps(document).encode()) if path == self.PATH else super().respond(path, body)


def test_MCX_22_a_client_is_the_url_of_its_document(notes, guard, client, folder):
    """draft-ietf-oauth-client-id-metadata-document-00: no registration, and the document is fetched once."""
    made = Certificates(folder)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(made.path("server.pem"), made.path("server.key"))
    documents = ClientDocuments(tls=tls)
    try:
        guarded = guard(notes().base, environment={"SSL_CERT_FILE": made.path("ca.pem")})
        walker = client(f"{guarded.base}/mcp", document=documents.url)
        assert walker.call("add", a=2, b=3) == "5"
        lines = told(walker.traffic(), guarded)
        assert not [line for line in lines if "/register" in line], lines
        assert documents.counts[ClientDocuments.PATH] == 1
        walker.expire()
        assert walker.call("add", a=20, b=22) == "42"
    finally:
        documents.stop()


def test_the_printed_commands_and_the_printed_file_work(notes, guard, binary, folder):
    guarded = guard(notes().base)
    heads = os.path.join(folder, "heads")
    os.makedirs(heads)
    pasted = [line for line in commands(guarded.lines)]
    done = subprocess.run(
        ["bash"], input=SHIM + "\n".join(pasted) + "\n", cwd=folder, capture_output=True, text=True, timeout=60,
        env={**os.environ, "HEADS": heads},
    )
    statuses = []
    for name in sorted(os.listdir(heads)):
        with open(os.path.join(heads, name), encoding="latin-1") as file:
            statuses += [int(status) for status in re.findall(r"^HTTP/1\.1 (\d+)", file.read(), re.MULTILINE)]
    # The MCP server itself answers 4xx to a GET that no client of it sends; the gate has let it pass.
    assert statuses[:3] == [401, 201, 200] and statuses[3] not in (401, 403, 502), (statuses, done.stdout, done.stderr)
    values = []
    decoder = json.JSONDecoder()
    for found in re.finditer(r"^\{", guarded.text, re.MULTILINE):
        values.append(decoder.raw_decode(guarded.text, found.start())[0])
    settings, file = values
    assert settings["mcpServers"]["guarded"]["url"] == f"{guarded.base}/mcp"
    path = example_server.write(file, folder, "production.json")
    checked = subprocess.run([binary, "--check", path], capture_output=True, text=True, timeout=20)
    assert checked.returncode == 0 and "the configuration is valid" in checked.stderr, checked.stderr


@pytest.fixture
def recorder():
    """A server that answers each request with 200 and keeps the request lines."""
    listener = socket.create_server(("127.0.0.1", 0))
    lines = []

    def answer():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                head = connection.recv(65536).decode("latin-1")
                lines.append(head.split("\r\n")[0])
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    threading.Thread(target=answer, daemon=True).start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", lines
    listener.close()


def token_for(guarded, resource):
    client = web.send_json(f"{guarded.issuer}/register", {"grant_types": ["client_credentials"]}).json
    secrecy.note(client["client_secret"])
    answer = web.post_form(
        f"{guarded.issuer}/token",
        {"grant_type": "client_credentials", "resource": resource},
        web.basic(client["client_id"], client["client_secret"]),
    )
    return answer.json["access_token"]


def test_the_well_known_documents_are_never_asked_of_the_server_behind(guard, recorder):
    origin, lines = recorder
    guarded = guard(origin)
    token = token_for(guarded, f"{guarded.base}/")
    for path in ["oauth-protected-resource", "oauth-protected-resource/mcp", "oauth-protected-resource/x/y"]:
        for method in ["GET", "HEAD", "OPTIONS", "POST"]:
            web.request(f"{guarded.base}/.well-known/{path}", method, web.bearer(token))
    document = web.request(f"{guarded.base}/.well-known/oauth-protected-resource").json
    assert document["resource"] == f"{guarded.base}/" and document["authorization_servers"] == [guarded.issuer]
    assert lines == []
    assert web.request(f"{guarded.base}/anything?x=%20", fields=web.bearer(token)).body == b"ok"
    assert lines == ["GET /anything?x=%20 HTTP/1.1"]
    assert web.request(f"{guarded.base}/anything").status == 401 and len(lines) == 1


def test_a_path_of_the_url_comes_first(guard, recorder):
    origin, lines = recorder
    guarded = guard(f"{origin}/base")
    token = token_for(guarded, f"{guarded.base}/")
    assert web.request(f"{guarded.base}/a?b=c", fields=web.bearer(token)).body == b"ok"
    assert lines == ["GET /base/a?b=c HTTP/1.1"]


def test_a_server_at_a_unix_socket_is_guarded(guard, folder):
    lines = []
    path = os.path.join(folder, "behind.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()

        def answer():
            connection, _ = listener.accept()
            with connection:
                lines.append(connection.recv(65536).decode("latin-1").split("\r\n")[0])
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

        threading.Thread(target=answer, daemon=True).start()
        guarded = guard(f"unix:{path}")
        assert web.request(f"{guarded.base}/a").status == 401
        token = token_for(guarded, f"{guarded.base}/")
        assert web.request(f"{guarded.base}/a", fields=web.bearer(token)).body == b"ok"
    assert lines == ["GET /a HTTP/1.1"]


def test_both_listeners_are_on_loopback(guard, recorder):
    guarded = guard(recorder[0])
    for origin in [guarded.base, guarded.issuer]:
        assert urllib.parse.urlsplit(origin).hostname == "127.0.0.1", origin


def test_RFC_8707_the_demo_server_issues_for_the_guarded_resource_alone(guard, recorder):
    guarded = guard(recorder[0], "--resource", "https://api.example.com/mcp")
    client = web.send_json(f"{guarded.issuer}/register", {"grant_types": ["client_credentials"]}).json
    basic = web.basic(client["client_id"], client["client_secret"])
    form = {"grant_type": "client_credentials", "resource": "https://other.example"}
    assert web.post_form(f"{guarded.issuer}/token", form, basic).json["error"] == "invalid_target"
    token = token_for(guarded, "https://api.example.com/mcp")
    assert web.request(f"{guarded.base}/mcp", fields=web.bearer(token)).body == b"ok"
    assert web.request(f"{guarded.base}/mcp/x", fields=web.bearer(token)).body == b"ok"
    assert web.request(f"{guarded.base}/other", fields=web.bearer(token)).status == 404
    challenge = web.request(f"{guarded.base}/mcp").challenge
    assert challenge["resource_metadata"] == "https://api.example.com/.well-known/oauth-protected-resource/mcp"
    document = web.request(f"{guarded.base}/.well-known/oauth-protected-resource").json
    assert document["resource"] == "https://api.example.com/mcp"


def test_RFC_9207_the_answer_names_the_issuer_also_when_the_user_says_no(guard, recorder):
    guarded = guard(recorder[0])
    registered = web.send_json(
        f"{guarded.issuer}/register",
        {"redirect_uris": ["http://127.0.0.1:1/cb"], "token_endpoint_auth_method": "none"},
    ).json
    query = {
        "response_type": "code", "client_id": registered["client_id"], "redirect_uri": "http://127.0.0.1:9/cb",
        "state": "s", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    location = consent.allow(f"{guarded.issuer}/authorize?" + urllib.parse.urlencode(query))
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)["iss"] == [guarded.issuer]
    no = web.post_form(f"{guarded.issuer}/authorize", {**query, "decision": "deny"}).one("Location")
    found = urllib.parse.parse_qs(urllib.parse.urlsplit(no).query)
    assert found == {"error": ["access_denied"], "state": ["s"], "iss": [guarded.issuer]}


def test_GWY_19_a_server_that_is_not_there_is_502_and_a_line_of_the_log(guard):
    port = free_port()
    guarded = guard(f"http://127.0.0.1:{port}")
    assert guarded.errors == "" or "listening" in guarded.errors
    token = token_for(guarded, f"{guarded.base}/")
    answer = web.request(f"{guarded.base}/mcp", fields=web.bearer(token))
    assert answer.status == 502 and str(port) not in repr(answer)
    wait_until(lambda: f"gateway: http://127.0.0.1:{port}: " in guarded.errors, 5, "a line of the log")
    assert "answered 502" in guarded.errors


@pytest.mark.parametrize(
    ("words", "status", "sentence"),
    [
        (["--guard", "127.0.0.1:3000"], 2, "--guard must be a URL such as"),
        (["--guard", "ftp://127.0.0.1"], 2, "--guard must be a URL such as"),
        (["--guard", "http://127.0.0.1:3000/?q"], 2, "--guard must be a URL such as"),
        (["--guard", "http://h", "--resource", "http://api.example.com/"], 2, "--resource: "),
        (["--guard", "http://h", "--host", "0.0.0.0"], 2, "--host must be a loopback address"),
        (["--guard", "http://h", "--host", "unix:s"], 2, "--host must be a loopback address"),
        (["--guard", "http://h", "--issuer-port", "x"], 2, "--issuer-port needs a number"),
        (["--guard", "http://h", "--config", "c.json"], 2, "--guard cannot be combined with"),
        (["--resource", "https://h/"], 2, "--resource needs --guard"),
        (["--issuer-port", "1"], 2, "--issuer-port needs --guard"),
        (["--guard"], 2, "--guard needs a value"),
    ],
)
def test_words_that_cannot_be_used(binary, words, status, sentence):
    done = subprocess.run([binary, *words], capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout) == (status, ""), done
    assert done.stderr.startswith(f"example-server: {sentence}"), done.stderr


@pytest.mark.parametrize("option", ["--port", "--issuer-port"])
def test_a_port_in_use_is_named_with_its_option(binary, option):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        words = ["--port", "0", "--issuer-port", "0"]
        words[words.index(option) + 1] = port
        done = subprocess.run(
            [binary, "--guard", "http://127.0.0.1:3000", *words], capture_output=True, text=True, timeout=20
        )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"{option}: {port} is in use by another program"), done.stderr
