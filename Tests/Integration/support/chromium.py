# SPDX-License-Identifier: MIT
"""Chromium without a window, driven by the Chrome DevTools Protocol over two pipes."""

import base64
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time

PROGRAM = next(filter(None, map(shutil.which, ["chromium-headless-shell", "chromium", "google-chrome"])), None)


#: Gives two descriptors the numbers that the browser expects, and becomes the browser.
STARTER = """
import os, sys
for number, copy in enumerate(sys.argv[1:3], 3):
    os.dup2(int(copy), number)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Chromium:
    """A browser with one page."""

    def __init__(self, folder, width=1200, height=900):
        words = [PROGRAM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        words += [f"--user-data-dir={folder}/profile", "--remote-debugging-pipe", "--force-color-profile=srgb"]
        # The browser reads commands from descriptor 3 and writes answers to descriptor 4.
        commands, self._commands = os.pipe()
        self._answers, answers = os.pipe()
        copies = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, 100) for descriptor in (commands, answers)]
        with open(f"{folder}/chromium.log", "wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", STARTER, *map(str, copies), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "HOME": folder},
                pass_fds=copies,
            )
        for descriptor in [commands, answers, *copies]:
            os.close(descriptor)
        self._numbers, self._pending, self._session = itertools.count(1), b"", None
        #: What the page wrote to its console, and what the browser did not let it do.
        self.complaints = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Accessibility"]:
            self.call(f"{domain}.enable")
        self.resize(width, height)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self._commands)
        os.close(self._answers)

    def call(self, method, seconds=30, **parameters):
        number = next(self._numbers)
        order = {"id": number, "method": method, "params": parameters}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._commands, json.dumps(order).encode() + b"\0")
        end = time.monotonic() + seconds
        while True:
            answer = self._read(end)
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def _read(self, end):
        while b"\0" not in self._pending:
            ready, _, _ = select.select([self._answers], [], [], max(0, end - time.monotonic()))
            assert ready, "the browser does not answer"
            piece = os.read(self._answers, 1 << 20)
            assert piece, "the browser has ended"
            self._pending += piece
        line, self._pending = self._pending.split(b"\0", 1)
        return json.loads(line)

    def _note(self, event):
        if event.get("method") == "Log.entryAdded":
            self.complaints.append(event["params"]["entry"]["text"])
        elif event.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(event["params"]["exceptionDetails"]))
        elif event.get("method") == "Runtime.consoleAPICalled":
            self.complaints.append(json.dumps(event["params"]["args"]))

    # The page.

    def open(self, url):
        self.call("Page.navigate", url=url)

    def resize(self, width, height=900, dark=False):
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500
        )
        self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        )

    def value(self, expression):
        """The value of a JavaScript expression; None while the page changes."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression, seconds=20):
        """Waits until an expression has a value that is true, and returns it."""
        end = time.monotonic() + seconds
        while True:
            try:
                value = self.value(expression)
            except AssertionError:
                value = None
            if value:
                return value
            assert time.monotonic() < end, (expression, self.complaints, self.value("document.body?.innerText"))
            time.sleep(0.05)

    def press(self, key, text=""):
        codes = {"Tab": 9, "Enter": 13, " ": 32}
        for kind in ["keyDown", "keyUp"]:
            members = {"text": text} if text and kind == "keyDown" else {}
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key], **members
            )

    def picture(self, path):
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        picture = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture["data"]))

    def accessible(self):
        """The roles and names that assistive technology gets."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        return [
            (node.get("role", {}).get("value"), node.get("name", {}).get("value", ""))
            for node in nodes
            if not node.get("ignored")
        ]
