# SPDX-License-Identifier: MIT
"""Latency at half of the maximum rate: h2load sends at fixed times, and its log has every answer's time."""

import subprocess
import time

from . import figures, needs
from .bounds import Bound
from .target import Target

CLIENTS, THREADS = 64, 2


def h2load(seconds, target, *words):
    command = [needs.h2load(), "--h1", f"-c{CLIENTS}", f"-t{THREADS}", f"-D{seconds}", *words]
    for name, value in target.fields.items():
        command += ["-H", f"{name}: {value}"]
    done = subprocess.run(
        [*command, target.url],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds + 60,
    )
    if done.returncode != 0:
        raise needs.Wrong(f"h2load printed {done.stdout[-300:]} {done.stderr[-300:]}")


class Steady:
    """A target to which h2load sends at a rate that does not depend on its answers."""

    def __init__(self, target, rate, log):
        self.name, self.target, self.rate, self.log = target.name, target, rate, log

    def verify(self):
        return self.target.verify()

    def warm_up(self, seconds):
        self.measure(seconds)

    def measure(self, seconds):
        before, begun = self.target.server.processor_seconds, time.monotonic()
        words = [f"--log-file={self.log}"] + ([f"--rps={self.rate / CLIENTS:.2f}"] if self.rate else [])
        h2load(seconds, self.target, *words)
        cores = (self.target.server.processor_seconds - before) / (time.monotonic() - begun)
        times = []
        with open(self.log, encoding="ascii") as file:
            for line in file:
                _, status, microseconds = line.split()
                if status != "200":
                    raise needs.Wrong(f"{self.name}: h2load met the status {status}.")
                times.append(int(microseconds) / 1000)
        with open(self.log, "w", encoding="ascii"):
            pass
        if not times or (self.rate and len(times) < 0.9 * self.rate * seconds):
            raise needs.Wrong(f"{self.name}: {len(times)} answers in {seconds} s, not {self.rate:.0f} a second.")
        return {
            "requests_per_second": len(times) / seconds,
            "p50_ms": figures.percentile(times, 0.5),
            "p99_ms": figures.percentile(times, 0.99),
            "server_cores": cores,
        }


def run(stage):
    log = stage.path("h2load.log")
    targets: list[Target] = [stage.nginx.target(), stage.ours.trivial()]
    # The maximum is our server's with the same generator, and the rate is the same for both.
    most = Steady(targets[1], None, log)
    most.warm_up(1)
    rate = max(most.measure(2)["requests_per_second"] for _ in range(3)) / 2
    stage.extra["rate"] = rate
    stage.compare(
        [Steady(target, rate, log) for target in targets],
        [
            Bound(
                f"p99 latency at {rate:,.0f} requests a second, half of our maximum, against nginx's",
                "trivial",
                "nginx",
                1.25,
                at_most=True,
                metric="p99_ms",
            )
        ],
    )
