// SPDX-License-Identifier: MIT

import PortcullisJOSE
package import PortcullisServer

/// The `proxy` answer of a route, with defaults for omitted keys.
package struct ProxySettings: Sendable, Hashable {
    /// The `identity_assertion` object.
    package struct Assertion: Sendable, Hashable {
        /// The name of the file with the private key.
        package let privateKey: String
        package let audience: String
    }

    package var urls: [String] = []
    package var host = ReverseProxy.Host.upstream
    package var strippedPrefix: String?
    package var forwardsToken = false
    package var upgrades: [String] = []
    /// `nil`: the server's limit.
    package var maxBodyByteCount: Int?
    package var identityPrefix = "X-Portcullis-"
    /// `nil`: no signed statement.
    package var assertion: Assertion?
    package var connectTimeout: Duration = .seconds(5)
    package var responseTimeout: Duration = .seconds(60)
    package var idleTimeout: Duration = .seconds(300)
    /// `nil`: the system's.
    package var certificateAuthorities: String?
    package var passesUnauthorized = false
    /// Its JSONPath.
    package var path: String
}

extension ProxySettings {
    /// - Parameter reader: The object with the key `proxy`: a URL, or an object.
    init?(_ reader: ObjectReader) {
        path = reader.path["proxy"].text
        switch reader.value("proxy") {
        case .string(let url)?:
            urls = [url]
            report(to: reader.findings, isShort: true)
            return
        case .object?: break
        default:
            reader.error("proxy", "must be a URL, or an object with the key url or urls")
            return nil
        }
        guard let object = reader.object("proxy") else { return nil }
        let hasURLs = Self.readURLs(object, into: &urls)
        host = object.word("host", ReverseProxy.Host.self) ?? host
        strippedPrefix = object.string("strip_prefix")
        forwardsToken = object.bool("forward_token") ?? forwardsToken
        upgrades = object.strings("upgrade", of: "protocols") ?? upgrades
        maxBodyByteCount = object.integer("max_body_bytes", in: 0...1_099_511_627_776)
        identityPrefix = object.string("identity_prefix") ?? identityPrefix
        if let assertion = object.object("identity_assertion") {
            let key = assertion.requiredString("private_key", "the file with the private key, a JWK")
            let audience = assertion.requiredString("audience", "the name of the server behind")
            assertion.finish()
            if let key, let audience { self.assertion = Assertion(privateKey: key, audience: audience) }
        }
        let timeouts = ServerSettings.positiveSecondsRange
        connectTimeout = object.seconds("connect_timeout_seconds", in: timeouts) ?? connectTimeout
        responseTimeout = object.seconds("response_timeout_seconds", in: timeouts) ?? responseTimeout
        idleTimeout = object.seconds("idle_timeout_seconds", in: timeouts) ?? idleTimeout
        certificateAuthorities = object.string("ca_certificates")
        passesUnauthorized = object.bool("pass_upstream_401") ?? passesUnauthorized
        object.finish()
        guard hasURLs else { return nil }
        report(to: reader.findings, isShort: false)
    }

    /// - Returns: Whether there are URLs, good or not.
    private static func readURLs(_ object: ObjectReader, into urls: inout [String]) -> Bool {
        let isSingle = object.object["url"] != nil
        let url = object.string("url")
        let list = object.strings("urls", of: "URLs")
        if isSingle, object.object["urls"] != nil {
            object.error("urls", "must not be given together with url; remove one of them")
            return false
        }
        if !isSingle, object.object["urls"] == nil {
            object.error("url", "missing; must be the URL of the server behind, or give urls for several")
            return false
        }
        if list?.isEmpty == true { object.error("urls", "must not be empty") }
        urls = url.map { [$0] } ?? list ?? []
        return !urls.isEmpty
    }

    private func report(to findings: FindingCollector, isShort: Bool) {
        for problem in configuration.problems {
            let name = urls.count == 1 && problem.path == "url" && isShort ? nil : problem.path
            findings.error(JSONPath(text: name.map { "\(path).\($0)" } ?? path), problem.message)
        }
    }

    /// The library's settings, without those that are read from files.
    var configuration: ReverseProxy.Configuration {
        var configuration = ReverseProxy.Configuration()
        configuration.urls = urls
        configuration.host = host
        configuration.strippedPrefix = strippedPrefix
        configuration.forwardsToken = forwardsToken
        configuration.upgrades = upgrades
        configuration.maxBodyByteCount = maxBodyByteCount
        configuration.identityPrefix = identityPrefix
        configuration.connectTimeout = connectTimeout
        configuration.responseTimeout = responseTimeout
        configuration.idleTimeout = idleTimeout
        configuration.passesUnauthorized = passesUnauthorized
        return configuration
    }
}

extension [RouteSettings] {
    /// The routes with a proxy, found without a copy of the others, which costs a retain for each part.
    var proxied: [RouteSettings] { indices.filter { self[$0].proxy != nil }.map { self[$0] } }
}

extension RouteSettings {
    /// The settings of its proxy; `nil` for other answers.
    package var proxy: ProxySettings? {
        if case .proxy(let settings) = answer { settings } else { nil }
    }
}
