# SPDX-License-Identifier: MIT
"""Certificates that the `openssl` program makes for one test."""

import os
import subprocess


class Certificates:
    """A certificate authority and its certificates, as files in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self._serial = 0
        for name in ["ca", "self-signed"]:
            self._run("req", "-x509", "-days", "20", "-out", self.path(f"{name}.pem"), *self._key(name))
        self.issue("server", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self.issue("client", "extendedKeyUsage=clientAuth")

    def path(self, name):
        return os.path.join(self.folder, name)

    def issue(self, name, extensions, days=20, to=None):
        """A key and a certificate under `to`, by default its name."""
        to = to or name
        self._serial += 1
        self._run("req", "-out", self.path(f"{to}.csr"), *self._key(name, to))
        with open(self.path(f"{to}.ext"), "w", encoding="utf-8") as file:
            file.write(extensions + "\n")
        authority = ["-CA", self.path("ca.pem"), "-CAkey", self.path("ca.key")]
        request = ["-in", self.path(f"{to}.csr"), "-extfile", self.path(f"{to}.ext"), "-set_serial", str(self._serial)]
        self._run("x509", "-req", *request, *authority, "-days", str(days), "-out", self.path(f"{to}.pem"))

    def _key(self, name, to=None):
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        return [*kind, "-keyout", self.path(f"{to or name}.key"), "-subj", f"/CN={name}"]

    @staticmethod
    def _run(*arguments):
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
