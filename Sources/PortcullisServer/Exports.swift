// SPDX-License-Identifier: MIT

// One import is enough for an app with routes: the gate, and the types in this module's declarations. Not
// `SocketAddress` and `HTTPClient`, which other packages have too; import them with
// `import PortcullisTransport`.
@_exported public import Portcullis

@_exported public import enum PortcullisTransport.ClientCertificates
@_exported public import enum PortcullisTransport.FileError
@_exported public import struct PortcullisTransport.FileOwner
@_exported public import class PortcullisTransport.OpenFile
@_exported public import enum PortcullisTransport.PEMSource
@_exported public import struct PortcullisTransport.SocketError
@_exported public import enum PortcullisTransport.TLSError
@_exported public import struct PortcullisTransport.TLSIdentity
