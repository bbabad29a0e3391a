// SPDX-License-Identifier: MIT

public import Portcullis
internal import PortcullisHTTP
internal import PortcullisJOSE
internal import PortcullisTransport

/// Passes requests on to another HTTP/1.1 server, and its responses back: a gateway.
///
/// Use it as the answer of a route, with ``ProtectedRoutes/proxy(_:methods:requiring:to:)`` or
/// ``Routes/proxy(_:methods:to:)``. Nothing reaches the server behind before the gate has allowed a request.
///
/// The server behind gets the path that the gate has judged, the query as received, and a message that is
/// framed anew. It does not get the client's credentials, connection options or statements about the
/// request's origin. It gets the caller's identity in fields that a client cannot send: everything that
/// begins with ``Configuration/identityPrefix``, in any case and with `_` for `-`, is removed first.
///
/// Bodies are streamed in both directions; one exchange holds at most about 600 kB: 64 KiB unread and 64 KiB
/// unsent of the request with one piece each, 64 KiB received and 256 KiB unsent of the response. Trailers
/// are dropped. A request is sent again only if it is idempotent, has no body, and a kept connection closed
/// before any byte of its answer; or, with several servers, if one could not be connected to.
///
/// It does not follow or rewrite redirects, cache, compress, or check health actively.
///
/// RFC 9110 §3.7, §7.6.
public struct ReverseProxy: Sendable {
    /// The `Host` that the server behind gets.
    public enum Host: String, Sendable, Hashable, CaseIterable {
        /// The authority of its own URL.
        case upstream
        /// The authority of the protected resource.
        case resource
    }

    /// The settings of a proxy.
    public struct Configuration: Sendable {
        /// The servers: `http:` or `https:` URLs, or `unix:` and the path of a socket.
        ///
        /// A path comes before the path of each request. With several, the one with the fewest requests in
        /// flight gets the next; one that failed is avoided for ten seconds while there is another.
        public var urls: [String]
        /// The `Host` to send.
        ///
        /// Default: ``Host/upstream``. RFC 9110 §7.2.
        public var host = Host.upstream
        /// Whole segments to remove from the start of each path: `/notes`.
        ///
        /// Default `nil`. Every route's path must begin with it; an empty rest becomes `/`.
        public var strippedPrefix: String?
        /// Whether the server behind gets `Authorization`, `DPoP` and token parameters.
        ///
        /// Default `false`. A token is issued for this resource; a server that receives it can use it here.
        /// An error under `ResourceProfile.mcp(allowedOrigins:)`, warned about elsewhere.
        public var forwardsToken = false
        /// The protocols that clients may switch to: `websocket`.
        ///
        /// Default none. RFC 9110 §7.8.
        public var upgrades: [String] = []
        /// The largest body of a request.
        ///
        /// Default `nil`: the server's limit.
        public var maxBodyByteCount: Int?
        /// The start of the identity fields' names; ends with a hyphen.
        ///
        /// Default `X-Portcullis-`.
        public var identityPrefix = "X-Portcullis-"
        /// The signed statement of the identity.
        ///
        /// Default `nil`: none.
        public var identityAssertion: IdentityAssertion?
        /// How long connecting may take, waiting for a free connection included.
        ///
        /// Default 5 seconds; then 504.
        public var connectTimeout = Duration.seconds(5)
        /// How long the head of a response may take after the request.
        ///
        /// Default 60 seconds; then 504.
        public var responseTimeout = Duration.seconds(60)
        /// How long a body may pause.
        ///
        /// Default 300 seconds; then the client's connection is cut.
        public var idleTimeout = Duration.seconds(300)
        /// The certificate authorities for `https:`.
        ///
        /// Default: the system's.
        public var roots = TrustedRoots.system
        /// Whether a 401 of the server behind is passed on, with its challenges.
        ///
        /// Default `false`: 502.
        public var passesUnauthorized = false
        /// The name of this proxy in `Via`; a request that carries it already is a loop.
        ///
        /// A token. Default `nil`: derived from the other settings, so that several processes of one
        /// deployment have the same. RFC 9110 §7.6.3.
        public var pseudonym: String?
        /// The most connections to one server, for each event loop.
        ///
        /// Default 1024; then requests wait.
        public var maxConnectionCount = 1024
        /// The most requests that wait for a connection, for each event loop.
        ///
        /// Default 1024; then 503.
        public var maxWaitingCount = 1024
        /// How long an unused connection is kept.
        ///
        /// Default 4 seconds, less than what most servers keep one.
        public var keptConnectionTimeout = Duration.seconds(4)
        /// Receives events for operators.
        ///
        /// Must not block. Default: nothing.
        public var onEvent: @Sendable (Event) -> Void = { _ in }

        /// Makes settings with the defaults.
        public init(_ urls: String...) {
            self.urls = urls
        }
    }

    let configuration: Configuration
    let upstreams: UpstreamGroup
    let client: HTTPClient
    let identity: IdentityFields
    let pseudonym: String
    /// Normalised, without a slash at its end; empty for none.
    let strippedPrefix: [UInt8]

    /// Makes a proxy from values known only at run time.
    ///
    /// Reads the certificates of ``Configuration/roots``, and blocks its thread meanwhile. Connects to
    /// nothing yet.
    ///
    /// - Throws: `ConfigurationError` with every problem.
    public init(validating configuration: Configuration) throws(ConfigurationError) {
        let problems = configuration.problems
        guard problems.isEmpty else { throw ConfigurationError(problems) }
        var settings = HTTPClient.Configuration(
            roots: configuration.roots, maxConnectionCount: configuration.maxConnectionCount,
            maxWaitingCount: configuration.maxWaitingCount)
        settings.idleTimeout = configuration.keptConnectionTimeout
        do throws(HTTPClientError) {
            client = try HTTPClient(validating: settings)
        } catch {
            throw ConfigurationError([
                .init(path: "ca_certificates", "cannot be read; must be certificates in PEM")
            ])
        }
        self.configuration = configuration
        upstreams = UpstreamGroup(members: configuration.urls.compactMap(Upstream.init))
        identity = IdentityFields(prefix: configuration.identityPrefix)
        pseudonym = configuration.pseudonym ?? configuration.derivedPseudonym
        strippedPrefix = configuration.normalizedPrefix ?? []
    }

    /// Makes a proxy with the defaults.
    ///
    /// Traps with every problem: these are mistakes in the program. For values known only at run time use
    /// ``init(validating:)``.
    public init(_ url: String, file: StaticString = #fileID, line: UInt = #line) {
        do throws(ConfigurationError) {
            try self.init(validating: Configuration(url))
        } catch {
            endForMistake(error.description, file: file, line: line)
        }
    }

    var timeouts: StreamedRequest.Timeouts {
        StreamedRequest.Timeouts(
            connect: configuration.connectTimeout, response: configuration.responseTimeout,
            idle: configuration.idleTimeout)
    }
}

extension ReverseProxy.Configuration {
    /// The supported protocols for ``upgrades``.
    package static let knownUpgrades = ["websocket"]

    /// What is wrong with the settings, at the names of the configuration file.
    package var problems: [ConfigurationError.Problem] {
        var problems: [ConfigurationError.Problem] = []
        func check(_ holds: Bool, _ path: String, _ sentence: String) {
            if !holds { problems.append(.init(path: path, sentence)) }
        }
        check(!urls.isEmpty, "urls", "must not be empty")
        for (index, url) in urls.enumerated() {
            check(Upstream(url) != nil, urls.count == 1 ? "url" : "urls[\(index)]", Upstream.form)
        }
        check(
            strippedPrefix == nil || normalizedPrefix != nil, "strip_prefix",
            "must be the start of a path in whole segments, such as \"/notes\", without a slash at its end")
        check(
            IdentityFields.isPrefix(identityPrefix), "identity_prefix",
            "must be letters, digits and hyphens, three at least, with a hyphen at the end, and not "
                + "\"X-Forwarded-\" or \"X-Original-\"")
        for (index, name) in upgrades.enumerated() {
            check(
                Self.knownUpgrades.contains(name), "upgrade[\(index)]", "must be \"websocket\"")
        }
        check(
            pseudonym.map { Array($0.utf8).isToken(0..<$0.utf8.count) } ?? true, "pseudonym",
            "must be a token (RFC 9110 §5.6.2)")
        check(
            connectTimeout > .zero && responseTimeout > .zero && idleTimeout > .zero, "idle_timeout_seconds",
            "must be more than zero")
        check(maxConnectionCount >= 1 && maxWaitingCount >= 0, "max_connections", "must be at least 1")
        return problems
    }

    /// The prefix as the gate normalises paths; `nil` if there is none or it is not one.
    var normalizedPrefix: [UInt8]? {
        guard let strippedPrefix, strippedPrefix.utf8.first == 0x2F, strippedPrefix.utf8.count > 1,
            strippedPrefix.utf8.last != 0x2F, let path = try? RequestPath(strippedPrefix)
        else { return nil }
        return Array(path.bytes[path.range])
    }

    /// The same for equal settings, and different for a gateway in front of this one.
    var derivedPseudonym: String {
        let text = (urls + [strippedPrefix ?? "", identityPrefix]).joined(separator: "\n")
        let digest = Digest.sha256(Array(text.utf8)).bytes.prefix(6)
        return "portcullis-" + Base64URL.encode(Array(digest)).filter { $0 != "-" && $0 != "_" }
    }
}
