// SPDX-License-Identifier: MIT

/// A location of an issuer's metadata that had no valid document, and why.
///
/// RFC 8414 §3, OpenID Connect Discovery 1.0 §4.
public struct MetadataAttempt: Sendable, Hashable {
    /// The URL that was asked.
    public let url: String
    /// The fault of the answer.
    public let fault: AuthorizationServerFault
    /// With ``AuthorizationServerFault/issuerMismatch``: the issuer that the resource trusts.
    public let expectedIssuer: String
    /// With ``AuthorizationServerFault/issuerMismatch``: the issuer that the document names.
    ///
    /// `nil` if it is not a string of at most ``maximumIssuerByteCount`` printable ASCII characters.
    public let namedIssuer: String?
    /// With ``AuthorizationServerFault/missingMember``: the name of the member.
    public let missingMember: String?

    /// The maximum length of a foreign issuer that is shown: 256 bytes.
    static let maximumIssuerByteCount = 256

    init(
        _ url: String, of issuer: String, _ fault: AuthorizationServerFault, named: String? = nil,
        missing: String? = nil
    ) {
        self.url = url
        self.fault = fault
        expectedIssuer = issuer
        namedIssuer = named.flatMap { Self.isPrintable($0) ? $0 : nil }
        missingMember = missing
    }

    private static func isPrintable(_ text: String) -> Bool {
        let bytes = text.utf8
        return bytes.count <= maximumIssuerByteCount
            && bytes.allSatisfy { (0x21...0x7E).contains($0) && $0 != 0x22 }
    }

    /// Whether the server says that it does not have such an issuer.
    var deniesIssuer: Bool { fault.deniesIssuer }
}

extension AuthorizationServerFault {
    /// Whether the server answered, and says that it does not have such an issuer.
    ///
    /// Overload and lack of permission say nothing about the issuer.
    var deniesIssuer: Bool {
        switch self {
        case .status(401), .status(403), .status(407), .status(408), .status(425), .status(429): false
        case .status(400..<500), .issuerMismatch: true
        case .noMetadata(let attempts): attempts.allSatisfy(\.deniesIssuer)
        default: false
        }
    }
}
