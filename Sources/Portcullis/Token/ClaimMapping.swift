// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// Where the tokens and introspection answers of an issuer carry the client identifier and the scopes.
///
/// The first pointer with a value that is not `null` counts; values are never merged. The client identifier
/// is a string, or an array of one string. Scopes are a string, separated by spaces, or an array of strings;
/// a mapped name that is no scope, such as one with a space in an array, grants nothing. A value of another
/// type makes the token invalid.
///
/// RFC 9068 §2.2, RFC 7662 §2.2, RFC 6901.
public struct ClaimMapping: Sendable {
    /// The maximum number of pointers in each list: 16.
    public static let maximumPointerCount = 16

    /// The places of the client identifier.
    ///
    /// A client identifier that is found satisfies ``TokenPolicy/requiredClaims``. Default `/client_id`.
    public var clientID: [JSONPointer]
    /// The places of the scopes; `nil` for ``TokenPolicy/scopeClaims``.
    ///
    /// Default `nil`.
    public var scopes: [JSONPointer]?

    /// Makes a mapping.
    public init(clientID: [JSONPointer] = [Self.usualClientID], scopes: [JSONPointer]? = nil) {
        self.clientID = clientID
        self.scopes = scopes
    }

    /// The claim of RFC 9068 §2.2 and RFC 7662 §2.2: `/client_id`.
    public static let usualClientID: JSONPointer = "/client_id"

    /// The usual claims.
    public static let `default` = ClaimMapping()

    /// Whether the client identifier is in its usual claim alone.
    var hasUsualClientID: Bool {
        clientID.count == 1 && JSONPointer.areSame(clientID[0], Self.usualClientID)
    }
}
