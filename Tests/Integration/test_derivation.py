# SPDX-License-Identifier: MIT
"""The served location is the one that clients derive, for identifiers of every shape (RFC 9728 §3.1, §3.3).
"""

import http.client
import json
import re
import urllib.parse

import httpx2
import pytest
from mcp.client.auth.utils import build_protected_resource_metadata_discovery_urls
from support.identifiers import Identifiers
from support.tokens import ISSUER, Signer

WELL_KNOWN = "/.well-known/oauth-protected-resource"
BATCH = 1000


def configuration(identifiers):
    entries = [{"metadata": {"resource": name, "authorization_servers": [ISSUER]}, "routes": []} for name in identifiers]
    return {
        "authorization_servers": [{"issuer": ISSUER, "jwks": Signer().jwks}],
        "resources": entries,
    }


class Line:
    """One persistent connection, on which each request names any host."""

    def __init__(self, base):
        parts = urllib.parse.urlsplit(base)
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)

    def get(self, host, target):
        self.connection.putrequest("GET", target, skip_host=True, skip_accept_encoding=True)
        self.connection.putheader("Host", host)
        self.connection.endheaders()
        response = self.connection.getresponse()
        return response, response.read()

    def get_url(self, url):
        """Requests a URL as an HTTP library sends it, with the library's own normalisation."""
        request = httpx2.Request("GET", url)
        return self.get(request.headers["Host"], request.url.raw_path.decode())


def derived_by_the_sdk(identifier):
    return build_protected_resource_metadata_discovery_urls(None, identifier)[0]


def derived_by_the_rfc(identifier):
    """RFC 9728 §3.1 literally: inserted between host and path, a slash directly after the host removed."""
    scheme, rest = identifier.split("://", 1)
    authority, path = re.fullmatch(r"([^/?]*)(.*)", rest).groups()
    if path == "/" or path.startswith("/?"):
        path = path[1:]
    return f"{scheme}://{authority}{WELL_KNOWN}{path}"


def check(serve, identifiers, derive):
    base = serve(configuration(identifiers)).base
    line = Line(base)
    wrong = []
    for name in identifiers:
        location = derive(name)
        response, body = line.get_url(location)
        if response.status != 200 or json.loads(body)["resource"] != name:
            wrong.append((name, location, response.status, body[:200]))
            continue
        # The challenge names the same location.
        response, _ = line.get_url(name)
        hint = re.search(r'resource_metadata="([^"]*)"', response.getheader("WWW-Authenticate") or "")
        if response.status != 401 or not hint or hint.group(1) != location:
            wrong.append((name, location, response.status, hint and hint.group(1)))
    assert not wrong, (len(wrong), wrong[:10])


@pytest.mark.parametrize("batch", range(10))
def test_the_mcp_package_derives_the_served_location(serve, binary, batch):
    if batch > 0 and "san/" in binary:
        pytest.skip("one batch suffices with a sanitizer")
    source = Identifiers(f"derivation {batch}")
    names = [source.one() for _ in range(BATCH)]
    assert len(set(names)) == BATCH
    check(serve, names, derived_by_the_sdk)


def test_queries_and_semicolons_that_the_package_drops_are_kept(serve):
    source = Identifiers("queries")
    names = [source.one(semicolons=True, query=index % 2 == 0) for index in range(BATCH)]
    check(serve, names, derived_by_the_rfc)
