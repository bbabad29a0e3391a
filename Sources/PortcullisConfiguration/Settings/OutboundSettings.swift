// SPDX-License-Identifier: MIT

package import PortcullisTransport

/// How the server calls authorization servers: `outbound_proxy` and `user_agent` of the `server` object.
package struct OutboundSettings: Sendable, Hashable {
    /// The proxy for these calls.
    package enum Proxy: Sendable, Hashable {
        /// As `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say.
        case environment
        /// None.
        case none
        /// This one, for every authorization server.
        case fixed(OutboundProxy)
    }

    package var proxy = Proxy.environment
    package var userAgent = HTTPClient.defaultUserAgent
    /// The longest `user_agent`.
    static let maximumUserAgentByteCount = 256

    /// Creates the defaults.
    package init() {}

    init(_ reader: ObjectReader) {
        switch reader.string("outbound_proxy") {
        case nil: break
        case "none": proxy = .none
        case let url?:
            do throws(OutboundProxy.Malformation) {
                proxy = .fixed(try OutboundProxy(url))
            } catch {
                // The value may have a password.
                reader.error("outbound_proxy", "\(error); \"none\" turns proxies off")
            }
        }
        if let text = reader.string("user_agent") {
            // RFC 9110 §5.5.
            if text.utf8.count <= Self.maximumUserAgentByteCount, text.utf8.first != 0x20,
                text.utf8.last != 0x20, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
            {
                userAgent = text
            } else {
                reader.error(
                    "user_agent",
                    "must be printable ASCII of at most \(Self.maximumUserAgentByteCount) characters, without "
                        + "spaces around it")
            }
        }
    }

    /// The proxies to use now.
    ///
    /// - Parameter report: Called with a sentence for each variable of the environment that cannot be used.
    func proxies(reporting report: (String) -> Void = { _ in }) -> OutboundProxies {
        switch proxy {
        case .environment: .environment(reporting: report)
        case .none: .none
        case .fixed(let proxy): OutboundProxies(proxy)
        }
    }
}
