// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// One challenge of a `WWW-Authenticate` field: a scheme and its parameters, in a fixed order.
///
/// Written for clients with poor parsers: every value is quoted and not empty, nothing is escaped, and
/// `error` and `error_description` come last, so that a search for the first match finds the real parameter.
///
/// RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1.
public struct Challenge: Sendable, Hashable, CustomStringConvertible {
    /// An authentication scheme, in the spelling that clients compare with.
    public enum Scheme: String, Sendable, Hashable {
        /// `Bearer`. RFC 6750 §3.
        case bearer = "Bearer"
        /// `DPoP`. RFC 9449 §7.1.
        case dpop = "DPoP"
    }

    /// One parameter.
    public struct Parameter: Sendable, Hashable {
        /// The name, as it is sent.
        public let name: String
        /// The value, without the quotes around it.
        public let value: String
    }

    /// The scheme.
    public let scheme: Scheme
    /// The parameters in the order in which they are sent; at least one.
    public let parameters: [Parameter]

    package init(scheme: Scheme, parameters: [Parameter]) {
        // RFC 6750 §3: the scheme is followed by one or more parameters.
        precondition(!parameters.isEmpty, "A challenge has at least one parameter.")
        precondition(
            parameters.allSatisfy { Self.isQuotable($0.value) }, "A parameter has a printable ASCII value.")
        self.scheme = scheme
        self.parameters = parameters
    }

    /// The value of the parameter with this name, ignoring case, or `nil`.
    public subscript(name: String) -> String? {
        parameters.first { ASCII.equalIgnoringCase($0.name, name) }?.value
    }

    /// The challenge as it is sent.
    public var description: String {
        var text = scheme.rawValue
        var separator = " "
        for parameter in parameters {
            text += separator
            text += parameter.name
            text += "=\""
            text += parameter.value
            text += "\""
            separator = ", "
        }
        return text
    }

    /// Whether a text may be a quoted value: not empty, printable ASCII without quote and backslash.
    ///
    /// RFC 6750 §3, RFC 9110 §5.6.4.
    package static func isQuotable(_ value: String) -> Bool {
        !value.isEmpty && value.utf8.allSatisfy { (0x20...0x7E).contains($0) && $0 != 0x22 && $0 != 0x5C }
    }
}
