# SPDX-License-Identifier: MIT
"""Tokens that their issuer withdraws by a status list, on servers that only fetch the list."""

import threading
import time
import zlib

import pytest
from support.processes import free_port, wait_until
from support.status_lists import StatusListIssuer
from support.web import request


@pytest.fixture
def lists():
    issuer = StatusListIssuer()
    yield issuer
    issuer.stop()


def configuration(base, issuer, admin=None, **status_list):
    entry = issuer.settings | ({"status_list": status_list} if status_list else {})
    routes = [
        {"path": "/notes", "scopes": ["notes.read"], "respond": "principal"},
        {"path": "/notes/stream", "scopes": ["notes.read"], "respond": {"stream": 9000}},
    ]
    resource = {
        "metadata": {
            "resource": f"{base}/notes", "authorization_servers": [issuer.issuer], "scopes_supported": ["notes.read"],
        },
        "routes": routes,
    }
    found = {"authorization_servers": [entry], "resources": [resource]}
    if admin:
        found["admin"] = {"host": "127.0.0.1", "port": admin}
    return found


def streaming(server, token, ends):
    """Reads a stream until it ends, and notes when."""

    def read():
        try:
            request(f"{server.base}/notes/stream", fields=[("Authorization", f"Bearer {token}")], timeout=120)
        except Exception:  # A stream that is cut is no complete answer.
            pass
        ends.append(time.monotonic())

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def test_a_revoked_token_is_refused_within_the_ttl_and_its_stream_ends(serve, lists, base):
    other_base = f"http://127.0.0.1:{free_port()}"
    admin = free_port()
    # Both processes serve the same resource: the second one as behind a proxy, since Host does not matter.
    servers = [serve(configuration(base, lists, admin), base), serve(configuration(base, lists), other_base)]
    revoked = lists.token(f"{base}/notes", "notes.read", 412)
    other = lists.token(f"{base}/notes", "notes.read", 413)
    for server in servers:
        for token in (revoked, other, revoked):
            assert server.get("/notes", token).status == 200, server.errors
    assert lists.count == 2, "one fetch by each process"

    ends = []
    threads = [streaming(server, revoked, ends) for server in servers]
    time.sleep(1)
    assert ends == []
    lists.revoke(412)
    start = time.monotonic()
    for server in servers:
        wait_until(lambda: server.get("/notes", revoked).status == 401, 40, "the token is refused")
    assert time.monotonic() - start < 32
    for thread in threads:
        thread.join(10)
    assert len(ends) == 2 and max(ends) - start < 34
    for server in servers:
        answer = server.get("/notes", revoked)
        assert answer.challenge["error"] == "invalid_token", answer
        assert answer.challenge["error_description"] == "The access token is revoked"
        assert server.get("/notes", other).status == 200
        assert "412" not in server.errors, "logs have no index"
    assert lists.count == 4
    for line, fields in lists.heads:
        assert line == "GET /statuslists/1 HTTP/1.1"
        names = sorted(field.split(":")[0].lower() for field in fields)
        assert names == ["accept", "accept-encoding", "host", "user-agent"], names
        assert "Accept: application/statuslist+jwt" in fields and "Accept-Encoding: identity" in fields
    metrics = request(f"http://127.0.0.1:{admin}/metrics").body.decode()
    labels = f'issuer="{lists.issuer}",kind="status_list",outcome="ok"'
    assert f"portcullis_authorization_server_call_duration_seconds_count{{{labels}}} 2" in metrics
    assert 'portcullis_refusals_total{reason="revokedToken"}' in metrics
    assert f'portcullis_table_entries{{table="status_lists",owner="{lists.issuer}"}} 1' in metrics


def test_a_list_that_cannot_be_had_is_503_and_a_hostile_one_too(serve, lists, base):
    server = serve(configuration(base, lists), base)
    token = lists.token(f"{base}/notes", "notes.read", 1)

    def failing(handler):
        handler.send_response(500)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def endless(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/statuslist+jwt")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(b"10000\r\n" + b"A" * 65536 + b"\r\n")
        except OSError:
            handler.close_connection = True

    # Made before it is asked for: this takes seconds.
    zeros = zlib.compress(bytes(1 << 28), 9)

    def bomb(handler):
        body = lists.list(zeros).encode()
        handler.send_response(200)
        handler.send_header("Content-Type", "application/statuslist+jwt")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    lists.answers += [failing, endless, bomb]
    answer = server.get("/notes", token)
    assert answer.status == 503, answer
    assert answer.one("Retry-After") == "5" and answer.all("WWW-Authenticate") == []
    for number in (2, 3):
        wait_until(lambda: lists.count >= number, 20, "the list is fetched again")
        wait_until(lambda: server.get("/notes", token).status == 503, 5, "the token is refused")
    # The next fetch is right.
    wait_until(lambda: server.get("/notes", token).status == 200, 20, "the token is accepted")
    said = server.errors
    assert "the answer has status 500, not 200" in said
    assert "larger than max_response_bytes" in said
    assert "the list inflates to more than max_list_bytes" in said


def test_the_policy_of_the_file(serve, lists, base):
    lists.revoke(1)
    ignoring = serve(configuration(base, lists, use="off"), base)
    assert ignoring.get("/notes", lists.token(f"{base}/notes", "notes.read", 1)).status == 200
    assert "status_list is off" in ignoring.errors
    assert lists.count == 0
    other = f"http://127.0.0.1:{free_port()}"
    requiring = serve(configuration(other, lists, use="required"), other)
    assert requiring.get("/notes", lists.signer.token(f"{other}/notes", "notes.read")).status == 401
    assert requiring.get("/notes", lists.token(f"{other}/notes", "notes.read", 2)).status == 200
    assert requiring.get("/notes", lists.token(f"{other}/notes", "notes.read", 1)).status == 401
