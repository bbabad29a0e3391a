# SPDX-License-Identifier: MIT
"""The metadata for other programs: signed, at the MCP SDK's locations, replaced under load, checked by the server."""

import base64
import hashlib
import http.client
import json
import random
import signal
import threading

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from mcp.client.auth.utils import build_protected_resource_metadata_discovery_urls
from mcp.shared.auth import ProtectedResourceMetadata
from support import web
from support.example_server import ExampleServer, write
from support.processes import free_port, wait_until
from support.tokens import ISSUER, Signer

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def one_resource(base, path="/notes", issuer=ISSUER, jwks=None, **others):
    metadata = {
        "resource": base + path,
        "authorization_servers": [issuer],
        "scopes_supported": ["notes.read"],
        **others.pop("metadata", {}),
    }
    return {
        "authorization_servers": [{"issuer": issuer, "jwks": jwks or Signer(issuer).jwks}],
        "resources": [
            {
                "metadata": metadata,
                "routes": [{"path": path, "scopes": ["notes.read"], "respond": "principal"}],
                **others,
            }
        ],
    }


# Signed metadata, RFC 9728 §2.2


def keys_of(kind, identifier):
    options = {"kid": identifier, "use": "sig"}
    match kind:
        case "ES256" | "ES384":
            return ECKey.generate_key({"ES256": "P-256", "ES384": "P-384"}[kind], options)
        case "EdDSA":
            return OKPKey.generate_key("Ed25519", options)
        case _:
            return RSAKey.generate_key(2048, options)


def write_key(folder, name, key):
    with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
        json.dump(key.as_dict(private=True), file)


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "EdDSA", "RS256", "PS256"])
def test_another_library_verifies_the_signature(serve, base, folder, algorithm):
    write_key(folder, "rs.jwk", keys_of(algorithm, "one"))
    server = serve(
        one_resource(
            base,
            metadata={"jwks_uri": f"{base}/keys", "resource_name#it": "Appunti"},
            signed_metadata={"private_key": "rs.jwk", "algorithm": algorithm, "issuer": "https://trust.example"},
        ),
        base,
    )
    document = server.get(f"{WELL_KNOWN}/notes").json
    keys = server.get("/keys")
    assert keys.media_type == "application/jwk-set+json" and b'"d"' not in keys.body
    token = jwt.decode(document["signed_metadata"], KeySet.import_key_set(keys.json), algorithms=[algorithm])
    claims = token.claims
    assert claims.pop("iss") == "https://trust.example"
    assert claims.pop("exp") - claims.pop("iat") == 86400
    assert claims == {name: value for name, value in document.items() if name != "signed_metadata"}


def test_a_changed_key_signs_at_once_and_the_old_one_still_verifies(serve, base, folder):
    write_key(folder, "rs.jwk", keys_of("ES256", "old"))
    configuration = one_resource(
        base,
        metadata={"jwks_uri": f"{base}/keys"},
        signed_metadata={"private_key": "rs.jwk", "algorithm": "ES256", "accept_jwt": True},
    )
    server = serve(configuration, base)
    before = server.get(f"{WELL_KNOWN}/notes").json["signed_metadata"]
    write_key(folder, "rs.jwk", keys_of("ES256", "new"))
    server.program.send(signal.SIGHUP)
    wait_until(lambda: "in use" in server.errors, 10, "the file is read again")
    keys = KeySet.import_key_set(server.get("/keys").json)
    assert [key.kid for key in keys] == ["new", "old"]
    accept = {"Accept": "application/oauth-protected-resource-jwt"}
    alone = server.get(f"{WELL_KNOWN}/notes", fields=accept)
    assert alone.one("Content-Type") == "application/oauth-protected-resource-jwt"
    assert alone.one("Vary") == "Accept"
    for signed, name in [(before, "old"), (alone.body.decode(), "new")]:
        token = jwt.decode(signed, keys, algorithms=["ES256"])
        assert token.header["kid"] == name and token.claims["iss"] == f"{base}/notes"


def test_a_key_that_cannot_be_read_is_a_problem_of_the_file(binary, base, folder):
    path = write(one_resource(base, signed_metadata={"private_key": "absent", "algorithm": "ES256"}), folder)
    with pytest.raises(AssertionError, match=r"\$\.resources\[0\]\.signed_metadata\.private_key: cannot be read"):
        ExampleServer(binary, ["--config", path], folder)


# Locations, RFC 9728 §3.1


def generated(origin, count, seed):
    """Distinct identifiers on one origin, without the parts that the SDK's derivation drops: queries and `;`.
    """
    pieces = ["a", "Z", "9", "-", "_", "~", "%41", "%7e", "%c3%a9", "%20", ":", "@", "!", "$", "&", "'", "(", ")"]
    pieces += ["*", "+", ",", "=", "%25"]
    chance = random.Random(seed)
    return [
        origin
        + f"/r{number}"
        + "".join(
            "/s" + "".join(chance.choices(pieces, k=chance.randrange(6))) for _ in range(chance.randrange(4))
        )
        + chance.choice(["", "", "/"])
        for number in range(count)
    ]


@pytest.mark.parametrize("batch", range(10))
def test_every_document_is_where_the_mcp_sdk_looks(serve, base, batch):
    identifiers = generated(base, 1000, batch)
    jwks = Signer().jwks
    server = serve(
        {
            "authorization_servers": [{"issuer": ISSUER, "jwks": jwks}],
            "resources": [
                {"metadata": {"resource": text, "authorization_servers": [ISSUER]}} for text in identifiers
            ],
        },
        base,
    )
    connection = http.client.HTTPConnection("127.0.0.1", int(server.base.rsplit(":", 1)[1]), timeout=20)
    for text in identifiers:
        url = build_protected_resource_metadata_discovery_urls(None, text)[0]
        connection.request("GET", url.removeprefix(base))
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, url
        assert json.loads(body)["resource"] == text
    ProtectedResourceMetadata.model_validate_json(body)
    connection.close()


# Reload, RFC 9728 §5.2


class Watcher(threading.Thread):
    """Sends requests on one connection without a pause, and records each answer that mixes two versions of the file."""

    def __init__(self, base, target, judge):
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection(*base.removeprefix("http://").split(":"), timeout=20)
        self.target, self.judge = target, judge
        self.problems, self.seen, self.count, self.ended = [], set(), 0, threading.Event()

    def run(self):
        try:
            while not self.ended.is_set():
                self.connection.request("GET", self.target)
                answer = self.connection.getresponse()
                body = answer.read()
                versions = self.judge(answer, body)
                self.count += 1
                self.seen |= versions
                if len(versions) != 1:
                    self.problems.append((answer.status, answer.getheaders(), body))
        except Exception as error:
            self.problems.append(repr(error))


def versions_of_refusal(answer, _):
    """The realm, the scope and an extra parameter of a challenge."""
    parameters = dict(part.split("=", 1) for part in answer.getheader("WWW-Authenticate")[7:].split(", "))
    return {parameters[name].strip('"').rsplit(".", 1)[1] for name in ("realm", "scope", "x-version")}


def versions_of_document(answer, body):
    document = json.loads(body)
    fresh = hashlib.sha256(body).digest()
    expected = base64.urlsafe_b64encode(fresh).decode()[:22]
    tag_is_right = answer.getheader("ETag") == f'"{expected}"'
    names = [document["resource_name"], document["x-version"], document["scopes_supported"][0]]
    age = answer.getheader("Cache-Control").rsplit("=", 1)[1]
    return {name.rsplit(".", 1)[1] for name in names} | {str(int(age) - 1000)} | (set() if tag_is_right else {"?"})


def test_a_hundred_reloads_under_full_load_mix_nothing_and_drop_nothing(serve, base, folder):
    jwks = Signer().jwks

    def version(number):
        made = one_resource(
            base,
            jwks=jwks,
            metadata={
                "scopes_supported": [f"read.{number}"],
                "resource_name": f"name.{number}",
                "x-version": f"x.{number}",
            },
            metadata_max_age_seconds=1000 + number,
            challenge_parameters={"realm": f"r.{number}", "x-version": f"v.{number}"},
        )
        made["resources"][0]["routes"][0]["scopes"] = [f"read.{number}"]
        made["server"] = {"event_loops": 2}
        return made

    server = serve(version(0), base)
    watchers = [Watcher(server.base, "/notes", versions_of_refusal) for _ in range(3)]
    watchers += [Watcher(server.base, f"{WELL_KNOWN}/notes", versions_of_document) for _ in range(3)]
    for watcher in watchers:
        watcher.start()
    for number in range(1, 101):
        write(version(number), folder, "config-0.json")
        server.program.send(signal.SIGHUP)
        wait_until(lambda n=number: server.errors.count("the file is in use") >= n, 20, "the file is read again")
    counts = [watcher.count for watcher in watchers]
    wait_until(lambda: all(w.count > c for w, c in zip(watchers, counts)), 20, "answers after the last swap")
    for watcher in watchers:
        watcher.ended.set()
    for watcher in watchers:
        watcher.join(20)
    assert [problem for watcher in watchers for problem in watcher.problems] == []
    assert all("100" in watcher.seen for watcher in watchers)
    assert server.errors.count(f"metadata of {base}/notes: ") == 100, "each reload is reported with both hashes"


# The chain, RFC 9728 §7.6


def test_a_required_self_check_stops_a_server_that_clients_cannot_discover(binary, base, folder):
    """The authorization server does not exist, although its keys are known."""
    issuer = f"http://127.0.0.1:{free_port()}"
    configuration = one_resource(base, issuer=issuer)
    configuration["authorization_servers"][0]["allow_insecure_loopback"] = True
    configuration["self_check"] = {"policy": "require"}
    path = write(configuration, folder)
    with pytest.raises(AssertionError) as found:
        ExampleServer(binary, ["--config", path, "--port", base.rsplit(":", 1)[1]], folder)
    said = str(found.value)
    assert "exit status 1" in said
    assert f"self-check: {issuer}: has no valid metadata at its RFC 8414" in said


def test_a_resource_that_needs_no_token_at_its_own_url_can_be_discovered(serve, base):
    """RFC 9728 section 5.1: the gate challenges whoever presents a malformed token."""
    configuration = one_resource(base)
    del configuration["resources"][0]["routes"][0]["scopes"]
    configuration["resources"][0]["authentication"] = "optional"
    admin = free_port()
    configuration["admin"] = {"port": admin}
    server = serve(configuration, base)
    assert web.request(f"{base}/notes").status == 200
    report = web.request(f"http://127.0.0.1:{admin}/readyz?check=chain", timeout=30).json["resources"][0]
    # No server is at the issuer's address.
    assert [entry["fault"] for entry in report["findings"]] == ["discoveryFailed"], server.errors


def test_the_admin_listener_reports_the_chain(serve, base, folder):
    configuration = one_resource(base)
    admin = free_port()
    configuration["admin"] = {"port": admin}
    configuration["self_check"] = {"policy": "warn"}
    server = serve(configuration, base)
    report = web.request(f"http://127.0.0.1:{admin}/readyz?check=chain", timeout=30)
    assert report.status == 503, "no server is at the issuer's address"
    found = report.json["resources"][0]
    assert [entry["fault"] for entry in found["findings"]] == ["discoveryFailed"]
    assert web.request(f"http://127.0.0.1:{admin}/readyz").status == 200
    wait_until(lambda: "self-check: 0 of 1" in server.errors, 20, "the log has the result of the check")
