# SPDX-License-Identifier: MIT
"""Scope of challenges, optional tokens, conditions on claims, and operations, over the network."""

import base64
import os
import subprocess

import pytest
from support import secrecy
from support.example_server import resource, write
from support.tokens import ISSUER, Signer

CALL = {"Mcp-Method": "tools/call"}
DELETE = {"Mcp-Method": "tools/call", "Mcp-Name": "delete_note"}
VERSION = {"MCP-Protocol-Version": "2026-07-28"}

OPERATIONS = {
    "methods": ["POST"],
    "scopes": ["notes:read"],
    "operations": [
        {"fields": DELETE, "scopes": ["notes:write"]},
        {"fields": CALL},
        {"fields": {"Mcp-Method": "tools/list"}, "authentication": "optional"},
    ],
    "respond": "principal",
}


@pytest.fixture
def signer():
    return Signer()


@pytest.fixture
def deployed(serve, base, signer):
    def start(routes, **others):
        configuration = {
            "authorization_servers": [{"issuer": ISSUER, "jwks": signer.jwks}],
            "resources": [resource(f"{base}/mcp", [ISSUER], ["notes:read", "notes:write"], routes, **others)],
        }
        return serve(configuration, base)

    return start


def encoded(text):
    return f"=?base64?{base64.b64encode(text.encode()).decode()}?="


# Challenge scope.


@pytest.mark.parametrize(
    "scope, unauthenticated, elsewhere",
    [
        (None, "notes:read", None),
        ("route", "notes:read", None),
        ("resource", "notes:read notes:write", "notes:read notes:write"),
        ("none", None, None),
    ],
)
def test_the_scope_of_challenges(deployed, base, signer, scope, unauthenticated, elsewhere):
    routes = [
        {"path": "/mcp", "scopes": ["notes:read"], "respond": "principal"},
        {"path": "/mcp/strong", "scopes": ["notes:read"], "acr_values": ["phr"], "respond": "principal"},
    ]
    example = deployed(routes, **({"challenge_scope": scope} if scope else {}))
    assert example.get("/mcp").challenge.get("scope") == unauthenticated
    assert example.get("/mcp", "nonsense").challenge.get("scope") == unauthenticated
    assert example.get("/mcp/nothing").challenge.get("scope") == elsewhere
    token = signer.token(f"{base}/mcp", "notes:read")
    step_up = example.get("/mcp/strong", token)
    assert step_up.status == 401 and step_up.challenge["error"] == "insufficient_user_authentication"
    assert step_up.challenge.get("scope") == unauthenticated
    # A 403 always names what the request needed.
    narrow = example.get("/mcp", signer.token(f"{base}/mcp", "other"))
    assert narrow.status == 403 and narrow.challenge["scope"] == "notes:read"


# Optional authentication.


@pytest.mark.parametrize("place", ["route", "resource"])
def test_a_route_without_a_token(deployed, base, signer, place):
    at = {"authentication": "optional"}
    routes = [
        {"path": "/mcp", "respond": "principal", **(at if place == "route" else {})},
        {"path": "/mcp/{id}", "scopes": ["notes:read"], "respond": "principal"},
        {"path": "/mcp/a/closed", "authentication": "required", "respond": "principal"},
    ]
    example = deployed(routes, **(at if place == "resource" else {}))
    answer = example.get("/mcp")
    assert answer.status == 200
    nobody = answer.json
    for name in ["subject", "client_id", "issuer", "expires_at"]:
        assert nobody[name] is None, name
    assert (nobody["scopes"], nobody["audience"], nobody["claims"]) == ([], [], {})
    assert nobody["resource"] == f"{base}/mcp"
    # A scheme that is not taken is no credential; bad credentials are refused as always.
    assert example.get("/mcp", fields={"Authorization": "Basic dXNlcjpwYXNz"}).json == nobody
    assert example.get("/mcp", fields={"Authorization": "DPoP abc"}).json == nobody
    assert example.get("/mcp", "nonsense").status == 401
    assert example.get("/mcp", fields={"Authorization": "Bearer"}).status == 400
    assert example.get("/mcp", signer.token("https://other.example", None)).status == 401
    known = example.get("/mcp", signer.token(f"{base}/mcp", "notes:read"))
    assert known.json["subject"] == "user" and known.json["scopes"] == ["notes:read"]
    # What demands something, says that it needs a token, or is no route, needs one.
    for path in ["/mcp/7", "/mcp/a/closed", "/mcp/a/b/c", "/mcp/"]:
        assert example.get(path).status == 401, path
    assert "/mcp needs no token" in example.errors


@pytest.mark.parametrize(
    "demand",
    [
        {"scopes": ["notes:read"]},
        {"claims": [{"pointer": "/a", "equals": 1}]},
        {"operations": [{"fields": CALL}]},
        {"acr_values": ["phr"]},
        {"max_age_seconds": 60},
        {"sender_constrained": True},
    ],
    ids=lambda demand: next(iter(demand)),
)
def test_a_demand_and_an_optional_token_contradict_each_other(binary, folder, base, demand):
    route = {"path": "/mcp", "authentication": "optional", "respond": "principal", **demand}
    configuration = {"resources": [resource(f"{base}/mcp", [ISSUER], ["notes:read"], [route])]}
    path = write(configuration, folder)
    checked = subprocess.run([binary, "--check", path], capture_output=True, text=True, timeout=20)
    assert checked.returncode == 1
    assert "$.resources[0].routes[0].authentication" in checked.stdout + checked.stderr


# Conditions on claims.


CONDITIONS = [
    {"pointer": "/realm_access/roles", "contains": "admin"},
    {"pointer": "/department", "equals": "sales"},
]


@pytest.mark.parametrize(
    "claims, status",
    [
        ({"realm_access": {"roles": ["user", "admin"]}, "department": "sales"}, 200),
        ({"realm_access": {"roles": ["user"]}, "department": "sales"}, 403),
        ({"realm_access": {"roles": "admin"}, "department": "sales"}, 403),
        ({"realm_access": {"roles": ["admin"]}}, 403),
        ({"realm_access": {"roles": ["admin"]}, "department": "Sales"}, 403),
        ({"realm_access": {"roles": ["admin"]}, "department": ["sales"]}, 403),
        ({"department": "sales"}, 403),
        ({}, 403),
    ],
)
def test_all_conditions_on_claims_must_hold(deployed, base, signer, claims, status):
    example = deployed([{"path": "/mcp", "scopes": ["notes:read"], "claims": CONDITIONS, "respond": "principal"}])
    token = signer.token(f"{base}/mcp", "notes:read", **claims)
    for _ in range(2):
        answer = example.get("/mcp", token)
        assert answer.status == status
        if status == 403:
            assert answer.challenge["error"] == "insufficient_scope" and "scope" not in answer.challenge
            assert answer.json["error"] == "insufficient_scope"


@pytest.mark.parametrize("value, status", [(2, 200), ("2", 403), (True, 403), ([2], 403), (3, 403)])
def test_equals_compares_types(deployed, base, signer, value, status):
    example = deployed([{"path": "/mcp", "claims": [{"pointer": "/level", "equals": 2}], "respond": "principal"}])
    assert example.get("/mcp", signer.token(f"{base}/mcp", None, level=value)).status == status


# Operations.


def post(example, token, *groups):
    """Sends a request; each group is a dictionary, or a list of pairs, of fields."""
    pairs = [pair for group in groups for pair in (group.items() if isinstance(group, dict) else group)]
    return example.request("POST", "/mcp", token, fields=pairs, body=b"{}")


@pytest.fixture
def operations(deployed):
    def start(profile="general", **changes):
        return deployed([{"path": "/mcp", **OPERATIONS, **changes}], profile=profile)

    return start


def test_an_operation_demands_its_scopes_besides_the_routes(operations, base, signer):
    example = operations()
    narrow, wide = (signer.token(f"{base}/mcp", scope) for scope in ["notes:read", "notes:read notes:write"])
    denied = post(example, narrow, DELETE)
    assert denied.status == 403
    assert denied.challenge["scope"] == "notes:read notes:write"
    assert denied.challenge["error"] == "insufficient_scope"
    assert post(example, narrow, CALL, {"Mcp-Name": encoded("delete_note")}).status == 403
    assert post(example, wide, DELETE).json["subject"] == "user"
    assert post(example, narrow, CALL, {"Mcp-Name": "read_note"}).status == 200
    only_write = post(example, signer.token(f"{base}/mcp", "notes:write"), DELETE)
    assert only_write.status == 403 and only_write.challenge["scope"] == "notes:read notes:write"
    # Judged after the token; a challenge without a token names both too.
    assert post(example, None, DELETE).challenge["scope"] == "notes:read notes:write"
    assert post(example, None, CALL).challenge["scope"] == "notes:read"
    assert post(example, None, DELETE, DELETE).status == 401
    assert post(example, "nonsense", DELETE, DELETE).status == 401


@pytest.mark.parametrize("others", ["refuse", "route"])
@pytest.mark.parametrize(
    "fields, refuse, route",
    [
        ([], 400, 200),
        ([("Mcp-Method", "tools/other")], 400, 200),
        ([("Mcp-Method", "tools/other"), ("Mcp-Name", "x")], 403, 200),
        ([("Mcp-Method", "TOOLS/CALL"), ("Mcp-Name", "delete_note")], 403, 200),
        ([("Mcp-Method", ""), ("Mcp-Name", "")], 403, 200),
        ([("Mcp-Method", "tools/call,tools/list"), ("Mcp-Name", "x")], 403, 200),
        ([("Mcp-Method", "tools%2Fcall"), ("Mcp-Name", "x")], 403, 200),
        ([("Mcp-Method", encoded("tools/call")), ("Mcp-Name", "x")], 403, 200),
        ([("Mcp-Method", "tools/call"), ("Mcp-Name", "=?BASE64?ZGVsZXRlX25vdGU=?=")], 200, 200),
        ([("Mcp-Method", "tools/call"), ("Mcp-Name", "  delete_note  ")], 403, 403),
        ([("MCP-METHOD", "tools/call"), ("mcp-name", "delete_note")], 403, 403),
        ([("Mcp-Method", "tools/call"), ("Mcp-Name", "=?base64?!?=")], 400, 400),
        ([("Mcp-Method", "tools/call"), ("Mcp-Name", "=?base64?ZGVsZXRlX25vdGU?=")], 400, 400),
        ([("Mcp-Method", "tools/call"), ("Mcp-Name", "caf\u00e9")], 400, 400),
        ([("Mcp-Method", "tools/call"), ("Mcp-Method", "tools/call")], 400, 400),
        ([("Mcp-Method", "tools/list"), ("mcp-method", "tools/call")], 400, 400),
        ([("Mcp-Method", "tools/call"), ("Mcp_Method", "tools/list")], 400, 400),
        ([("Mcp-Name", "x"), ("Mcp-Name", "x"), ("Mcp-Method", "tools/list")], 400, 400),
        ([("Mcp-Method", "tools/list"), ("Connection", "Mcp-Method")], 400, 400),
    ],
)
def test_requests_that_are_none_of_the_operations(operations, base, signer, others, fields, refuse, route):
    example = operations(other_operations=others)
    answer = post(example, signer.token(f"{base}/mcp", "notes:read"), fields)
    assert answer.status == (refuse if others == "refuse" else route)
    if answer.status == 400:
        assert answer.json["error"] == "invalid_request"
    if answer.status == 403 and refuse == 403 and route == 200:
        assert "scope" not in answer.challenge


def test_the_profile_of_mcp_demands_one_revision(operations, base, signer):
    example = operations("mcp")
    token = signer.token(f"{base}/mcp", "notes:read notes:write")
    assert post(example, token, DELETE, VERSION).status == 200
    assert post(example, token, DELETE, {"MCP-Protocol-Version": "2027-03-01"}).status == 200
    for versions in [
        [],
        ["2025-11-25"],
        ["2026-07-28", "2026-07-28"],
        ["2026-07-28,2026-07-28"],
        ["latest"],
        [""],
    ]:
        fields = [("MCP-Protocol-Version", version) for version in versions]
        assert post(example, token, DELETE, fields).status == 400, versions
    # Without a match the answers are as ever.
    assert post(example, token).status == 400
    assert post(example, token, {"Mcp-Method": "x", "Mcp-Name": "y"}).status == 403


def test_an_operation_may_need_no_token(operations, base, signer):
    example = operations()
    listing = {"Mcp-Method": "tools/list"}
    assert post(example, None, listing).json["subject"] is None
    assert post(example, None, listing, {"Authorization": "Basic dXNlcjpwYXNz"}).status == 200
    assert post(example, "nonsense", listing).status == 401
    assert post(example, signer.token(f"{base}/mcp", "notes:read"), listing).json["subject"] == "user"
    assert post(example, None, listing, listing).status == 401
    assert post(example, None).status == 401
    assert example.get("/mcp", fields=listing).status == 401
    assert "has operations that need no token" in example.errors


def test_under_mcp_an_operation_needs_no_token_only_in_a_revision_that_compares_fields(operations):
    example = operations("mcp")
    listing = {"Mcp-Method": "tools/list"}
    assert post(example, None, listing).status == 401
    assert post(example, None, listing, VERSION).status == 200


def test_explain_shows_the_operation(binary, folder, base, signer):
    configuration = {
        "authorization_servers": [{"issuer": ISSUER, "jwks": signer.jwks}],
        "resources": [
            resource(f"{base}/mcp", [ISSUER], ["notes:read", "notes:write"], [{"path": "/mcp", **OPERATIONS}])
        ],
    }
    path = write(configuration, folder)
    program = os.path.join(os.path.dirname(binary), "portcullis")

    def explain(*words):
        done = subprocess.run(
            [program, "explain", "--config", path, "--url", f"{base}/mcp", "--method", "POST", *words],
            capture_output=True,
            text=True,
            timeout=20,
        )
        secrecy.said("what explain printed", done.stdout + done.stderr)
        return done.returncode, done.stdout

    fields = ["--header", "Mcp-Method: tools/call", "--header", "Mcp-Name: delete_note"]
    status, out = explain("--token", signer.token(f"{base}/mcp", "notes:read"), *fields)
    assert status == 1 and "FAIL scopes of the operation" in out and "expected: notes:write" in out
    assert 'scope="notes:read notes:write"' in out
    status, out = explain("--token", signer.token(f"{base}/mcp", "notes:read notes:write"), *fields)
    assert status == 0 and "ok   operation" in out
    status, out = explain("--no-token", "--header", "Mcp-Method: tools/list")
    assert status == 0 and out.endswith("The request is admitted without a token.\n")
