# SPDX-License-Identifier: MIT
"""`portcullis explain --json`, and doing what it suggests."""

import copy
import json
import os
import re
import subprocess

from . import secrecy
from .example_server import write


class Advice:
    def __init__(self, report):
        self.report = report
        self.admitted = report["admitted"]
        self.suggestion = report.get("suggestion")
        self.unsound = report.get("unsound")


def explain(binary, configuration, folder, token, url):
    """What `explain` says of a token, which it gets on standard input."""
    path = write(configuration, folder, "explained.json")
    program = os.path.join(os.path.dirname(binary), "portcullis")
    done = subprocess.run(
        [program, "explain", "--config", path, "--token", "-", "--url", url, "--json"],
        input=token,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    secrecy.said("what explain printed", done.stdout + done.stderr)
    assert done.returncode in (0, 1), done.stderr
    return Advice(json.loads(done.stdout))


def apply(suggestion, configuration):
    """The configuration with the suggested members set, and nothing else."""
    changed = copy.deepcopy(configuration)
    place = changed
    for name, index in re.findall(r"\.([a-z_]+)(?:\[(\d+)\])?", suggestion["at"]):
        if index:
            elements = place.setdefault(name, [])
            if int(index) == len(elements):
                elements.append({})
            place = elements[int(index)]
        else:
            place = place.setdefault(name, {})
    place.update(copy.deepcopy(suggestion["set"]))
    return changed
