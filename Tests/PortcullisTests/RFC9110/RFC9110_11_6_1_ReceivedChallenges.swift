// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import Testing

@Suite("RFC 9110 §11.6.1 Reading WWW-Authenticate")
struct RFC9110_11_6_1_ReceivedChallenges {
    /// A short form: `Scheme{name=value;…}`, or `Scheme<token68>`.
    static func form(_ lines: [String]) throws -> [String] {
        try ReceivedChallenge.list(in: lines).map { challenge in
            if let token68 = challenge.token68 { return "\(challenge.scheme)<\(token68)>" }
            let list = challenge.parameters.map { "\($0.name)=\($0.value)" }
            return "\(challenge.scheme){\(list.joined(separator: ";"))}"
        }
    }

    @Test(arguments: [
        ([], []),
        ([""], []),
        ([" , ,"], []),
        (["Bearer"], ["Bearer{}"]),
        (["Bearer "], ["Bearer{}"]),
        (["Negotiate, Bearer"], ["Negotiate{}", "Bearer{}"]),
        ([#"Bearer realm="x""#], ["Bearer{realm=x}"]),
        ([#"Bearer  realm = "x" , scope=a"#], ["Bearer{realm=x;scope=a}"]),
        (["Bearer\trealm=x"], ["Bearer{realm=x}"]),
        ([#"bearer Scope="a b",, error="e","#], ["bearer{Scope=a b;error=e}"]),
        ([#"Bearer realm="a \"b\", \\c""#], [#"Bearer{realm=a "b", \c}"#]),
        ([#"Bearer realm="""#], ["Bearer{realm=}"]),
        (["Negotiate abc=="], ["Negotiate<abc==>"]),
        (["Basic abc="], ["Basic<abc=>"]),
        (["Negotiate abc==, Bearer a=b"], ["Negotiate<abc==>", "Bearer{a=b}"]),
        (["Negotiate a/b+c~._-=, Bearer a=b"], ["Negotiate<a/b+c~._-=>", "Bearer{a=b}"]),
        ([#"Bearer a="1", DPoP algs="ES256 PS256", b=2"#], ["Bearer{a=1}", "DPoP{algs=ES256 PS256;b=2}"]),
        ([#"Bearer a="1""#, #"DPoP b="2""#], ["Bearer{a=1}", "DPoP{b=2}"]),
        (
            [#"Newauth realm="apps", type=1, title="Login to \"apps\"", Basic realm="simple""#],
            [#"Newauth{realm=apps;type=1;title=Login to "apps"}"#, "Basic{realm=simple}"]
        ),
        ([#"Bearer a="1", Negotiate"#], ["Bearer{a=1}", "Negotiate{}"]),
        ([#"Bearer a="1", Negotiate, DPoP b=2"#], ["Bearer{a=1}", "Negotiate{}", "DPoP{b=2}"]),
        ([#"Bearer ,a=1"#], ["Bearer{a=1}"]),
        (["Bearer a=\"\u{e9}\""], ["Bearer{a=\u{e9}}"]),
    ])
    func `valid challenges are parsed`(lines: [String], expected: [String]) throws {
        #expect(try Self.form(lines) == expected)
    }

    @Test(arguments: [
        ("\"x\"", ChallengeSyntaxError.Reason.missingToken, 0),
        ("=x", .missingToken, 0),
        (#"realm="x""#, .parameterWithoutScheme, 0),
        (#"realm ="x""#, .parameterWithoutScheme, 0),
        (#"Bearer, realm="x""#, .parameterWithoutScheme, 8),
        (#"Bearer realm"x""#, .missingComma, 12),
        (#"Bearer realm="x" scope="y""#, .missingComma, 17),
        (#"Bearer a="1"b="2""#, .missingComma, 12),
        ("Bearer abc def", .missingComma, 11),
        ("Bearer a=1 b", .missingComma, 11),
        (#"Bearer realm="x"#, .unterminatedString, 13),
        (#"Bearer realm="x\"#, .unterminatedString, 13),
        (#"Bearer realm="x\""#, .unterminatedString, 13),
        ("Bearer realm=\"x\u{7f}\"", .controlCharacter, 15),
        ("Bearer realm=\"x\\\u{1}\"", .controlCharacter, 16),
        ("Bearer resource_metadata=https://h/p", .missingComma, 30),
        (#"Bearer a=, b="1""#, .parameterWithoutScheme, 11),
        (#"Bearer b="1", a=, c="2""#, .missingValue, 16),
        (#"Bearer a=@"#, .missingValue, 9),
        (#"Bearer a="1", A="2""#, .repeatedParameter, 14),
        ("Bearer[]", .missingComma, 6),
    ])
    func `malformed challenges are refused, with the position`(
        line: String, reason: ChallengeSyntaxError.Reason, offset: Int
    ) {
        #expect {
            try ReceivedChallenge.list(in: [line])
        } throws: { error in
            (error as? ChallengeSyntaxError).map { ($0.reason, $0.offset) }.map { $0 == (reason, offset) }
                ?? false
        }
    }

    @Test
    func `scheme and names match in any case, and the error repeats nothing of the field`()
        throws
    {
        let challenge = try #require(try ReceivedChallenge.list(in: ["BEARER Scope=a"]).first)
        #expect(challenge.isScheme("Bearer") && !challenge.isScheme("Bear"))
        #expect(challenge["SCOPE"] == "a" && challenge["scop"] == nil)
        #expect(
            ChallengeSyntaxError(reason: .missingValue, offset: 9).description
                == "at byte 9 a parameter's value is neither a token nor a quoted string")
    }

    @Test func `RFC 9728 §5.1: the first challenge with resource_metadata counts, in any scheme`()
        throws
    {
        let challenges = try ReceivedChallenge.list(in: [
            #"Basic realm="x", DPoP resource_metadata="https://a", Bearer resource_metadata="https://b""#
        ])
        #expect(ReceivedChallenge.metadataURL(in: challenges) == "https://a")
        #expect(ReceivedChallenge.metadataURL(in: []) == nil)
    }

    @Test func `every challenge of the gate parses back as written`() throws {
        let written = Challenger(metadataURL: "https://h/.well-known/oauth-protected-resource/a,b").refusal(
            .expired, requiring: ["a:b", "c=d"])
        let read = try ReceivedChallenge.list(in: written.challenges.map(\.description))
        #expect(read.count == written.challenges.count)
        for (read, written) in zip(read, written.challenges) {
            #expect(read.scheme == written.scheme.rawValue)
            #expect(read.parameters.map(\.name) == written.parameters.map(\.name))
            #expect(read.parameters.map(\.value) == written.parameters.map(\.value))
        }
    }
}
