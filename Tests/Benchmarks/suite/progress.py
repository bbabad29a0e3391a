# SPDX-License-Identifier: MIT
"""How far the suite is, and how long it will take still: on standard error, so that the table stays clean."""

import time

from .needs import say


class Progress:
    """Counts measurements; `planned` is how many there will be of about `seconds` each."""

    def __init__(self, planned, seconds):
        self.planned, self.seconds, self.done, self.begun = planned, seconds, 0, time.monotonic()

    def skip_to(self, done):
        """Corrects the count where an experiment ended early or did more than was planned."""
        self.done = done

    def step(self, text):
        self.done += 1
        elapsed = time.monotonic() - self.begun
        # What was seen so far counts the more, the more was seen.
        each = (elapsed + 10 * self.seconds) / (self.done + 10)
        left = max(0, self.planned - self.done) * each
        say(f"[{elapsed / 60:4.1f} min, {left / 60:4.1f} left] {text}")
