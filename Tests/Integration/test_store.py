# SPDX-License-Identifier: MIT
"""Several example servers on one Valkey or Redis share what they have seen (RFC 9449 section 11.1,
RFC 7662 section 4).
"""

import concurrent.futures
import http.client
import os
import signal
import socket
import subprocess

import pytest
from support import secrecy, store, web
from support.certificates import Certificates
from support.dpop import Client, encoded
from support.example_server import resource, write
from support.introspecting import Introspecting
from support.processes import free_port, wait_until
from support.tokens import ISSUER, Signer

pytestmark = pytest.mark.skipif(store.PROGRAM is None, reason="neither valkey-server nor redis-server is installed")

PASSWORD = "a password of the store"


@pytest.fixture
def signer():
    return Signer()


@pytest.fixture
def introspecting():
    server = Introspecting()
    yield server
    server.stop()


@pytest.fixture
def start_store(folder):
    running = []

    def begin(*words, **others):
        running.append(store.Store(folder, *words, **others))
        return running[-1]

    yield begin
    for server in running:
        server.stop()


@pytest.fixture
def configuration(base, signer, introspecting):
    """Photos with DPoP, notes with bearer tokens, archive with introspected tokens."""

    def make(settings, dpop=None, **tokens):
        photos = resource(
            f"{base}/photos", [ISSUER], ["photos.read"],
            [{"path": "/photos/{id}", "scopes": ["photos.read"], "respond": "principal"}],
            tokens={"dpop": dpop or {}},
        )
        photos["metadata"]["dpop_signing_alg_values_supported"] = ["ES256"]
        notes = resource(f"{base}/notes", [ISSUER], ["notes.read"], [{"path": "/notes", "respond": "principal"}])
        archive = resource(
            f"{base}/archive", [introspecting.issuer], ["archive.read"],
            [{"path": "/archive", "respond": "principal"}], tokens={"format": "opaque", **tokens},
        )
        return {
            "server": {"event_loops": 1},
            "store": {"timeout_seconds": 10, **settings},
            "authorization_servers": [
                {"issuer": ISSUER, "jwks": signer.jwks},
                {
                    "issuer": introspecting.issuer,
                    "introspection": introspecting.settings,
                    "allow_insecure_loopback": True,
                },
            ],
            "resources": [photos, notes, archive],
            "public_routes": [{"path": "/hello", "respond": {"text": "Hello"}}],
        }

    return make


def reload(server, configuration, folder, name="config-0.json"):
    write(configuration, folder, name)
    before = len(server.errors)
    server.program.send(signal.SIGHUP)
    wait_until(lambda: "reload: the file is in use" in server.errors[before:], 20, "the file is read again")
    return server.errors[before:]


def use(server, client, proof=None):
    return server.get("/photos/7", fields=client.fields(proof or client.proof()), timeout=30)


def refused_for_now(answer):
    assert answer.status == 503, answer
    assert int(answer.one("Retry-After")) > 0
    assert answer.challenges == []
    return True


def test_four_servers_never_accept_one_proof_twice(serve, start_store, configuration, base, signer):
    settings = configuration({"url": start_store().url})
    four = [serve(settings) for _ in range(4)]
    client = Client(base, signer)

    def send(connection, fields):
        connection.putrequest("GET", "/photos/7")
        for name, value in fields:
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        answer.read()
        return answer.status

    connections = []
    for server in four * 2:
        host, port = server.base.split("//")[1].split(":")
        connections.append(http.client.HTTPConnection(host, int(port), timeout=30))
    with concurrent.futures.ThreadPoolExecutor(len(connections)) as pool:
        for _ in range(60):
            fields = client.fields(client.proof())
            answers = list(pool.map(lambda connection: send(connection, fields), connections))
            assert sorted(answers) == [200] + [401] * 7
    for connection in connections:
        connection.close()
    proof = client.proof()
    assert use(four[0], client, proof).status == 200
    for server in four:
        answer = use(server, client, proof)
        assert (answer.status, answer.challenges[0][1]["error"]) == (401, "invalid_dpop_proof")


def test_a_token_is_introspected_once_for_all(serve, start_store, configuration, base, introspecting):
    settings = configuration({"url": start_store().url}, introspection_cache_seconds=300, inactive_cache_seconds=300)
    four = [serve(settings) for _ in range(4)]
    good = introspecting.issue("an opaque token".replace(" ", "-"), f"{base}/archive")
    for server in four * 2:
        answer = server.get("/archive", good, timeout=30)
        assert (answer.status, answer.json["subject"]) == (200, "user"), (answer, server.errors)
    assert introspecting.count(good) == 1
    bad = "nobody-issued-this-token"
    for server in four * 2:
        answer = server.get("/archive", bad, timeout=30)
        assert (answer.status, answer.challenge["error"]) == (401, "invalid_token")
    assert introspecting.count(bad) == 1


def test_an_inactive_answer_is_shared_for_its_own_lifetime(
    serve, start_store, configuration, base, introspecting
):
    settings = configuration({"url": start_store().url}, introspection_cache_seconds=300, inactive_cache_seconds=1)
    two = [serve(settings) for _ in range(2)]
    token = "a-token-that-comes-late"
    assert [server.get("/archive", token).status for server in two] == [401, 401]
    introspecting.issue(token, f"{base}/archive")
    for server in two:
        wait_until(lambda: server.get("/archive", token).status == 200, 20, "the token is asked for again")


def test_while_the_store_is_unavailable_only_dpop_is_503(
    serve, start_store, configuration, base, signer, introspecting
):
    valkey = start_store()
    settings = configuration({"url": valkey.url})
    port = free_port()
    settings["admin"] = {"port": port}
    server = serve(settings)
    client, bearer = Client(base, signer), signer.token(f"{base}/notes", "notes.read")
    opaque = introspecting.issue("opaque-while-the-store-is-away", f"{base}/archive")
    assert use(server, client).status == 200

    def health():
        text = web.request(f"http://127.0.0.1:{port}/metrics").body.decode()
        return next(line for line in text.splitlines() if line.startswith("portcullis_store_up "))

    wait_until(lambda: health() == "portcullis_store_up 1", 20, "the metrics show the store as available")
    valkey.kill()
    for _ in range(5):
        refused_for_now(use(server, client))
    assert server.get("/notes", bearer).status == 200
    assert server.get("/archive", opaque).status == 200
    assert server.get("/photos/7").status == 401
    assert web.request(f"http://127.0.0.1:{port}/readyz").status == 200
    wait_until(lambda: health() == "portcullis_store_up 0", 20, "the metrics show the store as unavailable")
    assert server.errors.count("store: unavailable, ") == 1
    valkey.start()
    wait_until(lambda: use(server, client).status == 200, 20, "the store is found again")
    wait_until(lambda: server.errors.count("store: available\n") == 2, 20, "the log reports it")
    proof = client.proof()
    assert [use(server, client, proof).status for _ in range(2)] == [200, 401]


def test_a_hanging_store_delays_requests_only_briefly(serve, start_store, configuration, base, signer):
    valkey = start_store()
    server = serve(configuration({"url": valkey.url, "timeout_seconds": 0.3}))
    client, bearer = Client(base, signer), signer.token(f"{base}/notes", "notes.read")
    wait_until(lambda: use(server, client).status == 200, 20, "the store answers")
    valkey.pause()
    with concurrent.futures.ThreadPoolExecutor(9) as pool:
        waiting = [pool.submit(use, server, client, client.proof()) for _ in range(8)]
        assert server.get("/notes", bearer).status == 200
        assert server.get("/hello").status == 200
        assert all(refused_for_now(answer.result()) for answer in waiting)
    valkey.resume()
    wait_until(lambda: use(server, client).status == 200, 20, "the store is found again")


@pytest.mark.parametrize("piece, pause", [(b"0", 0.01), (b"*65\r\n" + b":1\r\n" * 1000, 0.0), (b"$4194305\r\n", 0.0)])
def test_a_store_with_endless_answers_delays_requests_only_briefly(serve, configuration, base, signer, piece, pause):
    broken = store.BrokenStore(piece, pause)
    try:
        server = serve(configuration({"url": broken.url, "timeout_seconds": 0.3}))
        client, bearer = Client(base, signer), signer.token(f"{base}/notes", "notes.read")
        for _ in range(5):
            refused_for_now(use(server, client))
            assert server.get("/notes", bearer).status == 200
        assert broken.cut.acquire(timeout=20)
    finally:
        broken.stop()


def test_a_store_with_tls_users_and_databases(serve, start_store, configuration, folder, base, signer):
    certificates = Certificates(folder)
    secrecy.note(PASSWORD)
    words = ["--requirepass", "another password", "--user", "portcullis", "on", f">{PASSWORD}", "~p:*", "&p:*", "+@all"]
    valkey = start_store(*words, tls=certificates)
    with open(os.path.join(folder, "password"), "w", encoding="utf-8") as file:
        file.write(PASSWORD + "\n")
    settings = {
        "url": f"{valkey.url}/3",
        "username": "portcullis",
        "password_file": "password",
        "ca_certificates": "ca.pem",
        "client_certificate": "client.pem",
        "client_private_key": "client.key",
        "key_prefix": "p:",
    }
    two = [serve(configuration(settings)) for _ in range(2)]
    client = Client(base, signer)
    proof = client.proof()
    assert [use(server, client, proof).status for server in two] == [200, 401], two[0].errors
    tls = ["--tls", "--cacert", certificates.path("ca.pem"), "--cert", certificates.path("client.pem")]
    command = [store.CLIENT, "-p", str(valkey.port), *tls, "--key", certificates.path("client.key"), "-n", "3"]
    keys = subprocess.run(
        [*command, "--no-auth-warning", "-a", "another password", "--raw", "KEYS", "*"], capture_output=True, check=True
    ).stdout
    assert keys.startswith(b"p:proof:")


def test_a_store_is_verified_with_the_systems_trust_anchors(
    serve, start_store, configuration, folder, base, signer, monkeypatch
):
    certificates = Certificates(folder)
    monkeypatch.setenv("SSL_CERT_FILE", certificates.path("ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", "")
    valkey = start_store("--tls-auth-clients", "no", tls=certificates)
    server = serve(configuration({"url": valkey.url}))
    client = Client(base, signer)
    wait_until(lambda: use(server, client).status == 200, 20, "the store's certificate is trusted")


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"password": "a wrong password"}, "it rejects the user and password"),
        ({"ca_certificates": "self-signed.pem"}, "the TLS handshake failed"),
        ({"database": 99}, "it rejects the database"),
    ],
)
def test_a_store_that_denies_access_is_unavailable_until_the_file_is_corrected(
    serve, start_store, configuration, folder, base, signer, wrong, said
):
    certificates = Certificates(folder)
    words = ["--requirepass", PASSWORD, "--tls-auth-clients", "no"]
    valkey = start_store(*words, tls=certificates)
    database = wrong.pop("database", None)
    right = {"url": valkey.url, "password": PASSWORD, "ca_certificates": "ca.pem"}
    settings = configuration({**right, **wrong, **({"url": f"{valkey.url}/{database}"} if database else {})})
    server = serve(settings)
    client = Client(base, signer)
    refused_for_now(use(server, client))
    wait_until(lambda: f"store: unavailable, {said}" in server.errors, 20, "the log says why")
    settings["store"].update(right)
    errors = reload(server, settings, folder)
    if database is None:
        wait_until(lambda: use(server, client).status == 200, 20, "the new file is in use")
    else:
        assert "reload: $.store names another store; restart to apply it" in errors
        refused_for_now(use(server, client))
    assert PASSWORD not in server.errors and "a wrong password" not in server.errors


def test_records_survive_a_reload_and_a_restart(serve, start_store, configuration, folder, base, signer):
    valkey = start_store()
    settings = configuration({"url": valkey.url})
    server = serve(settings)
    client = Client(base, signer)
    proof = client.proof()
    assert use(server, client, proof).status == 200
    settings["store"]["timeout_seconds"] = 9
    assert "another place" not in reload(server, settings, folder)
    assert use(server, client, proof).status == 401
    for change in [{"url": f"redis://127.0.0.1:{free_port()}"}, {"url": valkey.url, "key_prefix": "other:"}]:
        settings["store"].update(change)
        for _ in range(2):
            assert "reload: $.store names another store" in reload(server, settings, folder)
            assert use(server, client, proof).status == 401
            assert use(server, client).status == 200
    kept = settings.pop("store")
    assert "reload: $.store names another store" in reload(server, settings, folder)
    assert use(server, client, proof).status == 401
    del kept["key_prefix"]
    settings["store"] = kept
    assert use(serve(settings), client, proof).status == 401


def test_nonces_are_shared_by_key_files_that_are_changed_one_after_the_other(
    serve, start_store, configuration, folder, base, signer
):
    old, new = encoded(os.urandom(32)), encoded(os.urandom(32))
    for key in [old, new]:
        secrecy.note(key)

    def put(index, *keys):
        with open(os.path.join(folder, f"nonce-keys-{index}"), "w", encoding="utf-8") as file:
            file.write("\n".join(keys) + "\n")

    url = start_store().url
    files = [configuration({"url": url}, {"nonce": "required", "nonce_keys_file": f"nonce-keys-{i}"}) for i in range(2)]
    for index in range(2):
        put(index, old)
    servers = [serve(settings) for settings in files]
    client = Client(base, signer)

    def exchange():
        for first, second in [servers, servers[::-1]]:
            answer = use(first, client)
            assert answer.challenges[0][1]["error"] == "use_dpop_nonce"
            answer = use(second, client, client.proof(nonce=answer.one("DPoP-Nonce")))
            assert answer.status == 200, (answer, second.errors)

    exchange()
    # Every server accepts the new key before any uses it, and the old one until none uses it.
    for keys in [[old, new], [new, old], [new]]:
        for index, server in enumerate(servers):
            put(index, *keys)
            reload(server, files[index], folder, f"config-{index}.json")
            exchange()


def check(binary, folder, configuration):
    path = write(configuration, folder, "checked.json")
    done = subprocess.run([binary, "--check", path], capture_output=True, text=True, timeout=20)
    secrecy.said("--check", done.stderr)
    return done.returncode, done.stderr


def problems(errors):
    return [
        line for line in errors.splitlines() if ": warning: " not in line and "the configuration is valid" not in line
    ]


def test_check_opens_no_connection(binary, folder, configuration):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        url = f"redis://127.0.0.1:{listener.getsockname()[1]}"
        status, errors = check(binary, folder, configuration({"url": url, "password": PASSWORD}))
        assert (status, problems(errors)) == (0, [])
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.parametrize(
    "settings, line",
    [
        ({}, "$.store.url: missing"),
        ({"url": f"redis://user:{PASSWORD.replace(' ', '-')}@127.0.0.1:1"}, "$.store.url: must be"),
        ({"url": "redis://127.0.0.1", "passwort": PASSWORD}, "$.store.passwort: unknown key"),
        ({"url": "redis://127.0.0.1", "password": 7}, "$.store.password: must be a string"),
        ({"url": "redis://127.0.0.1", "username": "u"}, "$.store.username: needs a password"),
        ({"url": "redis://127.0.0.1", "password": PASSWORD, "password_file": "x"}, "$.store.password_file: must not"),
        ({"url": "redis://127.0.0.1", "password_file": "absent"}, "$.store.password_file: cannot be read"),
        ({"url": "redis://127.0.0.1", "ca_certificates": "x"}, "$.store.ca_certificates: is used only with TLS"),
        ({"url": "rediss://127.0.0.1", "ca_certificates": "absent"}, "$.store.ca_certificates: cannot be read"),
        ({"url": "rediss://127.0.0.1", "client_certificate": "x"}, "$.store.client_private_key: missing"),
        ({"url": "redis://127.0.0.1", "timeout_seconds": 0}, "$.store.timeout_seconds: must be"),
    ],
)
def test_each_problem_names_its_place(binary, folder, configuration, settings, line):
    made = configuration(settings)
    if "timeout_seconds" not in settings:
        del made["store"]["timeout_seconds"]
    status, errors = check(binary, folder, made)
    assert status == 1
    (problem,) = problems(errors)
    assert problem.startswith(line)
    assert PASSWORD not in errors and PASSWORD.replace(" ", "-") not in errors


def test_unwise_settings_are_warnings(binary, folder, configuration):
    settings = configuration({"url": "redis://store.example:6379/0"}, {"nonce": "required"})
    status, errors = check(binary, folder, settings)
    assert status == 0
    assert "$.store.url: warning: is not encrypted" in errors
    assert "$.resources[0].tokens.dpop.nonce: warning: is required without nonce_keys" in errors
