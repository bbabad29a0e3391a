// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisJOSE

/// The resources of a configuration file of the example server, as targets of a check.
enum ConfigurationTargets {
    /// What a file has to be checked.
    struct Content: Sendable {
        /// The resources, each at the line of the file that names it.
        var targets: [CheckTarget] = []
        /// Those with the profile `mcp`.
        var mcp: Set<String> = []
        /// The routes to upstreams on this machine, by the resource; those of public routes at the first one.
        var gateways: [String: [GatewayRoute]] = [:]
    }

    /// Reads a file.
    ///
    /// - Throws: ``Misuse`` for a file that the server would refuse.
    static func read(_ path: String) throws(Misuse) -> Content {
        let bytes: [UInt8]
        do throws(InputFile.Unreadable) {
            bytes = try InputFile.contents(of: path, maxByteCount: ConfigurationFile.maxByteCount)
        } catch {
            throw Misuse("the file \(path) \(error.message)")
        }
        let file: ConfigurationFile
        do throws(InvalidConfiguration) {
            file = try ConfigurationFile(parsing: bytes)
        } catch {
            let problems = error.findings.prefix(20).map { "\n\($0)" }.joined()
            throw Misuse("the file \(path) is not valid:\(problems)")
        }
        guard !file.resources.isEmpty else { throw Misuse("the file \(path) has no resource") }
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        var content = Content()
        for resource in file.resources {
            let url = resource.metadata.resource.text
            let line = line(of: url, in: lines)
            content.targets.append(CheckTarget(url, at: SourceAnchor(file: path, line: line)))
            if case .mcp = resource.profile { content.mcp.insert(url) }
            let origin = resource.metadata.resource.url.origin(of: url)
            let routes = resource.routes.map { ($0, !$0.isTokenOptional(in: resource)) }
            content.gateways[url] = gateways(routes, at: origin)
        }
        let first = file.resources[0].metadata.resource.text
        let origin = file.resources[0].metadata.resource.url.origin(of: first)
        content.gateways[first]? += gateways(file.publicRoutes.map { ($0, false) }, at: origin)
        return content
    }

    /// The routes with an upstream on this machine, one for each upstream.
    private static func gateways(
        _ routes: [(route: RouteSettings, needsToken: Bool)], at origin: String
    ) -> [GatewayRoute] {
        var found: [GatewayRoute] = []
        for (route, needsToken) in routes {
            guard let proxy = route.proxy, let text = proxy.urls.first, let url = try? HTTPURL(text),
                !url.isSecure, url.isLoopback,
                !found.contains(where: { $0.host == url.host && $0.port == url.port })
            else { continue }
            let segments = route.pattern.split(separator: "/", omittingEmptySubsequences: false)
            let path = segments.map { $0.hasPrefix("{") ? "portcullis-check" : String($0) }
            found.append(
                GatewayRoute(
                    url: origin + path.joined(separator: "/"),
                    host: url.host == "localhost" ? "127.0.0.1" : url.host,
                    port: url.port, identityPrefix: proxy.identityPrefix, needsToken: needsToken))
        }
        return found
    }

    /// The first line that has the URL as a string, or the first line of the file.
    private static func line(of url: String, in lines: [ArraySlice<UInt8>]) -> Int {
        let quoted = Array("\"\(url)\"".utf8)
        let index = lines.firstIndex { line in
            line.indices.contains { line[$0] == 0x22 && line[$0...].starts(with: quoted) }
        }
        return (index ?? 0) + 1
    }
}
