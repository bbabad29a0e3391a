// SPDX-License-Identifier: MIT

// The types in this module's public API, so that one import is enough: HTTP messages, claim values and keys.
// Not `JWK`, `HTTPClient` and `SocketAddress`, whose names other packages use too; import `PortcullisJOSE`
// and `PortcullisTransport` for those.
@_exported public import PortcullisHTTP

@_exported public import enum PortcullisJOSE.JOSEError
@_exported public import struct PortcullisJOSE.JSONError
@_exported public import struct PortcullisJOSE.JSONNumber
@_exported public import struct PortcullisJOSE.JSONObject
@_exported public import struct PortcullisJOSE.JSONPointer
@_exported public import enum PortcullisJOSE.JSONValue
@_exported public import struct PortcullisJOSE.JWKSet
@_exported public import struct PortcullisJOSE.NumericDate
@_exported public import struct PortcullisJOSE.PrivateJWK
@_exported public import enum PortcullisJOSE.SignatureAlgorithm
@_exported public import struct PortcullisTransport.MonotonicInstant
