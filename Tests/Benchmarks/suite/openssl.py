# SPDX-License-Identifier: MIT
"""The rate that OpenSSL's verification alone allows here: `openssl speed` with one process per core.

No load generator, HTTP or hash of the signed text takes a share, so that a server can only approach this
figure.
"""

import os
import re
import subprocess

from .needs import Wrong

# Arguments of `openssl speed`, and lines of its machine-readable output, whose last number is verifications a
# second.
WORDS = {"RS256": ("rsa2048", "F2"), "ES256": ("ecdsap256", "F4"), "Ed25519": ("ed25519", "F6")}


class Speed:
    """Measured like a target; half of the time is spent on signing, which `openssl speed` insists on."""

    def __init__(self, algorithm):
        self.name = f"OpenSSL {algorithm}"
        self.word, self.line = WORDS[algorithm]

    def verify(self):
        return {"openssl": subprocess.run(["openssl", "version"], capture_output=True, text=True).stdout.strip()}

    def warm_up(self, seconds):
        self.measure(1)

    def measure(self, seconds):
        words = ["openssl", "speed", "-mr", "-seconds", str(max(1, seconds // 2)), "-multi", str(os.cpu_count())]
        done = subprocess.run([*words, self.word], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        found = re.search(rf"^\+{self.line}:.*:([\d.]+)$", done.stdout, re.MULTILINE)
        if done.returncode != 0 or not found:
            raise Wrong(f"openssl speed printed {done.stdout[-300:]} {done.stderr[-300:]}")
        return {"requests_per_second": float(found.group(1))}
