# SPDX-License-Identifier: MIT
"""SIGHUP and SIGTERM while clients send requests."""

import http.client
import signal
import threading
import time

import pytest
from support.example_server import photos_and_notes, write
from support.load import Load
from support.processes import wait_until
from support.tokens import ISSUER, Signer


@pytest.fixture
def signer():
    return Signer()


@pytest.fixture
def configuration(base, signer):
    made = photos_and_notes(base, ISSUER, authorization_server={"jwks": signer.jwks})
    del made["authorization_servers"][0]["allow_insecure_loopback"]
    made["server"] = {"event_loops": 2}
    made["public_routes"] += [{"path": "/slow", "respond": {"sleep_seconds": 1}}]
    return made


@pytest.fixture
def server(serve, configuration, base):
    return serve(configuration, base)


def reload(server, configuration, folder, text=None):
    """Rewrites the file, sends the signal, and waits until the log has the result."""
    path = write(configuration, folder, "config-0.json")
    if text is not None:
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    before = len(server.errors)
    server.program.send(signal.SIGHUP)

    def outcome():
        said = server.errors[before:]
        return said if "reload: the file is" in said else None

    return wait_until(outcome, 10, "the log has the result of the reload")


def test_metadata_routes_and_validation_are_replaced(server, configuration, folder, base, signer):
    token = signer.token(f"{base}/photos", "photos.read")
    assert server.get("/photos/7", token).status == 200
    photos = configuration["resources"][0]
    photos["metadata"]["resource_name"] = "Photographs"
    photos["routes"][0]["scopes"] = ["photos.write"]
    configuration["public_routes"][0]["respond"] = {"text": "Good day"}
    configuration["public_routes"].append({"path": "/new", "respond": {"text": "new"}})
    assert "reload: the file is in use\n" in reload(server, configuration, folder)
    metadata = server.get("/.well-known/oauth-protected-resource/photos").json
    assert metadata["resource_name"] == "Photographs"
    assert server.get("/photos/7", token).status == 403
    assert server.get("/hello").body == b"Good day"
    assert server.get("/new").body == b"new"


def test_other_keys_apply_at_once_and_no_token_stays_cached(server, configuration, folder, base, signer):
    token = signer.token(f"{base}/photos", "photos.read")
    assert server.get("/photos/7", token).status == 200
    other = Signer()
    configuration["authorization_servers"][0]["jwks"] = other.jwks
    reload(server, configuration, folder)
    assert server.get("/photos/7", token).status == 401
    assert server.get("/photos/7", other.token(f"{base}/photos", "photos.read")).status == 200


@pytest.mark.parametrize("text", ["{", '{"resources": []}', None])
def test_an_invalid_file_changes_nothing(server, configuration, folder, base, signer, text):
    token = signer.token(f"{base}/photos", "photos.read")
    configuration["resources"][0]["unknown"] = 1
    configuration["public_routes"][0]["respond"] = {"text": "never"}
    said = reload(server, configuration, folder, text)
    assert "reload: $" in said and "stays in use" in said
    assert server.get("/hello").body == b"Hello, world"
    assert server.get("/photos/7", token).status == 200
    del configuration["resources"][0]["unknown"]
    reload(server, configuration, folder)
    assert server.get("/hello").body == b"never", "the file can be corrected afterwards"


def test_changes_that_need_a_restart_are_reported(server, configuration, folder):
    configuration["server"].update({"port": 1, "event_loops": 3, "shutdown_grace_seconds": 1})
    said = reload(server, configuration, folder)
    for key in ["port", "event_loops", "shutdown_grace_seconds"]:
        assert f"reload: $.server.{key} has changed" in said
    assert "$.server.host" not in said
    assert server.get("/hello").status == 200


def test_limits_apply_to_new_connections_and_open_ones_keep_theirs(server, configuration, folder):
    host, port = server.base.split("//")[1].split(":")
    old = http.client.HTTPConnection(host, int(port), timeout=10)
    long = "/hello?" + "a" * 200

    def ask(connection):
        connection.request("GET", long)
        response = connection.getresponse()
        response.read()
        return response.status

    assert ask(old) == 200
    configuration["server"]["limits"] = {"max_target_bytes": 100}
    reload(server, configuration, folder)
    assert server.get(long).status == 414
    assert ask(old) == 200
    old.close()


def test_a_request_in_flight_ends_with_the_old_routes(server, configuration, folder):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(server.get("/slow")))
    thread.start()
    time.sleep(0.3)
    configuration["public_routes"] = [route for route in configuration["public_routes"] if route["path"] != "/slow"]
    reload(server, configuration, folder)
    assert server.get("/slow").status == 404
    thread.join(10)
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"slept")]


def test_reloading_under_load_drops_no_connection(server, configuration, folder, base, signer):
    plain = Load(server.base, "/hello", threads=3)
    bearer = {"Authorization": "Bearer " + signer.token(f"{base}/photos", "photos.read")}
    guarded = Load(server.base, "/photos/7", threads=3, fields=bearer)
    for number in range(10):
        configuration["public_routes"][0]["respond"] = {"text": f"Hello, {number}"}
        reload(server, configuration, folder)
        plain.wait_for_answers(20)
        guarded.wait_for_answers(20)
    plain.stop()
    guarded.stop()
    assert plain.problems == [] and guarded.problems == []
    assert plain.connections == 3 and guarded.connections == 3, "every client kept its connection"
    assert plain.bodies >= {f"Hello, {number}".encode() for number in range(10)}


def test_stopping_under_load_loses_no_answer(server):
    load = Load(server.base, "/hello", threads=6, reconnecting=True)
    load.wait_for_answers(200)
    server.program.send(signal.SIGTERM)
    load.wait_until_refused()
    assert server.program.wait(5) == 0
    assert load.problems == []
