# SPDX-License-Identifier: MIT
"""Resource identifiers of every shape, always the same ones."""

import random

LETTERS = "abcdefghijklmnopqrstuvwxyz"
UNRESERVED = LETTERS + LETTERS.upper() + "0123456789-_~"
# RFC 3986 §3.3: other characters that a segment may contain; semicolons only on request.
OTHERS = "!$&'()*+,=:@"
# Unnecessary and necessary escapes, in either case of the digits.
ESCAPES = ["%7E", "%7e", "%41", "%6d", "%20", "%C3%A9", "%c3%a9", "%E2%82%AC", "%3F", "%23", "%5B", "%25", "%3a", "%22"]


class Identifiers:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.count = 0

    def one(self, semicolons=False, query=False):
        """The next identifier; no two of them are the same resource."""
        self.count += 1
        return f"https://{self._authority()}{self._path(semicolons)}" + (self._query() if query else "")

    def _authority(self):
        pick = self.random.random()
        if pick < 0.15:
            host = ".".join(str(self.random.randrange(256)) for _ in range(4))
        elif pick < 0.3:
            groups = [f"{self.random.randrange(1, 65536):x}" for _ in range(8)]
            host = f"[{':'.join(groups[:3])}::{groups[3]}]" if pick < 0.22 else f"[{':'.join(groups)}]"
        else:
            labels = [self._text(LETTERS + "0123456789", 1, 8) for _ in range(self.random.randrange(1, 4))]
            host = ".".join([f"{label}x" for label in labels] + ["example"])
        if self.random.random() < 0.2:
            host = "".join(self.random.choice((letter.lower(), letter.upper())) for letter in host)
        port = self.random.choice(["", "", "", ":443", f":{self.random.randrange(1, 65536)}"])
        # The count distinguishes resources without a path.
        return f"n{self.count}.{host}{port}" if host[0] not in "[0123456789" else f"{host}{port}"

    def _path(self, semicolons):
        if self.random.random() < 0.1:
            return self.random.choice(["", "/"])
        segments = [self._segment(semicolons) for _ in range(self.random.randrange(0, 4))]
        slash = "/" if self.random.random() < 0.2 else ""
        return "/" + "/".join([*segments, f"n{self.count}{self._segment(semicolons)}"]) + slash

    def _segment(self, semicolons):
        others = OTHERS + (";" if semicolons else "")
        pieces = [*UNRESERVED, *others, *ESCAPES]
        text = "".join(self.random.choice(pieces) for _ in range(self.random.randrange(1, 12)))
        return "s" + text

    def _query(self):
        return f"?n={self.count}&{self._text(UNRESERVED + '=&/?:', 0, 10)}"

    def _text(self, alphabet, least, most):
        return "".join(self.random.choice(alphabet) for _ in range(self.random.randrange(least, most + 1)))
