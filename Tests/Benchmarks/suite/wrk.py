# SPDX-License-Identifier: MIT
"""Runs wrk once, and parses its output."""

import math
import os
import re
import subprocess

from . import needs

LUA = os.path.join(needs.BENCHMARKS, "suite", "requests.lua")


class Load:
    """One run of wrk: started at once, its figures when it has ended."""

    def __init__(self, url, seconds, connections, threads=2, fields=None, script=None, environment=None):
        words = [needs.wrk(), f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s"]
        for name, value in (fields or {}).items():
            words += ["-H", f"{name}: {value}"]
        if script:
            words += ["-s", script]
        self.seconds = seconds
        self.popen = subprocess.Popen(
            [*words, url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **(environment or {})},
        )

    def figures(self):
        try:
            text, errors = self.popen.communicate(timeout=self.seconds + 120)
        finally:
            self.popen.kill()
        rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
        total = re.search(r"(\d+) requests in", text)
        if self.popen.returncode != 0 or not rate or not total:
            raise needs.Wrong(f"wrk printed {text} {errors}")
        failed = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        trouble = re.search(r"Socket errors: (.*)", text)
        return {
            "requests": int(total.group(1)),
            "failed": int(failed.group(1)) if failed else 0,
            "trouble": trouble.group(1) if trouble else None,
            "requests_per_second": float(rate.group(1)),
            "p50_ms": milliseconds(text, "50%"),
            "p99_ms": milliseconds(text, "99%"),
        }


def lines_of(path, threads, offset, fields):
    """The environment with which requests.lua reads its requests from a file."""
    return {
        "SUITE_LINES": path,
        "SUITE_THREADS": str(threads),
        "SUITE_OFFSET": str(offset),
        "SUITE_FIELDS": fields,
    }


def milliseconds(text, line):
    found = re.search(rf"^\s+{line}\s+([\d.]+)(us|ms|s|m)$", text, re.MULTILINE)
    return float(found.group(1)) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[found.group(2)] if found else math.nan
