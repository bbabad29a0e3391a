// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisHTTP
internal import PortcullisTransport

/// A proxy as the answer of one route.
///
/// A class, because each request refers to it, and a proxy has many settings.
final class ProxyRelay: Relay {
    let proxy: ReverseProxy
    let rules: ForwardingRules
    /// The pattern of the route, with the path of its resource.
    private let path: String

    init(_ proxy: ReverseProxy, for resource: ProtectedResource?, path: String) {
        self.proxy = proxy
        self.path = path
        rules = ForwardingRules(proxy, for: resource)
    }

    var maxBodyByteCount: Int? { proxy.configuration.maxBodyByteCount }

    var warnings: [String] {
        guard proxy.configuration.forwardsToken else { return [] }
        return ["passes the client's token on to the server behind, which can use it as the client could"]
    }

    func problems(for resource: ProtectedResource?) -> [String] {
        var problems: [String] = []
        if proxy.configuration.forwardsToken, resource?.isMCPServer == true {
            problems.append("an MCP server must not pass its tokens on to another server")
        }
        if proxy.configuration.host == .resource, resource == nil {
            problems.append("a public route has no resource to take the Host from")
        }
        if !beginsWithStrippedPrefix {
            problems.append("the path does not begin with the prefix to strip, in whole segments")
        }
        return problems
    }

    func answer(to request: Request, through control: (any ExchangeControl)?) -> any RelayedAnswer {
        RelayedRequest(request, self, control)
    }

    private var beginsWithStrippedPrefix: Bool {
        guard !proxy.strippedPrefix.isEmpty else { return true }
        guard let pattern = try? PathPattern(path) else { return true }
        let prefix = proxy.strippedPrefix.dropFirst().split(
            separator: 0x2F, omittingEmptySubsequences: false)
        guard pattern.segments.count >= prefix.count else { return false }
        return zip(pattern.segments, prefix).allSatisfy { $0 == .literal(Array($1)) }
    }
}
