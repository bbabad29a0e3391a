// SPDX-License-Identifier: MIT

/// What the host program knows of a request besides its head.
///
/// RFC 8705 §3, RFC 6750 §2.2.
public struct AuthorizationContext: Sendable {
    /// Where the client's certificate is found.
    ///
    /// Default none, which no certificate-bound token gets past.
    public var clientCertificate: ClientCertificate
    /// The content of a request whose type is a form, whole; nothing for others.
    ///
    /// Needed where ``ProtectedResourceMetadata/bearerMethodsSupported`` names the body: without it no token is found there.
    public var form: [UInt8]?

    /// Whether a refusal is to say what was expected and what there was.
    ///
    /// Costs another look at the token of each request that is refused, and nothing for the others. Default false.
    public var describesRefusals: Bool

    /// Says what is known.
    public init(
        clientCertificate: ClientCertificate = .none, form: [UInt8]? = nil, describesRefusals: Bool = false
    ) {
        self.clientCertificate = clientCertificate
        self.form = form
        self.describesRefusals = describesRefusals
    }
}
