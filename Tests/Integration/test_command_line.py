# SPDX-License-Identifier: MIT
"""The program's arguments, exit status, output and shutdown."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
from support import example_server
from support import secrecy
from support.example_server import ExampleServer, photos_and_notes, write
from support.processes import Program, free_port, is_open, wait_until
from support.tokens import ISSUER, Signer

PROBLEM = re.compile(r"(\$[^: ]*): \S.*")


@pytest.fixture
def configuration(base):
    made = photos_and_notes(base, ISSUER, authorization_server={"jwks": Signer().jwks})
    del made["authorization_servers"][0]["allow_insecure_loopback"]
    made["public_routes"] += [
        {"path": "/slow", "respond": {"sleep_seconds": 1}},
        {"path": "/endless", "respond": {"sleep_seconds": 60}},
    ]
    return made


@pytest.fixture
def run(binary, folder):
    def finish(*words):
        done = subprocess.run(
            [binary, *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20
        )
        secrecy.said("what a short run printed", done.stdout + done.stderr)
        return done

    return finish


@pytest.fixture
def start(binary, folder):
    running = []

    def started(*words):
        server = ExampleServer(binary, words, folder)
        running.append(server)
        return server

    yield started
    for server in running:
        if server.program.process.poll() is None:
            server.stop()


def problems(errors):
    """The paths named on standard error; every line that is not a warning has one."""
    lines = [line for line in errors.splitlines() if line.strip() and "warning" not in line]
    found = [PROBLEM.fullmatch(line) for line in lines]
    assert all(found), lines
    return [match.group(1) for match in found]


def test_check_of_a_valid_file_succeeds_without_output(run, configuration, folder):
    done = run("--check", write(configuration, folder))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_check_opens_no_connection(run, configuration, folder):
    """As `--help check` says: neither the issuer nor the store learns of it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        issuer = f"http://127.0.0.1:{port}"
        entry = {"issuer": issuer, "allow_insecure_loopback": True}
        entry["introspection"] = {"client_id": "rs", "client_secret": "none-of-it", "endpoint": f"{issuer}/introspect"}
        configuration["authorization_servers"] = [entry]
        configuration["store"] = {"url": f"redis://127.0.0.1:{port}"}
        configuration["self_check"] = {"policy": "require"}
        for each in configuration["resources"]:
            each["metadata"]["authorization_servers"] = [issuer]
        done = run("--check", write(configuration, folder))
        assert done.returncode == 0, done.stderr
        assert "valid" in done.stderr
        listener.settimeout(0.3)
        with pytest.raises(TimeoutError):
            listener.accept()


@pytest.mark.parametrize("word", ["--check", "--config"])
def test_every_problem_is_reported_with_its_path(run, configuration, folder, word):
    configuration["srever"] = {}
    configuration["server"]["prot"] = 1
    configuration["server"]["port"] = "8080"
    configuration["resources"][0]["metadata"]["resource"] += "#fragment"
    configuration["resources"][1]["routes"][0]["respond"] = "something"
    configuration["resources"][1]["tokens"] = {"algorithms": ["none"]}
    done = run(word, write(configuration, folder))
    assert done.returncode == 1
    assert done.stdout == ""
    named = problems(done.stderr)
    for path in ["$.srever", "$.server.prot", "$.server.port", "$.resources[0].metadata.resource"]:
        assert path in named, (path, named)
    assert any(path.startswith("$.resources[1].routes[0].respond") for path in named), named
    assert any(path.startswith("$.resources[1].tokens.algorithms") for path in named), named


def test_unknown_keys_are_errors_everywhere_but_in_metadata(run, configuration, folder):
    configuration["resources"][0]["metadata"]["x-unknown"] = True
    assert run("--check", write(configuration, folder)).returncode == 0
    for place, name in [
        (configuration["authorization_servers"][0], "$.authorization_servers[0]"),
        (configuration["resources"][0], "$.resources[0]"),
        (configuration["resources"][0]["routes"][0], "$.resources[0].routes[0]"),
        (configuration["public_routes"][0], "$.public_routes[0]"),
    ]:
        place["unknown_key"] = 1
        done = run("--check", write(configuration, folder))
        assert done.returncode == 1
        assert problems(done.stderr) == [f"{name}.unknown_key"]
        del place["unknown_key"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"resources": []} x', '{"resources": [], "resources": []}', '{"resources": "none"}', "{}"],
)
def test_a_file_that_is_not_a_configuration_is_refused(run, folder, text):
    path = os.path.join(folder, "bad.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = run("--check", path)
    assert done.returncode == 1 and done.stdout == ""
    assert problems(done.stderr)


def test_a_missing_file_is_refused(run, folder):
    for word in ["--check", "--config"]:
        done = run(word, os.path.join(folder, "absent.json"))
        assert done.returncode == 1 and done.stdout == "" and done.stderr.strip()


def test_no_secret_of_the_file_is_repeated(run, configuration, folder):
    configuration["authorization_servers"][0]["introspection"] = {
        "endpoint": "not a url",
        "client_id": "rs",
        "client_secret": "the-secret-itself",
        "client_auth": "client_secret_basic",
        "unknown_key": "the-secret-itself",
    }
    done = run("--check", write(configuration, folder))
    assert done.returncode == 1
    assert "the-secret-itself" not in done.stderr + done.stdout


@pytest.mark.parametrize(
    "words",
    [["--nonsense"], ["file.json"], ["--config"], ["--check"], ["--port"], ["--port", "x"], ["--port", "65536"], ["-h=1"]],
)
def test_wrong_arguments_exit_with_status_2(run, words):
    done = run(*words)
    assert done.returncode == 2, done
    assert done.stdout == "" and done.stderr.strip()


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_help_and_version_go_to_standard_output(run, word):
    done = run(word)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip()
    if word == "--help":
        assert all(other in done.stdout for other in ["--config", "--check", "--host", "--port", "--version"])


def test_each_topic_of_the_help_has_a_text(run):
    topics = re.search(r"^Topics: (.+)\.$", run("--help").stdout, re.MULTILINE).group(1).split(", ")
    assert len(set(topics)) == len(topics) >= 8
    for topic in topics:
        done = run("--help", topic)
        assert (done.returncode, done.stderr) == (0, "") and len(done.stdout) > 100, topic
    unknown = run("--help", "nonsense")
    assert unknown.returncode == 2 and "nonsense" in unknown.stderr and unknown.stdout == ""


def test_the_file_of_the_help_is_valid(run, folder):
    text = run("--help", "config").stdout
    file, _ = json.JSONDecoder().raw_decode(text, text.index("{"))
    done = run("--check", write(file, folder, "small.json"))
    assert done.returncode == 0 and "valid" in done.stderr, done.stderr


def test_file_names_are_relative_to_the_files_folder_and_words_to_the_working_directory(
    binary, configuration, folder
):
    """`--help config` and `--help listener`."""
    elsewhere = os.path.join(folder, "elsewhere")
    os.makedirs(elsewhere)
    configuration["server"] = {"host": "unix:file.sock", "access_log": "text", "access_log_file": "access.log"}
    path = write(configuration, folder)
    for words, socket_path in [([], "file.sock"), (["--host", "unix:word.sock"], "elsewhere/word.sock")]:
        program = Program([binary, "--config", path, *words], elsewhere, "example-server")
        try:
            line = program.line(20)
            assert line and line.startswith("listening on unix:"), program.errors
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(os.path.join(folder, socket_path))
                client.sendall(b"GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                assert client.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")
        finally:
            assert program.stop() == 0
    with open(os.path.join(folder, "access.log"), encoding="utf-8") as log:
        assert log.read().count("GET /hello") == 2


def test_the_version_names_openssls(run):
    ours, openssl = run("--version").stdout.splitlines()
    assert ours.startswith("example-server ") and openssl.startswith("OpenSSL ")


@pytest.mark.parametrize(
    "words, meant", [(["--prot", "1"], "--port"), (["--confg=a"], "--config"), (["--help", "sytemd"], "systemd")]
)
def test_a_mistyped_word_gets_a_suggestion(run, words, meant):
    done = run(*words)
    assert done.returncode == 2 and f"; did you mean {meant}?" in done.stderr.splitlines()[0]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions_are_scripts_of_their_shell(run, shell):
    done = run("--completions", shell)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(word in done.stdout for word in ["config", "issuer-port", "systemd"])
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n"], input=done.stdout, capture_output=True, text=True, timeout=20)
        assert (checked.returncode, checked.stderr) == (0, "")
    assert run("--completions", "csh").returncode == 2


def test_bash_completes_the_topics(run):
    script = run("--completions", "bash").stdout
    script += '\nCOMP_WORDS=(example-server --help s); COMP_CWORD=2; _example_server; echo "${COMPREPLY[@]}"\n'
    done = subprocess.run(["bash"], input=script, capture_output=True, text=True, timeout=20)
    assert done.stdout.split() == ["signals", "status", "systemd"], done.stderr


def test_an_option_takes_its_value_after_an_equals_sign(start, configuration, folder):
    server = start(f"--config={write(configuration, folder)}", "--port=0")
    assert server.get("/hello").status == 200


def test_logs_and_output_have_no_colours(run, configuration, folder):
    for done in [run("--check", write(configuration, folder)), run("--help"), run("--nonsense")]:
        assert "\x1b" not in done.stdout + done.stderr


def test_a_port_in_use_ends_the_server_before_it_listens(run, configuration, folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        configuration["server"]["port"] = taken.getsockname()[1]
        done = run("--config", write(configuration, folder))
        assert done.returncode == 1 and done.stdout == "" and done.stderr.strip()
        configuration["server"]["port"] = free_port()
        done = run("--config", write(configuration, folder), "--port", str(taken.getsockname()[1]))
        assert done.returncode == 1 and done.stdout == "" and done.stderr.strip()


def test_the_server_listens_where_the_arguments_say_and_prints_one_line(start, configuration, folder):
    configuration["server"] = {"host": "127.0.0.2", "port": 1}
    server = start("--config", write(configuration, folder), "--host", "127.0.0.1", "--port", "0")
    host, port = re.fullmatch(r"http://([0-9.]+):(\d+)", server.base).groups()
    assert host == "127.0.0.1" and int(port) > 1
    assert server.get("/hello").body == b"Hello, world"
    assert server.get("/photos/7").status == 401
    server.program.send(signal.SIGTERM)
    assert server.program.line(10) is None, "standard output has nothing else"
    assert server.program.wait(10) == 0


def test_the_server_listens_where_the_file_says(start, configuration, folder):
    port = free_port()
    configuration["server"] = {"port": port, "event_loops": 1}
    assert start("--config", write(configuration, folder)).base == f"http://127.0.0.1:{port}"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_in_flight_is_finished(start, configuration, folder, number):
    server = start("--config", write(configuration, folder), "--port", "0")
    answers = []
    thread = threading.Thread(target=lambda: answers.append(server.get("/slow")))
    thread.start()
    time.sleep(0.4)
    server.program.send(number)
    port = int(server.base.rsplit(":", 1)[1])
    wait_until(lambda: not is_open(port), 3, "new connections are refused")
    assert server.program.process.poll() is None, "the server waits for the answer"
    thread.join(10)
    assert [(answer.status, answer.body) for answer in answers] == [(200, b"slept")]
    assert server.program.wait(5) == 0


def test_shutdown_does_not_wait_longer_than_the_grace_period(start, configuration, folder):
    configuration["server"]["shutdown_grace_seconds"] = 0.5
    server = start("--config", write(configuration, folder), "--port", "0")

    def ask():
        try:
            server.get("/endless")
        except (OSError, http.client.HTTPException):
            pass

    thread = threading.Thread(target=ask)
    thread.start()
    time.sleep(0.3)
    server.program.send(signal.SIGTERM)
    assert server.program.wait(5) == 0
    thread.join(5)


def test_an_idle_connection_does_not_delay_shutdown(start, configuration, folder):
    server = start("--config", write(configuration, folder), "--port", "0")
    connection = http.client.HTTPConnection("127.0.0.1", int(server.base.rsplit(":", 1)[1]), timeout=5)
    connection.request("GET", "/hello")
    assert connection.getresponse().read() == b"Hello, world"
    server.program.send(signal.SIGTERM)
    assert server.program.wait(3) == 0
    connection.close()


def test_the_server_listens_soon(binary, start, configuration, folder):
    path = write(configuration, folder)
    start("--config", path, "--port", "0").stop()
    bound = 1.0 if example_server.is_release(binary) else 3.0
    times = []
    for _ in range(3):
        server = start("--config", path, "--port", "0")
        times.append(server.seconds_to_listening)
        server.stop()
    assert min(times) < bound, times


def test_a_missing_command_line_is_not_an_empty_one(binary, folder):
    """Without a program name the argument list is missing, and the server does not serve the demo."""
    for program in [binary, os.path.join(os.path.dirname(binary), "portcullis")]:
        done = subprocess.run(
            [""], executable=program, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20
        )
        assert (done.returncode, done.stdout) == (2, "")
        assert "cannot read the command line arguments" in done.stderr


def test_closed_standard_descriptors_are_replaced(binary, configuration, folder):
    """Otherwise the listener would become standard error, and a log line would go to a socket."""
    port = free_port()
    path = write(configuration, folder)
    shell = 'exec "$0" --config "$1" --port "$2" <&- >&- 2>&-'
    program = subprocess.Popen(["sh", "-c", shell, binary, path, str(port)], cwd=folder)
    try:
        wait_until(lambda: is_open(port), 20, "the server does not listen")
        if os.path.isdir("/proc"):
            assert [os.readlink(f"/proc/{program.pid}/fd/{number}") for number in range(3)] == ["/dev/null"] * 3
    finally:
        program.kill()
        program.wait(20)


def test_a_secret_file_that_others_can_read_is_a_warning(run, configuration, folder):
    keys = os.path.join(folder, "nonce.keys")
    with open(keys, "w", encoding="utf-8") as file:
        file.write("A" * 43 + "\n")
    configuration["resources"][0]["tokens"] = {"dpop": {"nonce": "required", "nonce_keys_file": "nonce.keys"}}
    path = write(configuration, folder)
    for mode, is_told in [(0o644, True), (0o640, True), (0o600, False)]:
        os.chmod(keys, mode)
        done = run("--check", path)
        assert done.returncode == 0, done.stderr
        assert (f"can read or change {keys}" in done.stderr) is is_told, done.stderr
