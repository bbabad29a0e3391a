// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisHTTP

/// A route of a gateway to an upstream on this machine.
package struct GatewayRoute: Sendable, Hashable {
    /// A URL of the route, as clients call it.
    package let url: String
    /// The upstream's address and port.
    package let host: String
    package let port: Int
    /// What the names of identity fields begin with.
    package let identityPrefix: String
    /// Whether a call needs a token.
    package let needsToken: Bool

    package init(url: String, host: String, port: Int, identityPrefix: String, needsToken: Bool) {
        self.url = url
        self.host = host
        self.port = port
        self.identityPrefix = identityPrefix
        self.needsToken = needsToken
    }
}

/// Checks whether a client's forged identity arrives behind a gateway.
///
/// Calls the gateway with identity fields of its own, in both spellings, and looks at what arrives at a
/// listener in the upstream's place. RFC 9110 §17.
package struct GatewayProbe: Sendable {
    /// The value of forged fields.
    package static let forged = "portcullis-check-forged"

    private let fetcher: any Fetcher
    private let token: String?
    private let timeout: Duration
    private let turns = HostTurns()

    /// Creates a probe.
    ///
    /// - Parameters:
    ///   - fetcher: Calls the gateway.
    ///   - token: A token that the gateway accepts, or `nil`.
    ///   - timeout: The maximum duration of a call.
    package init(fetcher: any Fetcher, token: String?, timeout: Duration = .seconds(5)) {
        self.fetcher = fetcher
        self.token = token
        self.timeout = timeout
    }

    /// The findings on a gateway's routes.
    package func findings(on routes: [GatewayRoute]) async -> [Finding] {
        var findings: [Finding] = []
        for route in routes {
            let place = "\(route.host):\(route.port)"
            await turns.take(place)
            findings.append(await finding(on: route))
            await turns.giveBack(place)
        }
        return findings
    }

    private func finding(on route: GatewayRoute) async -> Finding {
        let place = "\(route.host):\(route.port)"
        guard !route.needsToken || token != nil else {
            return note(route, "\(route.url) needs a token to see what arrives at its upstream \(place).")
        }
        guard let listener = UpstreamListener(host: route.host, port: route.port) else {
            return note(route, "The upstream \(place) is running; stop it to see what arrives there.")
        }
        let arrivals = await listener.arrivals { await call(route) }
        guard !arrivals.isEmpty else {
            return note(route, "No call of \(route.url) arrived at its upstream \(place).")
        }
        let names = arrivals.joined().filter { Self.isForged($0, prefix: route.identityPrefix) }.map(\.name)
        guard let first = names.first else {
            return Finding(
                .pass, "gateway.identity", "A forged identity does not arrive at the upstream \(place).",
                about: place)
        }
        return Finding(
            .fail, "gateway.identity", "A forged identity arrives at the upstream \(place).", about: place,
            exchange: Exchange(
                sent: "GET \(route.url), \(first): \(Self.forged)", received: "\(first): \(Self.forged)"))
    }

    private func note(_ route: GatewayRoute, _ text: String) -> Finding {
        Finding(.note, "gateway.unseen", text, about: "\(route.host):\(route.port)")
    }

    /// Whether an arrived field is an identity field with the forged value: some upstreams take an underscore
    /// for a hyphen.
    private static func isForged(_ field: (name: String, value: String), prefix: String) -> Bool {
        func plain(_ name: String) -> String {
            ASCII.lowercased(String(name.map { $0 == "_" ? "-" : $0 }))
        }
        return plain(field.name).hasPrefix(plain(prefix)) && field.value.contains(forged)
    }

    private func call(_ route: GatewayRoute) async {
        var fields: Fields = [:]
        for suffix in ["Subject", "Client", "Scopes", "Actor"] {
            let name = route.identityPrefix + suffix
            for spelling in [name, String(name.map { $0 == "-" ? "_" : $0 })] {
                guard let name = FieldName(spelling) else { continue }
                fields.append(Self.forged, for: name)
            }
        }
        if route.needsToken, let token { fields[.authorization] = "Bearer \(token)" }
        _ = try? await fetcher.fetch(
            FetchRequest(url: route.url, fields: fields, timeout: timeout, maxResponseByteCount: 1_048_576))
    }
}
