// SPDX-License-Identifier: MIT

/// What the host program knows about a request in addition to its head.
///
/// RFC 8705 §3, RFC 6750 §2.2.
public struct AuthorizationContext: Sendable {
    /// The source of the client's certificate.
    ///
    /// Default `.none`, which refuses every certificate-bound token.
    public var clientCertificate: ClientCertificate
    /// The complete content of a form request; `nil` for any other request.
    ///
    /// Needed if ``ProtectedResourceMetadata/bearerMethodsSupported`` contains `.body`: without it no token
    /// is found there.
    public var form: [UInt8]?

    /// Whether a refusal carries a ``RefusalFinding``: what was expected and what the request had.
    ///
    /// Refused requests are then parsed a second time; admitted ones cost nothing more. Default `false`.
    public var describesRefusals: Bool

    /// Makes a context; by default without certificate and form.
    public init(
        clientCertificate: ClientCertificate = .none, form: [UInt8]? = nil, describesRefusals: Bool = false
    ) {
        self.clientCertificate = clientCertificate
        self.form = form
        self.describesRefusals = describesRefusals
    }
}
