# SPDX-License-Identifier: MIT
"""Measures a target while another load, which the server must refuse, arrives as fast as possible."""

import time

from .needs import Wrong


class Flooded:
    """The figures are the target's; the count of answers to the flood is reported with them."""

    def __init__(self, target, flood):
        self.name, self.target, self.flood = target.name, target, flood

    def verify(self):
        self.flood.verify()
        return self.target.verify()

    def warm_up(self, seconds):
        self.target.warm_up(seconds)

    def measure(self, seconds):
        # The flood starts before the first request, and ends after the last.
        flood = self.flood.start(seconds + 2)
        try:
            time.sleep(1)
            figures = self.target.measure(seconds)
            if flood.popen.poll() is not None:
                raise Wrong("The flood ended early.")
            refused = self.flood.checked(flood.figures())
        finally:
            flood.popen.kill()
            flood.popen.wait()
        return {**figures, "flood_per_second": refused["requests_per_second"]}
