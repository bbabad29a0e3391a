// SPDX-License-Identifier: MIT

import PortcullisTransport
import Testing

@Suite("Proxies from the environment", .timeLimit(.minutes(1)))
struct OutboundProxiesTests {
    /// Whether a client with this environment calls a URL through the proxy `proxy.invalid`.
    private static func usesProxy(_ environment: [String: String], _ url: String) async throws -> Bool {
        let resolver = Resolver { host, port in
            .failure(SocketError(call: .resolve, code: host == "proxy.invalid" ? -3 : -2))
        }
        let client = try makeClient(
            resolver: resolver, proxies: OutboundProxies(environment: { environment[$0] }))
        do throws(HTTPClientError) {
            _ = try await client.execute(.init(url: url))
            return false
        } catch {
            return error == .proxy(.resolveFailed(-3))
        }
    }

    private static let proxy = "http://proxy.invalid:3128"

    @Test(arguments: [
        (["HTTPS_PROXY": proxy], "https://as.example/", true),
        (["https_proxy": proxy], "https://as.example/", true),
        (["HTTPS_PROXY": "proxy.invalid:3128"], "https://as.example/", true),
        (["HTTPS_PROXY": ""], "https://as.example/", false),
        (["HTTP_PROXY": proxy], "https://as.example/", false),
        (["HTTP_PROXY": proxy], "http://as.example/", true),
        (["HTTPS_PROXY": proxy], "http://as.example/", false),
        (["HTTP_PROXY": proxy, "REQUEST_METHOD": "GET"], "http://as.example/", false),
        (["http_proxy": proxy, "REQUEST_METHOD": "GET"], "http://as.example/", true),
        (["HTTPS_PROXY": proxy, "https_proxy": "http://other.invalid"], "https://as.example/", false),
        (["HTTPS_PROXY": "socks5://proxy.invalid"], "https://as.example/", false),
        // Loopback.
        (["HTTPS_PROXY": proxy], "https://localhost:1/", false),
        (["HTTPS_PROXY": proxy], "https://a.localhost/", false),
        (["HTTPS_PROXY": proxy], "https://127.1.2.3:1/", false),
        (["HTTPS_PROXY": proxy], "https://[::1]:1/", false),
        // Exceptions.
        (["HTTPS_PROXY": proxy, "NO_PROXY": "*"], "https://as.example/", false),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "as.example"], "https://as.example/", false),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "AS.Example"], "https://as.example/", false),
        (["HTTPS_PROXY": proxy, "no_proxy": "example"], "https://as.example/", false),
        (["HTTPS_PROXY": proxy, "NO_PROXY": ".example"], "https://as.example/", false),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "*.example"], "https://as.example/", false),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "s.example"], "https://as.example/", true),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "a.as.example"], "https://as.example/", true),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "x, as.example"], "https://as.example/", false),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "as.example:443"], "https://as.example/", false),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "as.example:8443"], "https://as.example/", true),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "192.0.2.0/24"], "https://192.0.2.7/", false),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "192.0.2.0/24"], "https://192.0.3.7/", true),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "2001:db8::/32"], "https://[2001:db8::1]/", false),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "[2001:db8::1]:443"], "https://[2001:db8::1]/", false),
        (["HTTPS_PROXY": proxy, "NO_PROXY": "192.0.2.7:443"], "https://192.0.2.7/", false),
        (["HTTPS_PROXY": proxy, "NO_PROXY": ".,:,/"], "https://as.example/", true),
    ])
    func `the variables decide`(environment: [String: String], url: String, isUsed: Bool) async throws {
        #expect(try await Self.usesProxy(environment, url) == isUsed)
    }

    @Test func `a variable that cannot be used is reported, without its value`() {
        var reports: [String] = []
        _ = OutboundProxies(
            environment: { ["HTTPS_PROXY": "https://user:s3cret@proxy.example"][$0] },
            reporting: { reports.append($0) })
        #expect(
            reports == [
                "HTTPS_PROXY in the environment is ignored: it must begin with http://; proxies over TLS and "
                    + "SOCKS are not supported"
            ])
    }
}
