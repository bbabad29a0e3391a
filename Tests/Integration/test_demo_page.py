# SPDX-License-Identifier: MIT
"""The demo's page, clicked through in Chromium: every step, by keyboard, on a phone, dark and light."""

import os
import re

import pytest
from support import chromium, web
from support.processes import Program

needs_chromium = pytest.mark.skipif(chromium.PROGRAM is None, reason="no Chromium is installed")

#: The title of each step, and what its result shows.
STEPS = [
    ("A call without a token", ["401 Unauthorized", "resource_metadata", "www-authenticate: bearer"]),
    ("The resource's document", ["authorization_servers", "scopes_supported"]),
    ("The authorization server's document", ["token_endpoint", "registration_endpoint"]),
    ("Registration", ["201 created", "client_id", "redirect_uris"]),
    ("Consent", ["code=", "state=", "iss="]),
    ("The token", ["access_token", "aud:", "sub: alice", "scope: photos.read"]),
    ("The call", ["200 ok", "authorization: bearer", "signature", "audience"]),
    ("A call that needs more", ["403 forbidden", "insufficient_scope", "photos.write"]),
    ("Step-up", ["code="]),
    ("The call, again", ["204 no content", "photos.read photos.write"]),
    ("A token that is bound to a key", ["cnf:", "dpop+jwt", '"token_type":"dpop"']),
    ("A DPoP-bound call", ["200 ok", "401 unauthorized", "invalid_token", "ath:"]),
]

#: Texts whose contrast with their ground is below what WCAG 2.2 success criterion 1.4.3 demands.
FAINT = """(() => {
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const parse = (text) => (text.match(/[\\d.]+/g) ?? []).map(Number);
    const ground = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const colour = parse(getComputedStyle(at).backgroundColor);
            if (colour.length && (colour[3] ?? 1) > 0) return colour;
        }
        return [255, 255, 255];
    };
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !node.checkVisibility() || node.closest(":disabled")) continue;
        const [a, b] = [light(parse(getComputedStyle(node).color)), light(ground(node))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${node.tagName} ${walker.currentNode.data.trim().slice(0, 40)}`);
    }
    return found;
})()"""

WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def demo(binary, folder):
    program = Program([binary, "--port", "0"], folder, "demo")
    found = re.fullmatch(r"listening on (http://\S+)", program.line(20) or "")
    assert found, program.errors
    yield found.group(1)
    assert program.stop() == 0, program.errors


@pytest.fixture
def browser(folder):
    opened = chromium.Chromium(folder)
    yield opened
    opened.stop()


def pictures():
    """Where to keep pictures for people; None to keep none."""
    return os.environ.get("PORTCULLIS_PICTURES")


def keep(browser, name):
    if pictures():
        os.makedirs(pictures(), exist_ok=True)
        browser.picture(os.path.join(pictures(), f"{name}.png"))


def title(browser, expected):
    browser.wait(f"document.getElementById('title')?.textContent === {expected!r}")


def act(browser, press=None):
    """Does the current step; at the consent page, allows."""
    press = press or (lambda name: browser.value(f"document.getElementById('{name}').click(), true"))
    press("act")
    found = browser.wait(
        "document.querySelector('[name=decision]') ? 'ask' : document.getElementById('next') ? 'done' : ''"
    )
    if found == "ask":
        keep(browser, "consent")
        browser.value("document.querySelector('[value=allow]').click(), true")
        browser.wait("!!document.getElementById('next')")


def text(browser):
    return browser.value("document.getElementById('step').innerText").lower()


@needs_chromium
def test_a_click_through_every_step(demo, browser):
    browser.open(demo + "/")
    for number, (name, words) in enumerate(STEPS, 1):
        title(browser, name)
        assert browser.value("document.getElementById('problem').textContent") == ""
        act(browser)
        shown = text(browser)
        for word in words:
            assert word.lower() in shown, (name, word, shown)
        assert browser.value("document.activeElement.id") == "title"
        status = browser.value("document.getElementById('status').textContent")
        assert status and "Working" not in status
        assert browser.value(FAINT) == [] and not browser.value(WIDE), name
        keep(browser, f"{number:02}-wide")
        browser.resize(360, 740, dark=True)
        assert browser.value(FAINT) == [] and not browser.value(WIDE), name
        keep(browser, f"{number:02}-phone-dark")
        browser.resize(1200)
        browser.value("document.getElementById('next').click(), true")
    # The last one starts again.
    title(browser, STEPS[0][0])
    assert browser.value("document.getElementById('next')") is None
    assert browser.complaints == []


@needs_chromium
def test_the_bytes_are_those_of_the_wire(demo, browser):
    """The page shows what this test gets from the same server, but for the date."""
    browser.open(demo + "/")
    title(browser, STEPS[0][0])
    act(browser)
    request, response = browser.value("[...document.querySelectorAll('pre')].map((pre) => pre.textContent)")
    response = re.sub(r"(?<=[\w\"])[0-9](?=\n|,|$)", "", response)
    direct = web.request(demo + "/photos/7")
    assert request.startswith("GET /photos/7 HTTP/1.1\nHost: ")
    assert "401 Unauthorized" in response
    assert direct.challenge["resource_metadata"] in response


@needs_chromium
def test_the_page_is_used_by_keyboard_alone(demo, browser):
    browser.open(demo + "/")
    title(browser, STEPS[0][0])

    def press(name):
        for _ in range(40):
            if browser.value("document.activeElement.id") == name:
                return browser.press("Enter", "\r")
            browser.press("Tab")
        raise AssertionError(f"Tab does not reach {name}")

    for name, _ in STEPS[:3]:
        title(browser, name)
        act(browser, press)
        press("next")
    title(browser, STEPS[3][0])
    assert browser.value("document.activeElement.id") == "title"


@needs_chromium
def test_assistive_technology_gets_names_and_places(demo, browser):
    browser.open(demo + "/")
    title(browser, STEPS[0][0])
    act(browser)
    nodes = browser.accessible()
    roles = [role for role, _ in nodes]
    for role in ["main", "navigation", "banner", "contentinfo", "status"]:
        assert roles.count(role) == 1, (role, nodes)
    buttons = [name for role, name in nodes if role == "button"]
    assert len(buttons) >= len(STEPS) and all(buttons), buttons
    assert [name for name, _ in STEPS] == [name for name in buttons if name in dict(STEPS)]
    headings = browser.value("[...document.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]))")
    assert headings[0] == 1 and all(b - a <= 1 for a, b in zip(headings, headings[1:])), headings
    assert browser.value("document.documentElement.lang") == "en" and browser.value("document.title")
    assert browser.value("document.querySelector('nav [aria-current=step]').textContent").endswith(STEPS[0][0])


@needs_chromium
def test_a_user_who_denies_can_be_asked_again(demo, browser):
    browser.open(demo + "/")
    for name, _ in STEPS[:4]:
        title(browser, name)
        act(browser)
        browser.value("document.getElementById('next').click(), true")
    title(browser, "Consent")
    browser.value("document.getElementById('act').click(), true")
    browser.wait("!!document.querySelector('[value=deny]')")
    browser.value("document.querySelector('[value=deny]').click(), true")
    browser.wait("document.getElementById('problem')?.textContent.includes('access_denied')")
    assert browser.value("document.getElementById('next')") is None
    act(browser)
    assert "code=" in text(browser)


def test_the_page_has_a_strict_policy_and_no_outside_assets(demo):
    page = web.request(demo + "/", fields={"Accept": "text/html"})
    assert page.status == 200 and page.media_type == "text/html"
    policy = page.one("Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "http" not in policy
    assert "frame-ancestors 'none'" in policy and "require-trusted-types-for 'script'" in policy
    body = page.body.decode()
    assert "style=" not in body and "onclick" not in body and "<style" not in body
    for asset in re.findall(r'(?:src|href)="([^"#]+)"', body):
        assert "://" not in asset
        found = web.request(f"{demo}/{asset}")
        assert found.status == 200 and found.one("X-Content-Type-Options") == "nosniff"
        assert "innerHTML" not in found.body.decode() and "import " not in found.body.decode().replace("@import", "")


def test_programs_get_the_plain_page(demo):
    page = web.request(demo + "/")
    assert page.status == 200 and page.media_type == "text/plain" and b"public" in page.body
    assert page.one("Vary") == "Accept"


@pytest.mark.parametrize("origin", [None, "https://evil.example", "null"])
def test_other_sites_cannot_use_the_pages_exchange(demo, origin):
    fields = {"Content-Type": "application/json", **({"Origin": origin} if origin else {})}
    body = b'{"request": "GET /photos/7 HTTP/1.1\\r\\nHost: a\\r\\nConnection: close\\r\\n\\r\\n"}'
    assert web.request(demo + "/demo/exchange", "POST", fields, body).status == 403
    fields["Origin"] = demo
    answer = web.request(demo + "/demo/exchange", "POST", fields, body)
    assert answer.status == 200 and answer.json["response"].startswith("HTTP/1.1 401 ")
    assert [step["outcome"] for step in answer.json["trace"]].count("failed") == 1
    for malformed in [b"", b"[]", b'{"request": 1}']:
        assert web.request(demo + "/demo/exchange", "POST", fields, malformed).status == 400
