// SPDX-License-Identifier: MIT

/// Whether and how the status lists of an issuer count.
///
/// With a status list an issuer can withdraw a JWT before its `exp` without being asked about each token: the
/// token names a list and its place in it, and the resource fetches the whole list once per `ttl`. Lists apply
/// to JWTs that are verified with the issuer's keys, not to introspected tokens.
///
///     var issuer = TrustedIssuer.jwt(issuer: "https://login.example.com")
///     issuer.statusLists = StatusListPolicy(.required, inflatingWith: ZlibInflater())
///
/// Of one trusted issuer at most 64 lists are kept, in at most 64 MiB; the tenants of a pattern share them. A
/// list is fetched at most every 30 seconds and at least every 24 hours, whatever it says of itself.
///
/// draft-ietf-oauth-status-list §8.3.
public struct StatusListPolicy: Sendable {
    /// Which tokens need a status.
    public enum Use: String, Sendable, Hashable, CaseIterable {
        /// The claim `status` is ignored: tokens that the issuer has withdrawn are accepted until `exp`.
        case off
        /// A token with the claim must have a good status; a token without it is accepted.
        case honour
        /// Every token must have the claim, and a good status.
        case required
    }

    /// Which tokens need a status.
    ///
    /// Default ``Use/honour``.
    public var use = Use.honour
    /// What inflates lists, `ZlibInflater` of `PortcullisStatusList` for example.
    ///
    /// With `nil`, the default, tokens with the claim get 503 unless ``use`` is ``Use/off``.
    public var inflater: (any StatusListInflating)?
    /// The origins at which lists may be, in addition to the issuer's own: `https://status.example.com`.
    ///
    /// A token that names a list elsewhere is refused, and nothing is fetched. Default none.
    public var additionalOrigins: [String] = []
    /// The values that make a token acceptable: 0 (VALID), and what the issuer has agreed with this resource.
    ///
    /// Always contains 0, and neither 1 (INVALID) nor 2 (SUSPENDED). Default 0 alone.
    public var validValues: Set<UInt8> = [0]
    /// The maximum length of the response with a list, in bytes.
    ///
    /// Default 1 MiB; from 1 KiB to 64 MiB.
    public var maxResponseByteCount = 1_048_576
    /// The maximum length of an inflated list, in bytes.
    ///
    /// Default 16 MiB, which are 2^27 entries of one bit; from 1 byte to 64 MiB.
    public var maxListByteCount = 16_777_216
    /// How long a list that can't be refreshed is used beyond its `ttl`, at most until its `exp`.
    ///
    /// Then its tokens get 503. Default 300 seconds; from 0 to 24 hours.
    public var gracePeriod: Duration = .seconds(300)
    /// How many redirects are followed, each to an allowed origin.
    ///
    /// Default 0; at most 3.
    public var maxRedirectCount = 0
    /// Whether tokens are accepted while their list is unavailable: an outage of the list undoes every withdrawal.
    ///
    /// Each such use of a token is an event. Default false.
    public var failsOpen = false

    /// Makes a policy with the defaults.
    public init(_ use: Use = .honour, inflatingWith inflater: (any StatusListInflating)? = nil) {
        self.use = use
        self.inflater = inflater
    }
}

extension StatusListPolicy {
    /// The most bytes that the lists of an issuer take in memory.
    static let maxMemoryByteCount = 67_108_864

    /// Whether lists may be fetched.
    var mayFetch: Bool { use != .off && inflater != nil }

    /// What is wrong, by the key of the setting.
    func objections(allowingInsecureLoopback: Bool) -> [(name: String, sentence: String)] {
        var objections: [(name: String, sentence: String)] = []
        func check(_ holds: Bool, _ name: String, _ sentence: String) {
            if !holds { objections.append((name, sentence)) }
        }
        check(
            use != .required || inflater != nil, "use",
            "Required lists need something that inflates them, such as ZlibInflater of PortcullisStatusList.")
        check(
            additionalOrigins.allSatisfy {
                Self.isOrigin($0, allowingInsecureLoopback: allowingInsecureLoopback)
            }, "origins",
            "An origin is https:// and a host, with a port if it is not 443, and nothing else.")
        check(
            validValues.contains(0) && !validValues.contains(1) && !validValues.contains(2), "valid_values",
            "The values must include 0 (VALID), and neither 1 (INVALID) nor 2 (SUSPENDED).")
        check(
            (1024...67_108_864).contains(maxResponseByteCount), "max_response_bytes",
            "The value must be from 1024 to 67108864 bytes.")
        check(
            (1...Self.maxMemoryByteCount).contains(maxListByteCount), "max_list_bytes",
            "The value must be from 1 to 67108864 bytes.")
        check(
            (.zero ... .seconds(86_400)).contains(gracePeriod), "grace_seconds",
            "The value must be from 0 to 86400 seconds.")
        check((0...3).contains(maxRedirectCount), "redirects", "The value must be from 0 to 3.")
        return objections
    }

    /// Whether a text is an origin at which lists may be.
    package static func isOrigin(_ text: String, allowingInsecureLoopback: Bool) -> Bool {
        guard IssuerURL.isFetchable(text, allowingInsecureLoopback: allowingInsecureLoopback),
            let url = try? HTTPURL(text)
        else { return false }
        return url.path.isEmpty && url.query == nil
    }
}
