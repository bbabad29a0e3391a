// SPDX-License-Identifier: MIT

package import PortcullisTransport

/// A server, and the number of a database there.
package struct RedisLocation {
    private static let usualPort = 6379

    package let origin: Origin
    package let database: Int

    /// Parses a URL: `redis` or `rediss`, host, port, and the number of a database.
    ///
    /// Rejects user information, a query and a fragment: credentials are configured separately.
    package init(_ url: String) throws(RedisConfigurationError) {
        for (scheme, standIn) in [("redis://", "http://"), ("rediss://", "https://")]
        where url.utf8.starts(with: scheme.utf8) {
            let rest = url.utf8.dropFirst(scheme.utf8.count)
            let authority = rest.prefix { $0 != 0x2F }
            guard let database = Self.database(rest[authority.endIndex...]) else { throw .invalidURL }
            self.database = database
            let hasPort = authority.last != 0x5D && authority.contains(0x3A)
            do throws(HTTPClientError) {
                let text = String(decoding: authority, as: UTF8.self)
                let parsed = try RequestURL(standIn + text + (hasPort ? "" : ":\(Self.usualPort)"))
                guard parsed.target == "/" else { throw .invalidURL }
                origin = parsed.origin
            } catch {
                throw .invalidURL
            }
            return
        }
        throw .invalidURL
    }

    private static func database(_ path: Substring.UTF8View) -> Int? {
        let digits = path.dropFirst()
        guard digits.count <= 5, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.isEmpty ? 0 : Int(String(decoding: digits, as: UTF8.self))
    }
}
