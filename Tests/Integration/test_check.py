# SPDX-License-Identifier: MIT
"""`portcullis check` as a program: our own demo, other servers, and hostile servers."""

import http.server
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import xml.dom.minidom

import pytest
from support import nginx
from support.processes import Program, free_port, is_open, wait_until
from support.tokens import Signer

WELL_KNOWN = "/.well-known/oauth-protected-resource"


@pytest.fixture(scope="session")
def portcullis(binary):
    path = os.environ.get("PORTCULLIS") or os.path.join(os.path.dirname(binary), "portcullis")
    assert os.access(path, os.X_OK), f"no portcullis at {path}: name it in PORTCULLIS"
    return path


@pytest.fixture
def check(portcullis):
    def run(*words, seconds=120, environment=None):
        return subprocess.run(
            [portcullis, "check", *words],
            capture_output=True,
            text=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            env=environment,
        )

    return run


@pytest.fixture
def report(check):
    """The report on one resource of this machine, and the exit status."""

    def run(url, *words):
        done = check("--json", "--allow-private", *words, url)
        answer = json.loads(done.stdout)
        assert len(answer["reports"]) == 1 and done.stderr == ""
        return answer["reports"][0], done.returncode

    return run


def codes(report, *levels):
    return sorted({finding["code"] for finding in report["findings"] if finding["level"] in levels})


FULL = {"result": "pass", "score": 1.0, "document": True, "authorization_servers": True}


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers from its server's table: path to (status, fields, body), or a function of the request."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        self.server.seen.append((self.command, self.path))
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        found = self.server.table.get(self.path, (404, {}, b""))
        status, fields, body = found(self) if callable(found) else found
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_OPTIONS = do_POST = answer

    def log_message(self, *_):
        pass


class TableServer(http.server.ThreadingHTTPServer):
    """A small hand-written server, as an API's author might write it."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.base = f"http://127.0.0.1:{self.server_address[1]}"
        self.table, self.seen = {}, []
        threading.Thread(target=self.serve_forever, args=[0.05], daemon=True).start()

    def json(self, path, value, **fields):
        fields = {name.replace("_", "-"): text for name, text in fields.items()}
        self.table[path] = (200, {"Content-Type": "application/json", **fields}, json.dumps(value).encode())


@pytest.fixture
def table():
    server = TableServer()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def issuer(table):
    """An authorization server with correct metadata."""
    table.json(
        f"{WELL_KNOWN.replace('protected-resource', 'authorization-server')}",
        {
            "issuer": table.base,
            "authorization_endpoint": f"{table.base}/authorize",
            "token_endpoint": f"{table.base}/token",
            "jwks_uri": f"{table.base}/keys",
            "registration_endpoint": f"{table.base}/register",
            "code_challenge_methods_supported": ["S256"],
        },
    )
    table.json("/keys", Signer().jwks)
    return table.base


# Our own server.


@pytest.fixture
def demo(binary, folder):
    program = Program([binary, "--port", "0"], folder, "demo")
    line = program.line(20)
    assert line and line.startswith("listening on "), program.errors
    yield line.removeprefix("listening on ")
    assert program.stop() == 0, program.errors


def test_our_own_demo_has_the_full_score(report, demo):
    for path in ("photos", "notes"):
        found, status = report(f"{demo}/{path}")
        assert (status, found["result"], found["readiness"]) == (0, "pass", FULL), found
        assert codes(found, "fail") == []
        assert found["root_readiness"] == FULL, "the photos have the root alias"


def test_the_text_report(check, demo):
    shown = check("--allow-private", f"{demo}/photos")
    assert shown.returncode == 0 and shown.stderr == ""
    assert "agent-readiness 1.0 of 1.0" in shown.stdout and "\x1b" not in shown.stdout
    assert re.search(r"^    ok    A call without a token is answered 401\.$", shown.stdout, re.MULTILINE)


# Other servers.


@pytest.fixture
def foreign(folder, issuer):
    """Starts a program of `support` that serves one resource, and returns the resource."""
    running = []

    def start(script, python=sys.executable):
        port = free_port()
        path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "support", script)
        program = Program([python, path, port, issuer], folder, script)
        running.append(program)
        assert program.line(60) == "ready", program.errors
        return f"http://127.0.0.1:{port}/mcp"

    yield start
    for program in running:
        program.stop()


def test_the_resource_server_of_the_mcp_package(report, foreign):
    found, status = report(foreign("mcp_package_server.py"))
    assert (status, found["readiness"]) == (0, FULL), found
    # Known behaviour: an error code without a token, preflights that require one, a redirect for the slash.
    assert {"challenge.error", "probe.preflight", "probe.slash"} <= set(codes(found, "warn"))
    assert {"challenge.scope", "root.document"} <= set(codes(found, "note"))
    assert {"server.metadata", "server.keys", "metadata.resource", "clients.challenge"} <= set(codes(found, "pass"))


def test_the_resource_server_of_fastmcp(report, foreign):
    python = os.environ.get("FASTMCP_PYTHON")
    if not python:
        pytest.skip("FASTMCP_PYTHON names no Python with FastMCP; Tests/run --all makes one")
    found, status = report(foreign("fastmcp_server.py", python))
    assert (status, found["readiness"]) == (0, FULL), found
    assert "probe.slash" in codes(found, "warn") and "root.document" in codes(found, "note")
    assert {"challenge.resource-metadata", "metadata.resource", "server.metadata"} <= set(codes(found, "pass"))


NGINX = """
daemon off; master_process off; pid nginx.pid; error_log stderr crit;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fcgi;
  uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{port};
    location = {well_known}/api {{ default_type application/json; alias {folder}/document.json; }}
    location /api {{
      add_header WWW-Authenticate 'Bearer realm="api"' always;
      return 401;
    }}
    location / {{ try_files $uri /index.html; root {folder}/app; }}
  }}
}}
"""


def test_nginx_with_a_hand_written_document(report, folder, issuer):
    assert nginx.PROGRAM, "no nginx: Tests/run fetches one"
    port = free_port()
    os.makedirs(f"{folder}/app")
    for name, text in {
        "app/index.html": "<!doctype html><title>App</title>",
        "document.json": json.dumps({"resource": f"http://127.0.0.1:{port}/api", "authorization_servers": [issuer]}),
        "nginx.conf": NGINX.format(port=port, well_known=WELL_KNOWN, folder=folder),
    }.items():
        with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    program = Program([nginx.PROGRAM, "-p", folder, "-c", f"{folder}/nginx.conf"], folder, "nginx")
    try:
        wait_until(lambda: is_open(port), 20, "nginx listens")
        found, status = report(f"http://127.0.0.1:{port}/api")
    finally:
        program.stop()
    assert found["readiness"] == FULL and status == 1
    # The app's page for every unknown path: clients that try the root take it for the document.
    assert codes(found, "fail") == ["probe.unknown-suffix"]
    warnings = set(codes(found, "warn"))
    assert {"challenge.resource-metadata", "metadata.cache", "probe.metadata-cors", "probe.bad-token"} <= warnings
    assert found["root_readiness"]["score"] == 0


def test_a_small_hand_written_server_with_the_usual_mistakes(report, table, issuer):
    table.table["/api"] = (401, {"WWW-Authenticate": "Bearer resource_metadata=" + issuer}, b"")
    table.json(f"{WELL_KNOWN}/api", {"resource": f"{table.base}/api/", "authorization_servers": [issuer + "/"]})
    found, status = report(f"{table.base}/api")
    assert status == 1
    assert codes(found, "fail") == ["challenge.grammar", "metadata.resource", "server.any"]
    assert "clients.resource" in codes(found, "warn")


# Hostile servers and slow ones.


def test_private_addresses_are_not_connected_to(check, table):
    done = check("--json", "https://127.0.0.1:1/", "https://localhost/", "https://[::1]/", "https://169.254.169.254/")
    answer = json.loads(done.stdout)
    assert done.returncode == 2 and answer["summary"] == {"pass": 0, "fail": 0, "unchecked": 4}
    assert all("private address" in found["trouble"] for found in answer["reports"])
    done = check("--json", f"{table.base}/api")
    assert done.returncode == 2 and table.seen == []


def test_redirects_are_not_followed(report, table):
    table.table["/api"] = (302, {"Location": f"{table.base}/trap"}, b"")
    table.table[f"{WELL_KNOWN}/api"] = (301, {"Location": f"{table.base}/trap"}, b"")
    found, status = report(f"{table.base}/api")
    assert status == 1 and found["readiness"]["score"] == 0
    assert "/trap" not in [path for _, path in table.seen]


def test_an_endless_document_is_refused(report, table):
    table.table["/api"] = (401, {"WWW-Authenticate": 'Bearer realm="x"'}, b"")
    table.table[f"{WELL_KNOWN}/api"] = (200, {"Content-Type": "application/json"}, b" " * 3_000_000)
    found, status = report(f"{table.base}/api")
    assert status == 1 and "metadata.status" in codes(found, "fail")
    assert any("larger than the limit" in finding["text"] for finding in found["findings"])


def test_a_silent_host_could_not_be_checked_and_takes_no_longer_than_the_timeout(report):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        started = time.monotonic()
        found, status = report(f"http://127.0.0.1:{silent.getsockname()[1]}/api")
        assert status == 2 and "timed out" in found["trouble"]
        assert time.monotonic() - started < 25


def test_no_control_character_from_the_network_reaches_the_terminal(check, table, issuer):
    table.table["/api"] = (401, {"WWW-Authenticate": 'Bearer realm="x"'}, b"")
    table.json(f"{WELL_KNOWN}/api", {"resource": "https://h/\x1b[31m", "authorization_servers": [issuer]})
    shown = check("--allow-private", f"{table.base}/api").stdout
    assert "\x1b" not in shown and "\\u{1b}[31m" in shown


def test_a_hundred_resources_take_the_time_of_the_slowest_few(check, table, issuer):
    pause, count = 0.3, 100

    def slow(answer):
        def respond(_):
            time.sleep(pause)
            return answer

        return respond

    for number in range(count):
        hint = f'Bearer resource_metadata="{table.base}{WELL_KNOWN}/r{number}"'
        document = {"resource": f"{table.base}/r{number}", "authorization_servers": [issuer]}
        table.table[f"/r{number}"] = slow((401, {"WWW-Authenticate": hint}, b""))
        table.table[f"{WELL_KNOWN}/r{number}"] = slow(
            (200, {"Content-Type": "application/json"}, json.dumps(document).encode())
        )
    started = time.monotonic()
    done = check(
        "--json", "--allow-private", "--concurrency", "25", *[f"{table.base}/r{n}" for n in range(count)], seconds=300
    )
    took = time.monotonic() - started
    answer = json.loads(done.stdout)
    assert [found["subject"] for found in answer["reports"]] == [f"{table.base}/r{n}" for n in range(count)]
    assert all(found["readiness"] == FULL for found in answer["reports"])
    # In sequence, each would wait for at least four answers, and most probes for one more.
    assert took < count * 4 * pause / 2, took
    progress = done.stderr.splitlines()
    assert len(progress) == count and progress[-1].startswith(f"[{count}/{count}] ")


# Scans of many, from a file.


def test_a_scan_is_polite_resumed_and_not_held_up_by_dead_and_slow_hosts(check, table, issuer, folder):
    hint = f'Bearer resource_metadata="{table.base}{WELL_KNOWN}/r0", scope="a"'
    running, most = [0], [0]

    def alone(answer):
        def respond(_):
            running[0] += 1
            most[0] = max(most[0], running[0])
            time.sleep(0.01)
            running[0] -= 1
            return answer

        return respond

    busy = []

    def answer(_):
        busy.append(1)
        return (503, {"Retry-After": "1"}, b"") if len(busy) == 1 else (401, {"WWW-Authenticate": hint}, b"")

    for number in range(3):
        table.table[f"/r{number}"] = alone((401, {"WWW-Authenticate": hint}, b""))
    table.table["/busy"] = answer
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        urls = [f"{table.base}/r{number}" for number in range(3)]
        urls += [f"http://127.0.0.1:{silent.getsockname()[1]}/slow", "http://127.0.0.1:1/dead", f"{table.base}/busy"]
        with open(f"{folder}/urls.txt", "w", encoding="utf-8") as file:
            file.write("# targets\n" + "\n".join(urls) + "\n")
        words = ["--allow-private", "--targets", f"{folder}/urls.txt", "--resume", f"{folder}/state.jsonl"]
        done = check(*words, "--format", "sarif", "--output", f"{folder}/a.sarif", "--format", "json", seconds=300)
    answer = json.loads(done.stdout)
    assert [found["subject"] for found in answer["reports"]] == urls
    assert [found["result"] == "unchecked" for found in answer["reports"]] == [False] * 3 + [True] * 2 + [False]
    assert most[0] == 1 and "challenge.status" in codes(answer["reports"][5], "pass")
    assert re.search(r"\(about \d+ s left\)", done.stderr)
    with open(f"{folder}/a.sarif", encoding="utf-8") as file:
        run = json.load(file)["runs"][0]
    first = run["results"][0]["locations"][0]["physicalLocation"]
    assert first["region"]["startLine"] == 2 and not run["invocations"][0]["executionSuccessful"]
    # Only those that could not be checked are tried again.
    calls = len(table.seen)
    again = check(*words, seconds=300)
    assert len(table.seen) == calls and again.stderr.count("\n") == 2
    assert again.stdout.rstrip().splitlines()[-6].endswith(("/r0", "/r1", "/r2", "/busy"))


# With the user's tokens.


def careless_api(table, issuer):
    """An API whose tokens are never verified, and which repeats them in every answer."""
    hint = f'Bearer resource_metadata="{table.base}{WELL_KNOWN}/api", scope="a"'
    table.json(f"{WELL_KNOWN}/api", {"resource": f"{table.base}/api", "authorization_servers": [issuer]})

    def answer(request):
        words = (request.headers.get("Authorization") or "").split()
        if len(words) != 2 or words[0] != "Bearer":
            return 401, {"WWW-Authenticate": hint}, b""
        if words[1].count(".") != 2:
            return 401, {"WWW-Authenticate": f'{hint}, error="invalid_token", token="{words[1]}"'}, b""
        return 200, {"Cache-Control": f'public, token="{words[1]}"'}, words[1].encode()

    table.table["/api"] = answer


def test_forged_tokens_are_found_and_no_token_is_in_any_report(check, table, issuer, folder):
    careless_api(table, issuer)
    token = Signer(issuer).token(f"{table.base}/api", "a")
    with open(f"{folder}/good.jwt", "w", encoding="utf-8") as file:
        file.write(token + "\n")
    outputs = []
    for name in ("sarif", "junit", "html", "github", "text"):
        outputs += ["--format", name, "--output", f"{folder}/out.{name}"]
    words = ["--allow-private", "--token-file", f"{folder}/good.jwt", *outputs, "--json", f"{table.base}/api"]
    done = check(*words)
    found = json.loads(done.stdout)["reports"][0]
    assert done.returncode == 1
    assert {"token.signature", "token.unsigned", "token.own-key"} <= set(codes(found, "fail"))
    texts = [done.stdout, done.stderr]
    for name in ("sarif", "junit", "html", "github", "text"):
        with open(f"{folder}/out.{name}", encoding="utf-8") as file:
            texts.append(file.read())
    for part in token.split("."):
        assert len(part) < 16 or not any(part in text for text in texts)
    xml.dom.minidom.parseString(texts[3])
    # The token of the environment is used too, and needs one URL.
    environment = {**os.environ, "PORTCULLIS_TOKEN": token}
    refused = check("--allow-private", f"{table.base}/api", f"{table.base}/b", environment=environment)
    assert refused.returncode == 2 and "exactly one URL" in refused.stderr and token not in refused.stderr


# A document in a file.


def test_a_document_is_linted_without_a_network(check, folder):
    path = f"{folder}/document.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"resource": "https://api.example.com", "scopes_supported": "a"}, file)
    done = check("--file", path)
    assert done.returncode == 1 and "$.scopes_supported" in done.stdout
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"resource": "https://api.example.com", "authorization_servers": ["https://as.example.com"]}, file)
    assert check("--file", path).returncode == 0
    assert check("--file", f"{folder}/nowhere.json").returncode == 2
    assert check().returncode == 2
