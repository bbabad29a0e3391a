# SPDX-License-Identifier: MIT
"""A browser for one page: opens a URL, presses the first button of its form, and follows where that leads.

    python consent.py URL

Uses the standard library alone, so that any Python runs it.
"""

import html.parser
import http.client
import sys
import urllib.parse


class Form(html.parser.HTMLParser):
    """A page's first form: its action and its fields when its first button is pressed."""

    def __init__(self, page):
        super().__init__()
        self.action, self.method, self.members, self.pressed = None, "GET", [], False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "form" and self.action is None:
            self.action, self.method = values.get("action", ""), values.get("method", "get").upper()
        button = tag == "button" or tag == "input" and values.get("type") == "submit"
        if tag in ("input", "button") and values.get("name") and not (button and self.pressed):
            self.members.append((values["name"], values.get("value", "")))
        self.pressed = self.pressed or button


def exchange(url, method="GET", body=None):
    """One exchange without following a redirect: status, location, page."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        fields = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        connection.request(method, target, body, fields)
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location"), answer.read().decode()
    finally:
        connection.close()


def allow(url):
    """Where the consent page at a URL sends the browser after a click."""
    status, location, page = exchange(url)
    if status == 200:
        form = Form(page)
        assert form.action is not None and form.method == "POST", page
        status, location, page = exchange(
            urllib.parse.urljoin(url, form.action), "POST", urllib.parse.urlencode(form.members)
        )
    assert status in (302, 303), (status, page)
    return location


if __name__ == "__main__":
    exchange(allow(sys.argv[1]))
