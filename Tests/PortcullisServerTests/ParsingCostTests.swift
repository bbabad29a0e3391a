// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisServer
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Input that is parsed before any credential has been checked, in shapes chosen to be slow.
///
/// Compares each shape with a plain text of the same size in the same place. The factor is generous, because
/// the test looks for shapes that cost hundreds of times as much per byte.
@Suite("The cost of parsing", .serialized)
struct ParsingCostTests {
    private static let byteCount = 24_000
    /// How much more each byte may cost, also in builds without optimization.
    private static let factor = 20.0

    private static func repeated(_ piece: String, _ count: Int = byteCount) -> String {
        String(repeating: piece, count: count / piece.utf8.count)
    }

    /// The processor time of the fastest of several runs, in nanoseconds.
    private static func cost(_ work: () -> Void) -> UInt64 {
        func now() -> UInt64 {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
        }
        return (0..<5).map { _ in
            let start = now()
            work()
            return now() - start
        }.min() ?? 0
    }

    /// Reads a head as the server does, up to the gate.
    private static func read(_ bytes: [UInt8], _ proxies: TrustedProxies) {
        var limits = WireLimits()
        limits.maxTargetByteCount = 65_536
        limits.maxHeaderByteCount = 65_536
        var parser = HeadParser(limits: limits)
        guard let (head, _) = try? bytes.withUnsafeBytes({ try parser.parse($0) }) else { return }
        _ = try? proxies.forwarding(of: head)
        _ = ProblemDetails.accept.isWanted(head)
        _ = CORSPolicy.isPreflight(head)
        _ = Credentials(of: head)
        guard let semantics = try? RequestSemantics(head) else { return }
        _ = try? RequestPath(head, semantics)
    }

    private static func head(_ field: String = "X", _ value: String = "x", target: String = "/") -> [UInt8] {
        Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\(field): \(value)\r\n\r\n".utf8)
    }

    private static func fields(_ line: String) -> [UInt8] {
        Array(("GET / HTTP/1.1\r\nHost: a\r\n" + String(repeating: line + "\r\n", count: 98) + "\r\n").utf8)
    }

    private static let shapes: [(name: String, head: [UInt8])] = [
        ("Connection: commas", head("Connection", repeated(","))),
        ("Connection: options", head("Connection", repeated("a,"))),
        ("Connection: close", head("Connection", repeated("close,") + "close")),
        ("Transfer-Encoding: codings", head("Transfer-Encoding", repeated("a,") + "chunked")),
        ("Transfer-Encoding: parameters", head("Transfer-Encoding", "a" + repeated(";a=b"))),
        ("Transfer-Encoding: semicolons", head("Transfer-Encoding", "a" + repeated(";"))),
        ("Expect: expectations", head("Expect", repeated("100-continue,") + "100-continue")),
        ("Accept: commas", head("Accept", repeated(","))),
        ("Accept: types", head("Accept", repeated("a,"))),
        ("Accept: semicolons", head("Accept", "application/json" + repeated(";"))),
        ("Accept: weights", head("Accept", repeated("application/json;q=0,"))),
        ("Forwarded: senders", head("Forwarded", repeated("for=_a,") + "for=_a")),
        ("Forwarded: addresses", head("Forwarded", repeated("for=\"[::1]\",") + "for=_a")),
        ("Forwarded: hosts", head("Forwarded", repeated("host=a,") + "host=a")),
        ("Forwarded: names", head("Forwarded", (0..<4000).map { "a\($0)=b" }.joined(separator: ";"))),
        ("Forwarded: escapes", head("Forwarded", "a=\"" + repeated("\\a") + "\"")),
        ("X-Forwarded-For: commas", head("X-Forwarded-For", repeated(",") + "::1")),
        ("X-Forwarded-For: addresses", head("X-Forwarded-For", repeated("::1,") + "::1")),
        ("X-Forwarded-Host: hosts", head("X-Forwarded-Host", repeated("a,") + "a")),
        ("Authorization: blanks", head("Authorization", "Bearer" + repeated(" ") + "a")),
        ("path: segments", head(target: repeated("/a"))),
        ("path: escapes", head(target: "/" + repeated("%41"))),
        ("path: characters", head(target: "/" + repeated("%C3%A9"))),
        ("path: alternating characters", head(target: "/" + repeated("%C3%A9a"))),
        ("query: pairs", head(target: "/?" + repeated("&"))),
        ("query: raw characters", head(target: "/?" + repeated("|"))),
        ("query: raw characters, separated", head(target: "/?" + repeated("a|"))),
        ("host: escapes", head("X", target: "http://" + repeated("%41") + "/")),
        ("fields: known", fields("Accept: " + String(repeating: "a", count: 200))),
        ("fields: unknown", fields("X-Forwarded-Fox: " + String(repeating: "a", count: 200))),
    ]

    @Test(arguments: [TrustedProxies.ForwardedFamily.forwarded, .xForwarded])
    func `a head costs about as much as a plain head of its size`(
        family: TrustedProxies.ForwardedFamily
    ) throws {
        let proxies = try TrustedProxies(["::1", "127.0.0.1"], forwarded: family)
        // Reads all heads once before, so that none pays for lazy initialization.
        for shape in Self.shapes { Self.read(shape.head, proxies) }
        let plainPath = Self.head(target: "/" + Self.repeated("a"))
        let plain = Self.cost { Self.read(plainPath, proxies) }
        for shape in Self.shapes {
            let cost = Self.cost { Self.read(shape.head, proxies) }
            let ratio =
                Double(cost) / Double(plain) * Double(plainPath.count) / Double(shape.head.count)
            #expect(ratio < Self.factor, "\(shape.name)")
        }
    }

    private static let forms: [(name: String, form: [UInt8])] = [
        ("separators", "&"), ("names", "a&"), ("the name's beginning", "access_toke&"), ("equals signs", "="),
        ("escapes", "%61"), ("values", "a=b&"), ("escaped names", "%61ccess%5Ftoke&"), ("percent signs", "%"),
    ].map { ($0.0, Array(Self.repeated($0.1, 1_000_000).utf8)) }

    @Test func `a form costs about as much as a plain form of its size`() {
        func cost(_ form: [UInt8]) -> UInt64 {
            Self.cost { withExtendedLifetime(FormParameter("access_token", in: form[...])) {} }
        }
        let plain = cost(Array(("x=" + Self.repeated("y", 1_000_000)).utf8))
        for (name, form) in Self.forms {
            let ratio = Double(cost(form)) / Double(plain)
            #expect(ratio < Self.factor, "\(name)")
        }
    }
}
