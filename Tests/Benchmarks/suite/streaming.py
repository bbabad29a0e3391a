# SPDX-License-Identifier: MIT
"""Streamed answers: ten lines, ten milliseconds apart, over many connections at once."""

from .target import Target

LINES = "".join(f"line {number}\n" for number in range(1, 11)).encode()


class Streamed(Target):
    """The answers' own pauses bound the rate: the result is how close it comes to that, and the slowest per cent."""

    def __init__(self, ours, connections):
        super().__init__("streaming", ours.process, ours.port, "/stream", body=LINES, connections=connections)

    def measure(self, seconds):
        figures = super().measure(seconds)
        # Nine pauses of 10 ms between ten lines; each connection sends one answer after the other.
        figures["of_possible"] = figures["requests_per_second"] / (self.connections / 0.09)
        return figures
