# SPDX-License-Identifier: MIT
"""Tokens of authorization servers that are not ours, admitted by what `explain` suggests, and by nothing else."""

import copy

import pytest
from support import advice, issuers
from support.example_server import resource
from support.processes import free_port

#: The most edits that the advice may need.
MAX_EDITS = 2


@pytest.fixture(scope="module")
def base_of_module():
    return f"http://127.0.0.1:{free_port()}"


def each(condition=lambda _: True):
    """Runs a test with each server that meets the condition."""
    names = [name for name, server in issuers.ALL.items() if condition(server)]
    return pytest.mark.parametrize("issuer", names, indirect=True)


@pytest.fixture(scope="module")
def issuer(request, tmp_path_factory, base_of_module):
    folder = tmp_path_factory.mktemp("issuer") / "files"
    resources = [f"{base_of_module}/photos", f"{base_of_module}/notes"]
    try:
        server = issuers.ALL[request.param](str(folder), resources)
    except issuers.Absent as absent:
        pytest.skip(f"{request.param} is not run: {absent}")
    yield server
    server.stop()


def minimal(issuer, **others):
    """The issuer's name, the two resources, and a scope for each."""
    photos, notes = issuer.resources
    routes = [{"path": "/photos/{id}", "scopes": ["photos.read"], "respond": "principal"}]
    others_routes = [{"path": "/notes", "respond": "principal"}]
    return {
        "server": {},
        "authorization_servers": [{"issuer": issuer.issuer, "allow_insecure_loopback": True}],
        "resources": [
            resource(photos, [issuer.issuer], ["photos.read"], routes, **others),
            resource(notes, [issuer.issuer], ["notes.read"], others_routes),
        ],
    }


@pytest.fixture
def follow(binary, folder, base_of_module):
    """Follows the advice from a configuration until the token is admitted or there is none."""

    def start(issuer, configuration, token):
        for count in range(MAX_EDITS + 1):
            found = advice.explain(binary, configuration, folder, token, f"{base_of_module}/photos/7")
            if found.admitted or found.suggestion is None:
                return configuration, count, found
            assert count < MAX_EDITS, found.suggestion
            configuration = advice.apply(found.suggestion, configuration)
            server = configuration["authorization_servers"][0]
            # The operator registers at the server, and replaces the placeholders.
            if "introspection" in found.suggestion["set"]:
                assert server["introspection"].keys() == {"client_id", "client_secret"}
                server["introspection"].update(issuer.introspection())
        return None

    return start


def refused(answer):
    return answer.status == 401 and answer.challenge.get("error") == "invalid_token"


def forged(token):
    head, payload, signature = token.split(".")
    return f"{head}.{payload}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


@each(lambda server: server.issues_jwts)
def test_a_jwt_is_admitted_by_what_is_suggested_or_there_is_no_sound_setting(
    serve, issuer, follow, base_of_module
):
    photos, notes = issuer.resources
    token = issuer.jwt(photos)
    example = serve(minimal(issuer), base_of_module)
    first = example.get("/photos/7", token)
    example.stop()

    configuration, count, found = follow(issuer, minimal(issuer), token)
    assert refused(first) if count or not found.admitted else first.status == 200, (first, found.report)
    if issuer.jwt_edits is None:
        assert not found.admitted and found.suggestion is None and "scopes" in found.unsound, found.report
        return
    assert found.admitted and count in issuer.jwt_edits, found.report
    example = serve(configuration, base_of_module)
    answer = example.get("/photos/7", token)
    assert answer.status == 200, (answer, example.errors)
    principal = answer.json
    assert (principal["issuer"], principal["format"]) == (issuer.issuer, "jwt")
    assert photos in principal["audience"] and "photos.read" in principal["scopes"]

    others = {"another audience": issuer.jwt(notes), "no audience here": issuer.untargeted(), "forged": forged(token)}
    if issuer.id_token():
        others["an ID token"] = issuer.id_token()
    for what, other in others.items():
        assert refused(example.get("/photos/7", other)), what
    assert example.get("/photos/7", issuer.jwt(photos)).status == 200


@each(lambda server: server.issues_opaque_tokens)
def test_an_opaque_token_is_admitted_by_what_is_suggested(serve, issuer, follow, base_of_module):
    photos, notes = issuer.resources
    token = issuer.opaque(photos)
    assert token.count(".") != 2
    configuration = minimal(issuer)
    example = serve(configuration, base_of_module)
    assert refused(example.get("/photos/7", token)), example.errors
    example.stop()

    configuration, count, found = follow(issuer, configuration, token)
    assert found.admitted and count == issuer.opaque_edits, found.report
    example = serve(configuration, base_of_module)
    answer = example.get("/photos/7", token)
    assert answer.status == 200, (answer, example.errors)
    assert answer.json["format"] == "opaque" and "photos.read" in answer.json["scopes"]
    assert refused(example.get("/photos/7", "not-a-token-of-this-server"))
    if issuer.introspects_audience:
        assert refused(example.get("/photos/7", issuer.opaque(notes)))
        assert refused(example.get("/photos/7", issuer.untargeted()))
    else:
        assert "Introspection answers without aud are accepted" in example.errors
    if issuer.id_token():
        assert refused(example.get("/photos/7", issuer.id_token()))


@each()
def test_every_token_can_be_introspected_instead(serve, issuer, base_of_module):
    photos, notes = issuer.resources
    tokens = {"format": "opaque"} | ({} if issuer.introspects_audience else {"introspection_audience": "optional"})
    configuration = minimal(issuer, tokens=tokens)
    configuration["authorization_servers"][0] |= {"introspection": issuer.introspection(), "discovery": True}
    configuration["resources"][1]["tokens"] = copy.deepcopy(tokens)
    example = serve(configuration, base_of_module)
    for make in issuer.makers():
        token = make(photos)
        answer = example.get("/photos/7", token)
        assert answer.status == 200, (answer, example.errors)
        assert answer.json["format"] == "opaque" and answer.json["issuer"] == issuer.issuer
        if issuer.introspects_audience:
            assert refused(example.get("/photos/7", make(notes)))
        if token.count(".") == 2:
            assert refused(example.get("/photos/7", forged(token)))
    if issuer.id_token():
        assert refused(example.get("/photos/7", issuer.id_token()))


@each()
def test_an_mcp_server_gets_no_advice_that_its_specification_forbids(issuer, follow, serve, base_of_module):
    photos, _ = issuer.resources
    token = issuer.makers()[-1](photos)
    configuration, _, found = follow(issuer, minimal(issuer, profile="mcp"), token)
    if issuer.introspects_audience:
        assert found.admitted, found.report
        example = serve(configuration, base_of_module)
        assert example.get("/photos/7", token).status == 200, example.errors
    else:
        assert not found.admitted and found.suggestion is None and "aud" in found.unsound, found.report
