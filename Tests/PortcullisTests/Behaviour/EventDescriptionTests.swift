// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import Testing

@Suite("An event of a resource describes itself")
struct EventDescriptionTests {
    private static let issuer = "https://as.example.com"
    private static let resource: ResourceIdentifier = "https://api.example.com/notes"

    private static let fetchErrors: [FetchError] = [
        .unreachable, .forbiddenAddress, .untrustedServer, .timedOut, .tooLarge, .malformedResponse,
        .noFetcher, .failed(.connectFailed(111)), .failed(.tls(.certificateRefused(.wrongName))),
        .failed(.timeout(.handshaking)), .failed(.proxy(.status(407))),
    ]
    private static let faults: [AuthorizationServerFault] =
        fetchErrors.map { .noResponse($0) } + [
            .status(500), .redirect(302, to: "https://sso.example.com/login"), .redirect(302, to: nil),
            .contentCoding("gzip"), .mediaType("text/html"), .malformedDocument,
            .malformedJSON(JSONProblem(JSONError(reason: .unexpectedByte, offset: 0), in: [0x3C])),
            .issuerMismatch(named: "https://as.example.com/", expected: issuer),
            .issuerMismatch(named: nil, expected: issuer), .insecureURL(member: "jwks_uri"),
            .insecureURL(member: nil), .missingMember("jwks_uri"), .emptyKeySet,
            .calling(url: "https://as.example.com/jwks", .status(404)),
            .rejectedCredentials, .rejectedAssertion, .unsignedAnswer, .untrustedAnswer,
            .unusableCredentials, .tooManyCalls,
            .callsSuspended, .unusableStatusList(.mediaType("text/html")),
            .unusableStatusList(.mediaType(nil)),
        ] + listFaults.map { .unusableStatusList($0) }
    private static let listFaults: [StatusListFault] = [
        .malformedToken, .wrongType, .unsupportedAlgorithm, .invalidSignature, .subjectMismatch,
        .issuerMismatch,
        .expired, .malformedTime("iat"), .malformedList("lst"), .malformedCompression, .tooLarge, .noRoom,
        .noInflater,
    ]
    private static let reasons: [JOSEError] = [
        .notAnObject, .tokenTooLong, .wrongPartCount, .encryptedToken, .malformedBase64URL, .malformedHeader,
        .unsupportedExtension, .nestedToken, .algorithmMismatch, .keyNotUsable, .invalidSignature,
        .unsupportedKeyType, .unsupportedCurve, .malformedKey, .unsuitableKeyStrength, .inconsistentKey,
        .malformedKeySet, .tooManyKeys, .malformedClaim, .cryptographyUnavailable,
    ]
    static let events: [ResourceEvent] =
        faults.flatMap {
            [.refreshFailed(issuer: issuer, fault: $0), .introspectionFailed(issuer: issuer, fault: $0)]
        } + reasons.map { .keySkipped(issuer: issuer, index: 3, reason: $0) } + [
            .tenantsRefused(issuer: issuer + "/{tenant}"),
            .keysChanged(issuer: issuer, keyCount: 2), .metadataChanged(issuer: issuer),
            .authorizationServerChanged(issuer: issuer, members: ["jwks_uri"]),
            .documentChanged(resource: resource, old: nil, new: "abc"),
            .privateKeysPublished(issuer: issuer),
            .introspectionSuspended(issuer: issuer, pause: .seconds(5)),
            .introspectionResumed(issuer: issuer), .invalidationNotShared(issuer: issuer),
            .authenticationMethodNotListed(issuer: issuer), .assertionAlgorithmNotListed(issuer: issuer),
            .scopesNotListed(issuer: issuer, resource: resource, scopes: ["a", "b"]),
            .malformedAuthorizationDetails(issuer: issuer, resource: resource),
            .resourceNotListed(issuer: issuer, resource: resource),
            .unusableIntrospectionAnswer(issuer: issuer, member: "exp", found: "a string"),
            .tokenWithNonce(issuer: issuer, resource: resource),
            .statusListLoaded(issuer: issuer, entryCount: 1024), .statusListsRefused(issuer: issuer),
            .statusListFailed(issuer: issuer, fault: .unusableStatusList(.expired)),
            .statusIgnored(issuer: issuer), .statusUnchecked(issuer: issuer),
            .deprecatedAlgorithm(issuer: issuer, resource: resource, algorithm: .eddsa),
        ]

    @Test(arguments: events) func `it names the subject, and no Swift type or case`(
        event: ResourceEvent
    ) {
        let text = event.description
        #expect(text.contains(Self.issuer) || text.contains(Self.resource.text))
        // Only names of cases have a capital inside here; names of modules and types follow a dot.
        let words = text.split { !$0.isLetter }
        let humps = words.filter { word in
            zip(word, word.dropFirst()).contains { $0.isLowercase && $1.isUppercase }
                && !["OpenSSL", "EdDSA"].contains(word)
        }
        #expect(humps == [])
        #expect(!text.contains("Portcullis"))
        #expect(text.utf8.allSatisfy { (0x20...0x7E).contains($0) })
        // A payload follows the name of its case.
        #expect(!zip(text, text.dropFirst()).contains { $0.isLetter && $1 == "(" })
    }

    @Test func `it states what happened and why`() {
        let unusable = ResourceEvent.unusableIntrospectionAnswer(
            issuer: Self.issuer, member: "exp", found: "a string")
        #expect(
            "\(unusable)"
                == "https://as.example.com: an introspection answer could not be used: exp is a string"
        )
        #expect(
            "\(ResourceEvent.refreshFailed(issuer: Self.issuer, fault: .noResponse(.timedOut)))"
                == "https://as.example.com: keys or metadata could not be loaded: there was no complete answer in time"
        )
        #expect(
            "\(ResourceEvent.keySkipped(issuer: Self.issuer, index: 1, reason: .unsupportedCurve))"
                == "https://as.example.com: key 1 of its set cannot be used: the curve of the key is not supported"
        )
    }
}
