# SPDX-License-Identifier: MIT
"""The admin listener."""

import re
import socket
import time

import pytest
from support.example_server import ExampleServer, photos_and_notes, write
from support.processes import free_port, wait_until
from support.tokens import ISSUER, Signer
from support import web

SAMPLE = re.compile(r'((?:portcullis|http_server)_[a-z_]+)(\{[a-z_]+="[^"\n]*"(,[a-z_]+="[^"\n]*")*\})? [0-9.e+-]+')


@pytest.fixture
def configuration(base):
    made = photos_and_notes(base, ISSUER, authorization_server={"jwks": Signer().jwks})
    del made["authorization_servers"][0]["allow_insecure_loopback"]
    made["admin"] = {"port": 0}
    made["server"] = {"limits": {"max_connections": 2}}
    return made


@pytest.fixture
def admin_of():
    def address(server):
        line = server.program.line(5)
        found = re.fullmatch(r"admin on (http://127\.0\.0\.1:\d+)", line or "")
        assert found, line
        return found.group(1)

    return address


def sample(admin, name):
    text = web.request(admin + "/metrics").body.decode()
    found = [line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(name + " ")]
    return float(found[0]) if found else 0.0


def test_requests_are_counted_by_route_and_status(serve, configuration, base, admin_of):
    server = serve(configuration, base)
    admin = admin_of(server)
    for _ in range(3):
        server.get("/hello")
    server.get("/photos/7")
    answer = web.request(admin + "/metrics")
    assert answer.status == 200 and answer.media_type == "application/openmetrics-text"
    lines = answer.body.decode().splitlines()
    assert lines[-1] == "# EOF"
    assert all(line.startswith("# ") or SAMPLE.fullmatch(line) for line in lines), lines
    for route, status, count in [("/hello", 200, 3), ("/photos/{id}", 401, 1)]:
        labels = (
            f'http_request_method="GET",url_scheme="http",http_response_status_code="{status}",http_route="{route}"'
        )
        name = "http_server_request_duration_seconds_count"
        assert f'{name}{{{labels},network_protocol_version="1.1"}} {count}' in lines
    assert 'portcullis_refusals_total{reason="missingCredentials"} 1' in lines
    assert not any("/metrics" in line for line in lines), "the listeners share no metrics"


def test_health_and_readiness(serve, configuration, base, admin_of):
    admin = admin_of(serve(configuration, base))
    assert web.request(admin + "/healthz").status == 200
    assert web.request(admin + "/readyz").status == 200
    assert web.request(admin + "/hello").status == 404


def test_the_server_is_not_ready_without_keys(serve, configuration, base, admin_of):
    issuer = f"http://127.0.0.1:{free_port()}"
    configuration.update(photos_and_notes(base, issuer))
    server = serve(configuration, base)
    admin = admin_of(server)
    assert web.request(admin + "/readyz").status == 503
    assert web.request(admin + "/healthz").status == 200


def test_the_main_listener_has_no_admin_routes(serve, configuration, base, admin_of):
    server = serve(configuration, base)
    admin_of(server)
    assert [server.get(path).status for path in ["/healthz", "/readyz", "/metrics"]] == [404, 404, 404]


def test_a_port_in_use_ends_the_server(binary, configuration, folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        configuration["admin"]["port"] = taken.getsockname()[1]
        with pytest.raises(AssertionError, match=r"\$\.admin\.port: [0-9]+ is in use by another program"):
            ExampleServer(binary, ["--config", write(configuration, folder), "--port", "0"], folder)
