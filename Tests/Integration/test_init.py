# SPDX-License-Identifier: MIT
"""`portcullis init`: a configuration that fits an authorization server and its tokens, and why."""

import json
import os
import subprocess

import pytest
from support import example_server, secrecy, web
from support.faulty import FaultyServer
from support.guarded import Guard
from support.processes import free_port
from support.tokens import Signer


@pytest.fixture
def init(binary, folder):
    program = os.path.join(os.path.dirname(binary), "portcullis")

    def run(*words, token=None):
        options = [] if token is None else ["--token", "-"]
        done = subprocess.run(
            [program, "init", *words, *options], input=token and token + "\n", capture_output=True, text=True, timeout=20
        )
        secrecy.said("what init printed", done.stdout + done.stderr)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def issuer():
    server = FaultyServer()
    yield server
    server.stop()


def accepts(serve, printed, base, token):
    """Whether the printed file, served, lets the token in."""
    return serve(json.loads(printed), base).get("/notes", token).status


def test_a_token_by_RFC_9068_needs_no_relaxation(init, issuer, serve, base):
    token = issuer.signer.token(f"{base}/notes", "notes.read")
    status, out, errors = init(issuer.issuer, f"{base}/notes", token=token)
    assert status == 0, errors
    file = json.loads(out)
    assert "tokens" not in file["resources"][0]
    assert file["authorization_servers"] == [{"issuer": issuer.issuer, "allow_insecure_loopback": True}]
    assert "The token has the scopes: notes.read." in errors
    assert accepts(serve, out, base, token) == 200


@pytest.mark.parametrize(
    ("claims", "members"),
    [
        ({"jti": None}, {"required_claims"}),
        ({"aud": "api://notes"}, {"audiences"}),
        ({"jti": None, "aud": "api://notes"}, {"required_claims", "audiences"}),
    ],
)
def test_each_relaxation_is_explained_with_its_consequence(init, issuer, serve, base, claims, members):
    token = issuer.signer.token(f"{base}/notes", "notes.read", **claims)
    status, out, errors = init(issuer.issuer, f"{base}/notes", token=token)
    assert status == 0, errors
    assert set(json.loads(out)["resources"][0]["tokens"]) == members
    for member in members:
        assert f"$.resources[0].tokens.{member}: warning: " in errors, errors
    assert accepts(serve, out, base, token) == 200


def test_without_a_token_the_file_is_the_strictest_one(init, issuer, binary, folder):
    status, out, errors = init(issuer.issuer, "https://api.example.com/notes")
    assert status == 0 and "With --token - it would fit" in errors
    path = example_server.write(json.loads(out), folder)
    checked = subprocess.run([binary, "--check", path], capture_output=True, text=True, timeout=20)
    assert checked.returncode == 0, checked.stderr


def test_an_opaque_token_is_not_sent_and_needs_introspection(init, issuer):
    status, out, errors = init(issuer.issuer, "https://api.example.com/notes", token="opaque-7d1c-2b3a-token")
    assert status == 0, errors
    entry = json.loads(out)["authorization_servers"][0]
    assert entry["introspection"] == {"client_id": "YOUR-CLIENT-ID", "client_secret": "YOUR-CLIENT-SECRET"}
    assert "This token was not sent to it." in errors
    assert issuer.counts["/introspect"] == 0 and issuer.forms == []


@pytest.mark.parametrize(
    "claims",
    [{"at_hash": "x"}, {"exp": 1_700_000_000}, {"exp": None}, {"iss": "https://elsewhere.example"}],
)
def test_where_no_setting_is_sound_nothing_is_written(init, issuer, claims):
    token = issuer.signer.token("https://api.example.com/notes", "notes.read", **claims)
    status, out, errors = init(issuer.issuer, "https://api.example.com/notes", token=token)
    assert (status, out) == (1, "")
    assert "No sound configuration accepts this token. " in errors and errors.endswith(".\n")


def test_a_token_of_another_server_is_not_made_to_fit(init, issuer):
    token = Signer(issuer.issuer).token("https://api.example.com/notes", "notes.read")
    status, out, errors = init(issuer.issuer, "https://api.example.com/notes", token=token)
    assert (status, out) == (1, ""), errors


def test_the_demo_server_of_a_guard(init, binary, folder, serve, base):
    guarded = Guard(binary, folder, "http://127.0.0.1:1", "--resource", f"{base}/notes", "--port", "0")
    try:
        client = web.send_json(f"{guarded.issuer}/register", {"grant_types": ["client_credentials"]}).json
        form = {"grant_type": "client_credentials", "resource": f"{base}/notes"}
        token = web.post_form(
            f"{guarded.issuer}/token", form, web.basic(client["client_id"], client["client_secret"])
        ).json["access_token"]
        status, out, errors = init(guarded.issuer, f"{base}/notes", token=token)
        assert status == 0 and "The token has no scopes." in errors, errors
        assert accepts(serve, out, base, token) == 200
    finally:
        guarded.stop()


def test_a_server_that_is_not_there_is_trouble(init):
    issuer = f"http://127.0.0.1:{free_port()}"
    status, out, errors = init(issuer, "https://api.example.com/notes")
    assert (status, out) == (2, "")
    assert errors.startswith("portcullis: the authorization server cannot be used: ") and issuer in errors


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "two arguments are needed"),
        (["https://login.example.com"], "two arguments are needed"),
        (["login.example.com", "https://api.example.com/"], "the issuer login.example.com"),
        (["https://login.example.com", "http://api.example.com/"], "the resource: "),
        (["https://login.example.com", "https://api.example.com/", "--token", "eyJ"], "--token must be -"),
    ],
)
def test_words_that_cannot_be_used(init, words, sentence):
    status, out, errors = init(*words)
    assert (status, out) == (2, "") and errors.startswith(f"portcullis: {sentence}"), errors
