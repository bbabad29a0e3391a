# SPDX-License-Identifier: MIT
"""The suite's progress and remaining time, on standard error, so that the table stays clean."""

import time

from .needs import say


class Progress:
    """Counts measurements; `planned` is the number of measurements of about `seconds` each."""

    def __init__(self, planned, seconds):
        self.planned, self.seconds, self.done, self.begun = planned, seconds, 0, time.monotonic()

    def skip_to(self, done):
        """Corrects the count after an experiment that ended early or did more than planned."""
        self.done = done

    def step(self, text):
        self.done += 1
        elapsed = time.monotonic() - self.begun
        # The weight of the measured time grows with the number of measurements.
        each = (elapsed + 10 * self.seconds) / (self.done + 10)
        left = max(0, self.planned - self.done) * each
        say(f"[{elapsed / 60:4.1f} min, {left / 60:4.1f} left] {text}")
