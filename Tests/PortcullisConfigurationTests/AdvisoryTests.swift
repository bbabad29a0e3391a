// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisHTTP
import PortcullisJOSE
import Synchronization
import Testing

/// Attacks through a file or a log that worked on other implementations.
@Suite("Advisories of 2025 and 2026: the configuration file and its log")
struct AdvisoryTests {
    @Test(arguments: ["-1", "-0.5", "300.5", "301", "1e9", "\"Infinity\"", "\"NaN\"", "null", "true", "[30]"])
    func `CVE-2026-107721 (fast-jwt): no leeway in a file switches expiry off`(value: String) {
        let resource = SampleFile.resource(more: "\"tokens\": {\"leeway_seconds\": \(value)}")
        #expect(
            SampleFile.problems(SampleFile.with(resource: resource)) == [
                "$.resources[0].tokens.leeway_seconds: must be a number of seconds from 0 to 300"
            ])
    }

    @Test(arguments: ["1e309", "1e999", "-1e999", "Infinity", "NaN", "1e400"])
    func `CVE-2026-107721 (fast-jwt): a leeway that is not a finite number is refused`(value: String) {
        let resource = SampleFile.resource(more: "\"tokens\": {\"leeway_seconds\": \(value)}")
        #expect(SampleFile.problems(SampleFile.with(resource: resource)).count == 1)
    }

    /// Answers every request with the same body.
    private struct OneAnswer: Fetcher {
        let body: [UInt8]

        func fetch(_ request: FetchRequest) async throws(FetchError) -> FetchResponse {
            FetchResponse(status: .ok, body: body)
        }
    }

    @Test func `CVE-2026-50629 (Apache CXF): nothing that an issuer publishes breaks a log line`()
        async throws
    {
        // The point of RFC 7517, Appendix A.1.
        let (x, y) = (
            "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
        )
        let hostile = "x\\r\\nforged\\u001b[2J\\u2028"
        let bodies = [
            #"{"keys":[{"kty":"\#(hostile)","kid":"\#(hostile)"},{"kty":"EC","crv":"\#(hostile)","#
                + #""d":"\#(hostile)"}]}"#,
            #"{"keys":[{"kty":"EC","crv":"P-256","x":"\#(hostile)","y":"\#(hostile)","kid":"\#(hostile)","#
                + #""d":"x"}]}"#,
            #"{"keys":[{"kty":"EC","crv":"P-256","x":"\#(x)","y":"\#(y)","kid":"\#(hostile)","d":"x"}]}"#,
            #"{"keys":"\#(hostile)"}"#, #"{"issuer":"\#(hostile)","\#(hostile)":1}"#, hostile,
        ]
        let sentences = Mutex<[String]>([])
        for body in bodies {
            for keys in [KeySource.remote("https://as.example.com/jwks"), .discovered] {
                let resource = try ProtectedResource(
                    validating: .init(
                        ProtectedResourceMetadata(resource: "https://api.example.com/notes"),
                        trusting: [.jwt(issuer: "https://as.example.com", keys: keys)],
                        fetcher: OneAnswer(body: Array(body.utf8)),
                        onEvent: { event in sentences.withLock { $0.append(event.description) } }))
                let token =
                    "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9"
                    + ".eyJpc3MiOiJodHRwczovL2FzLmV4YW1wbGUuY29tIn0.AAAA"
                let head = try RequestHead(
                    method: .get, target: "/notes", fields: [("Authorization", "Bearer \(token)")])
                do throws(Refusal) {
                    _ = try await resource.authorize(head)
                    Issue.record("let in")
                } catch {
                    #expect([401, 503].contains(error.status.code))
                }
            }
        }
        let all = sentences.withLock { $0 }
        #expect(all.count >= bodies.count)
        for sentence in all {
            #expect(sentence.utf8.allSatisfy { (0x20...0x7E).contains($0) }, "\(sentence)")
            // What an issuer names itself is quoted, with its line ends escaped.
            #expect(!sentence.contains("forged") || sentence.contains(#"\u{d}\u{a}forged"#), "\(sentence)")
        }
    }
}
