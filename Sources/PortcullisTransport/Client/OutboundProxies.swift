// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Which proxy a client uses for which server.
public struct OutboundProxies: Sendable, Hashable {
    private let forHTTPS: OutboundProxy?
    private let forHTTP: OutboundProxy?
    private let exceptions: [Exception]
    private let skipsLoopback: Bool

    /// No proxy: every server is called directly.
    public static let none = OutboundProxies()

    private init() {
        (forHTTPS, forHTTP, exceptions, skipsLoopback) = (nil, nil, [], true)
    }

    /// One proxy for every server, this machine included.
    public init(_ proxy: OutboundProxy) {
        (forHTTPS, forHTTP, exceptions, skipsLoopback) = (proxy, proxy, [], false)
    }

    /// The proxies that environment variables name: `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY`.
    ///
    /// The spelling in lower case takes precedence; a value without a scheme is `http`. Loopback servers are
    /// called directly. `NO_PROXY` lists, separated by commas or spaces, names (with all names below them),
    /// addresses, networks in CIDR notation, each of the first two with a port if wanted, or `*` for all
    /// servers. In a CGI program, where `REQUEST_METHOD` is set, a client could choose `HTTP_PROXY`; it is
    /// ignored there.
    ///
    /// - Parameters:
    ///   - value: Returns the value of a variable.
    ///   - report: Called with a sentence for each variable that cannot be used; it is ignored then.
    public init(environment value: (String) -> String?, reporting report: (String) -> Void = { _ in }) {
        func first(_ names: [String]) -> (name: String, value: String)? {
            for name in names {
                if let text = value(name), !text.isEmpty { return (name, text) }
            }
            return nil
        }
        func proxy(_ names: [String]) -> OutboundProxy? {
            guard let (name, text) = first(names) else { return nil }
            do throws(OutboundProxy.Malformation) {
                return try OutboundProxy(text.contains("://") ? text : "http://" + text)
            } catch {
                report("\(name) in the environment is ignored: it \(error)")
                return nil
            }
        }
        forHTTPS = proxy(["https_proxy", "HTTPS_PROXY"])
        forHTTP = proxy(value("REQUEST_METHOD") == nil ? ["http_proxy", "HTTP_PROXY"] : ["http_proxy"])
        exceptions = (first(["no_proxy", "NO_PROXY"])?.value ?? "").utf8
            .split { $0 == 0x2C || $0 == 0x20 || $0 == 0x09 }.prefix(Self.maximumExceptionCount)
            .map { Exception(Array($0)) }
        skipsLoopback = true
    }

    /// The proxies that the environment of this process names now.
    public static var environment: OutboundProxies { environment(reporting: { _ in }) }

    /// The proxies that the environment names now; reports variables that cannot be used.
    public static func environment(reporting report: (String) -> Void) -> OutboundProxies {
        OutboundProxies(environment: { getenv($0).map { String(cString: $0) } }, reporting: report)
    }

    /// The most entries of `NO_PROXY` that are read.
    package static let maximumExceptionCount = 1024

    /// The proxy to call a server through, or `nil` to call it directly.
    func proxy(for origin: Origin) -> OutboundProxy? {
        guard let proxy = origin.isEncrypted ? forHTTPS : forHTTP else { return nil }
        if skipsLoopback, origin.isLoopback { return nil }
        return exceptions.contains { $0.matches(origin) } ? nil : proxy
    }
}

/// One entry of `NO_PROXY`.
private enum Exception: Sendable, Hashable {
    case all
    case network(IPNetwork, port: Int?)
    case name([UInt8], port: Int?)

    init(_ text: [UInt8]) {
        guard text != [0x2A] else {
            self = .all
            return
        }
        if let network = IPNetwork(String(decoding: text, as: UTF8.self)) {
            self = .network(network, port: nil)
            return
        }
        var host = text[...]
        var port: Int?
        if let colon = text.lastIndex(of: 0x3A), let number = Self.port(text[(colon + 1)...]) {
            (host, port) = (text[..<colon], number)
        }
        if host.first == 0x5B, host.last == 0x5D { host = host.dropFirst().dropLast() }
        if let network = IPNetwork(String(decoding: host, as: UTF8.self)) {
            self = .network(network, port: port)
        } else {
            if host.starts(with: [0x2A, 0x2E]) { host = host.dropFirst() }
            self = .name(host.drop { $0 == 0x2E }.map(CharacterClass.lowercase), port: port)
        }
    }

    private static func port(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...5).contains(digits.count), digits.allSatisfy(CharacterClass.isDigit) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    func matches(_ origin: Origin) -> Bool {
        switch self {
        case .all: return true
        case .network(let network, let port):
            guard port == nil || port == origin.port, let address = origin.ipAddress else { return false }
            return network.contains(address)
        case .name(let name, let port):
            guard !name.isEmpty, port == nil || port == origin.port, origin.address == nil else {
                return false
            }
            let host = Array(origin.host.utf8)
            guard host.count != name.count else { return host == name }
            return host.count > name.count && host.suffix(name.count).elementsEqual(name)
                && host[host.count - name.count - 1] == 0x2E
        }
    }
}

extension Origin {
    var ipAddress: IPAddress? { address == nil ? nil : IPAddress(host) }

    /// Whether the host is this machine: `localhost`, a name below it, `127.0.0.0/8` or `::1`.
    ///
    /// RFC 6761 §6.3.
    var isLoopback: Bool {
        guard let address = ipAddress else { return host == "localhost" || host.hasSuffix(".localhost") }
        return IPNetwork("127.0.0.0/8")?.contains(address) == true || address == IPAddress("::1")
    }
}
