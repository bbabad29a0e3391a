// SPDX-License-Identifier: MIT

// What this module's own declarations speak of, so that one import is enough: messages, and the values of claims and keys. Not `JWK`,
// `HTTPClient` and `SocketAddress`, which other packages have too; `import PortcullisJOSE` and `import PortcullisTransport` bring them.
@_exported public import PortcullisHTTP

@_exported public import enum PortcullisJOSE.JOSEError
@_exported public import struct PortcullisJOSE.JSONError
@_exported public import struct PortcullisJOSE.JSONNumber
@_exported public import struct PortcullisJOSE.JSONObject
@_exported public import enum PortcullisJOSE.JSONValue
@_exported public import struct PortcullisJOSE.JWKSet
@_exported public import struct PortcullisJOSE.NumericDate
@_exported public import struct PortcullisJOSE.PrivateJWK
@_exported public import enum PortcullisJOSE.SignatureAlgorithm
@_exported public import struct PortcullisTransport.MonotonicInstant
