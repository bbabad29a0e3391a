# SPDX-License-Identifier: MIT
"""`portcullis explain`: each step of the gate, the client's answer, and the meaning of a log line."""

import os
import socket
import subprocess
import time

import pytest
from support import dpop, secrecy
from support.example_server import photos_and_notes, write
from support.tokens import ISSUER, Signer


@pytest.fixture
def explain(binary, folder, base):
    program = os.path.join(os.path.dirname(binary), "portcullis")
    signer = Signer()
    configuration = photos_and_notes(base, ISSUER, authorization_server={"jwks": signer.jwks})
    del configuration["authorization_servers"][0]["allow_insecure_loopback"]
    path = write(configuration, folder)

    def run(*words, stdin=""):
        done = subprocess.run(
            [program, "explain", *([] if "--config" in words else ["--config", path]), *words],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=20,
        )
        secrecy.said("what explain printed", done.stdout + done.stderr)
        return done.returncode, done.stdout, done.stderr

    run.signer, run.configuration = signer, configuration
    return run


def test_an_accepted_token(explain, base):
    token = explain.signer.token(f"{base}/photos", "photos.read")
    status, out, errors = explain("--token", token, "--url", f"{base}/photos/7")
    assert (status, errors) == (0, "")
    assert "route: /photos/{id}" in out and out.endswith("The request is admitted.\n") and "FAIL" not in out


def test_the_answer_is_the_clients(explain, serve, base):
    token = explain.signer.token(f"{base}/photos", "photos.read")
    status, out, _ = explain("--token", "-", "--url", f"{base}/photos/7", "--method", "PUT", stdin=token + "\n")
    assert status == 1
    steps, _, answer = out.partition("Refused: insufficientScope. The response:\n\n")
    assert "FAIL scopes" in steps and "expected: photos.write" in steps and "got:      photos.read" in steps
    assert token not in out and token.split(".")[2] not in out
    head, _, body = answer.partition("\n\n")
    real = serve(explain.configuration, base).request("PUT", "/photos/7", token, body=b"")
    lines = head.split("\n")
    assert lines[0] == f"HTTP/1.1 {real.status} Forbidden"
    assert [line.split(": ", 1)[1] for line in lines if line.startswith("WWW-Authenticate")] == real.all("WWW-Authenticate")
    assert body.strip() == real.body.decode()


def test_the_failing_step_is_named(explain, base):
    token = explain.signer.token("https://other.example", "photos.read")
    status, out, _ = explain("--token", token, "--url", f"{base}/photos/7")
    assert status == 1 and "FAIL audience" in out and f"expected: {base}/photos" in out
    assert "got:      https://other.example" in out and "Refused: audienceMismatch" in out


def test_the_url_is_that_of_the_files_first_resource(explain, base):
    status, out, _ = explain("--no-token")
    assert status == 1 and "Refused: missingCredentials" in out
    assert f"{base}/.well-known/oauth-protected-resource/photos" in out


def test_the_shared_store_is_not_used(explain, base, folder):
    """As its help says."""
    with socket.create_server(("127.0.0.1", 0)) as store:
        stored = {**explain.configuration, "store": {"url": f"redis://127.0.0.1:{store.getsockname()[1]}"}}
        path = write(stored, folder, "stored.json")
        token = explain.signer.token(f"{base}/photos", "photos.read")
        status, out, _ = explain("--config", path, "--token", "-", "--url", f"{base}/photos/7", stdin=f"{token}\n")
        assert status == 0 and out.endswith("The request is admitted.\n"), out
        store.settimeout(0.3)
        with pytest.raises(TimeoutError):
            store.accept()


def test_a_proof_may_be_older_than_explain(explain, base, folder):
    """An operator explains a proof that a client made before; the server itself refuses one from before its start."""
    configuration = {**explain.configuration}
    metadata = {**configuration["resources"][0]["metadata"], "dpop_signing_alg_values_supported": ["ES256"]}
    configuration["resources"] = [{**configuration["resources"][0], "metadata": metadata}]
    path = write(configuration, folder, "dpop.json")
    client = dpop.Client(base, explain.signer)
    words = ["--config", path, "--token", client.token, "--url", f"{base}/photos/7", "--dpop"]
    status, out, _ = explain(*words, client.proof(iat=int(time.time()) - 30))
    assert status == 0 and out.endswith("The request is admitted.\n"), out
    status, out, _ = explain(*words, client.proof(iat=int(time.time()) - 3600))
    assert status == 1 and "FAIL" in out, out


@pytest.mark.parametrize("words", [["--token", "x", "--no"], [], ["--token"], ["--token", "x", "--url", "/photos"]])
def test_wrong_arguments(explain, words):
    status, out, errors = explain(*words)
    assert (status, out) == (2, "") and "usage: portcullis explain" in errors


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_log_line_is_found_by_the_clients_request_id(binary, serve, base, folder, form):
    signer = Signer()
    configuration = photos_and_notes(base, ISSUER, authorization_server={"jwks": signer.jwks})
    del configuration["authorization_servers"][0]["allow_insecure_loopback"]
    configuration["server"]["access_log"] = form
    if form == "json":
        configuration["server"]["access_log_file"] = "access.log"
    server = serve(configuration, base)
    tokens = [None, signer.token("https://other.example", "photos.read"), signer.token(f"{base}/photos", "other")]
    tokens += [signer.token(f"{base}/photos", "photos.read"), "not,a-token"]
    answers = [server.get("/photos/7", token) for token in tokens]
    ids = [answer.one("X-Request-Id") for answer in answers]
    refused = [answer for answer in answers[1:] if answer.status != 200]
    assert [answer.json["request_id"] for answer in refused] == [ids[1], ids[2], ids[4]]
    server.stop()
    path = os.path.join(folder, "access.log")
    if form == "text":
        with open(path, "w", encoding="utf-8") as file:
            file.write(server.errors)

    def explain(*words, stdin=None):
        program = os.path.join(os.path.dirname(binary), "portcullis")
        done = subprocess.run(
            [program, "explain", *words], stdin=stdin, capture_output=True, text=True, timeout=20, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    expected = [
        ("missingCredentials", "Authorization: Bearer", "none", "401 with resource_metadata"),
        ("audienceMismatch", f"{base}/photos", "https://other.example", "401 invalid_token: "),
        ("insufficientScope", "photos.read", "other", "403 insufficient_scope: "),
        None,
        ("malformedToken", "the characters of a token68", "11 characters\n", "401 invalid_token: "),
    ]
    for number, words in zip(ids, expected):
        out = explain("--request-id", number, "--log", path)
        with open(path, encoding="utf-8") as file:
            assert explain("--request-id", number, "--log", "-", stdin=file) == out
        assert "GET /photos/7" in out and f"resource:  {base}/photos\n" in out and "route:     /photos/{id}\n" in out
        if words is None:
            assert out.endswith("The gate admitted the request. Status 200.\n")
            continue
        for name, text in zip(["\nRefused: ", "\nexpected:  ", "\ngot:       ", "\ntold:      "], words):
            assert name + text in out, out
        assert "\nrepair:    " in out and "(RFC " in out
