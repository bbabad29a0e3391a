// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// The identifier of a protected resource: an absolute `https` URL without a fragment.
///
/// Tokens name it as their audience, and the metadata contains it; both are compared byte for byte, so the
/// text is kept as written. Two identifiers are equal if their texts are.
///
/// RFC 9728 §1.2, RFC 8707 §2.
public struct ResourceIdentifier: Sendable, Hashable, ExpressibleByStringLiteral, CustomStringConvertible {
    /// Shared by all copies, which every resource and every token has.
    private final class Parts: Sendable {
        let text: String
        let url: HTTPURL

        init(_ text: String, _ url: HTTPURL) {
            self.text = text
            self.url = url
        }
    }

    private let parts: Parts

    /// The identifier as written.
    public var text: String { parts.text }
    package var url: HTTPURL { parts.url }

    /// Makes an identifier from a literal.
    ///
    /// Traps with a message if the literal is not a valid identifier.
    public init(stringLiteral text: String) {
        do throws(ConfigurationError) {
            try self.init(validating: text)
        } catch {
            endForMistake("\(String(reflecting: text)): \(error.description)")
        }
    }

    /// Makes an identifier from a value known only at run time.
    ///
    /// `http` is accepted only for loopback hosts: `localhost`, `127.0.0.0/8` and `::1`.
    ///
    /// - Throws: ``ConfigurationError`` for another scheme, a fragment, an empty query, user information,
    ///   characters not allowed in a URL, and a path with dot segments, empty segments or an encoded slash,
    ///   backslash or NUL, which no request could reach.
    ///
    /// RFC 9728 §1.2.
    public init(validating text: String) throws(ConfigurationError) {
        let url: HTTPURL
        do throws(HTTPURL.Malformation) {
            url = try HTTPURL(text)
        } catch {
            throw ConfigurationError("The value is not a resource identifier. " + error.sentence)
        }
        // A copy, so that the text does not keep the memory of a file that it was read from.
        parts = Parts(String(decoding: Array(text.utf8), as: UTF8.self), url)
        if let sentence = Self.objection(to: url) { throw ConfigurationError(sentence) }
    }

    private static func objection(to url: HTTPURL) -> String? {
        if url.hasFragment {
            return "A resource identifier must not have a fragment, not even an empty one (RFC 9728 §1.2)."
        }
        if url.query?.isEmpty == true {
            return "A resource identifier must not have an empty query: clients drop the question mark."
        }
        guard url.isSecure || url.isLoopback else {
            return
                "A resource identifier is an https URL; http is accepted only for loopback hosts (RFC 9728 "
                + "§1.2)."
        }
        return isReachable(url.path)
            ? nil
            : "The path of a resource identifier must not have dot segments, empty segments or an encoded "
                + "slash, backslash "
                + "or NUL, since requests with such paths are refused."
    }

    private static func isReachable(_ path: String) -> Bool {
        let segments = path.utf8.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            if segment.isEmpty && index < segments.count - 1 { return false }
            if segment.elementsEqual(".".utf8) || segment.elementsEqual("..".utf8) { return false }
        }
        return !["%2F", "%5C", "%00"].contains { path.utf8.containsSequence($0.utf8) }
    }

    /// `https`, or `http` for a loopback host.
    public var scheme: String { url.scheme }
    /// The host in lower case; an IPv6 address in brackets.
    public var host: String { url.host }
    /// The port, the scheme's default if none is written.
    public var port: Int { url.port }
    /// The path with its percent-encoding normalised: empty, or beginning with a slash.
    ///
    /// RFC 3986 §6.2.2.
    public var path: String { url.path }
    /// The query without its question mark, or `nil`.
    public var query: String? { url.query }

    /// The URL of the metadata: the well-known path inserted between host and path.
    ///
    /// RFC 9728 §3.1.
    public var metadataURL: String { wellKnownLocation.url }
    /// The path of the metadata, percent-normalised, without the query.
    ///
    /// RFC 9728 §3.1.
    public var wellKnownPath: String { wellKnownLocation.path }

    /// The well-known location of the metadata.
    package var wellKnownLocation: WellKnownLocation { WellKnownLocation(of: self) }

    /// The text.
    public var description: String { text }

    /// Whether both texts have the same bytes; canonical equivalence does not count.
    ///
    /// RFC 9728 §6.
    public static func == (first: ResourceIdentifier, second: ResourceIdentifier) -> Bool {
        first.text.utf8.elementsEqual(second.text.utf8)
    }

    /// Hashes the text.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(text)
    }

    /// What identifiers with the same metadata location share.
    package struct Location: Hashable {
        let scheme: String
        let host: String
        let port: Int
        let path: String
        let query: String?
    }

    /// The metadata location, after normalisation and without a slash at the end.
    ///
    /// RFC 9728 §3.1.
    package var location: Location {
        let bare = path.utf8.last == 0x2F ? String(path.dropLast()) : path
        return Location(scheme: scheme, host: host, port: port, path: bare, query: query)
    }

    /// Whether both identifiers have the same metadata location.
    ///
    /// True if they are equal after normalisation, ignoring one slash at the end. RFC 9728 §3.1.
    package func collides(with other: ResourceIdentifier) -> Bool { location == other.location }

    /// The accepted audiences of this resource if none are configured.
    ///
    /// URL libraries of clients add a slash to an identifier without a path, so both spellings are accepted
    /// there.
    package var audiences: [String] {
        guard url.query == nil else { return [text] }
        switch text.utf8.count - url.authorityEnd {
        case 0: return [text, text + "/"]
        case 1: return [text, String(text.dropLast())]
        default: return [text]
        }
    }
}
