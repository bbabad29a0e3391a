// SPDX-License-Identifier: MIT

public import Portcullis
public import PortcullisTransport

/// A black-box test of a running gate, clause by clause: statuses, challenges, documents, DPoP, certificates.
///
///     let gate = GateConformance(
///         of: "https://api.example.com/notes", at: "http://127.0.0.1:8080/notes/7", signedBy: issuer,
///         requiring: "notes:read")
///     #expect(await gate.failures().isEmpty)
///
/// It knows nothing of what answers: this package's server, a gateway, or another server that asks the gate.
/// Sends some sixty requests, one after another, with tokens that the issuer mints. It needs no token that is
/// good for anything else, and changes nothing.
///
/// RFC 6750, RFC 8705, RFC 9068, RFC 9449, RFC 9728.
public struct GateConformance: Sendable {
    /// The certificates that a client presents, for tests of certificate-bound tokens.
    public struct Certificates: Sendable {
        /// The certificate and key of the client.
        public var identity: TLSIdentity
        /// The same certificate in DER.
        public var der: [UInt8]

        /// Names a certificate.
        public init(_ identity: TLSIdentity, der: [UInt8]) {
            self.identity = identity
            self.der = der
        }
    }

    /// A check that does not hold.
    public struct Failure: Error, Sendable, Hashable, CustomStringConvertible {
        /// The clause that is broken.
        public let clause: String
        /// What was checked.
        public let check: String
        /// What was expected, and what came; never a token.
        public let message: String

        /// One line.
        public var description: String { "\(clause): \(check): \(message)" }
    }

    /// The identifier of the resource.
    public let resource: ResourceIdentifier
    /// Where the gate answers: a route below the resource that answers 2xx to a GET with a good token.
    ///
    /// Its scheme and authority may be other ones than the identifier's.
    public let url: String
    /// The issuer that the resource trusts.
    public let issuer: TestIssuer
    /// A scope that the route requires; `nil` if it requires none.
    public let scope: String?
    /// Whether the resource takes DPoP (`dpop_signing_alg_values_supported`).
    ///
    /// Default `false`. RFC 9449 §7.1.
    public var testsProofs = false
    /// The certificates for https with client certificates.
    ///
    /// Default `nil`: not tested. RFC 8705 §3.
    public var certificates: Certificates?
    /// The certificate authorities of the server.
    ///
    /// Default: the system's.
    public var roots = TrustedRoots.system
    /// Whether the gate gets both of two field lines of one name.
    ///
    /// `false` for a server that keeps only one of two `Authorization` or `DPoP` fields, and shows gate and
    /// handlers the same one: then the checks that two are refused are left out. Default `true`. RFC 6750 §3.1,
    /// RFC 9449 §4.3.
    public var passesRepeatedFields = true
    /// The statuses that clients get for refusals of the gate.
    ///
    /// Default ``StatusMapping/unchanged``.
    public var statusMapping = StatusMapping.unchanged

    /// Describes a gate.
    ///
    /// - Parameters:
    ///   - resource: The identifier of the resource.
    ///   - url: A route below the resource that answers 2xx to a GET with a good token.
    ///   - issuer: The issuer that the resource trusts.
    ///   - scope: A scope that the route requires. Default: none.
    public init(
        of resource: ResourceIdentifier, at url: String, signedBy issuer: TestIssuer,
        requiring scope: String? = nil
    ) {
        self.resource = resource
        self.url = url
        self.issuer = issuer
        self.scope = scope
    }

    /// The clauses and names of all checks that ``failures()`` makes.
    public var checks: [String] { selected.map { "\($0.clause): \($0.name)" } }

    /// Makes all checks, and returns those that do not hold; empty if the gate conforms.
    public func failures() async -> [Failure] {
        guard let probe = ConformanceProbe(self) else {
            return [
                Failure(
                    clause: "RFC 9728 §1.2", check: "the URL",
                    message: "\(url) must be an http or https URL below the path of \(resource.text)")
            ]
        }
        var failures: [Failure] = []
        for check in selected {
            do throws(ConformanceProblem) {
                try await check.run(probe)
            } catch {
                failures.append(Failure(clause: check.clause, check: check.name, message: error.message))
            }
        }
        return failures
    }

    private var selected: [ConformanceCheck] {
        ConformanceCheck.documents + ConformanceCheck.credentials
            + (passesRepeatedFields ? ConformanceCheck.repetitions : []) + ConformanceCheck.tokens
            + (scope == nil ? [] : ConformanceCheck.scopes) + (testsProofs ? ConformanceCheck.proofs : [])
            + (testsProofs && passesRepeatedFields ? ConformanceCheck.repeatedProofs : [])
            + (certificates == nil ? [] : ConformanceCheck.certificates)
    }
}
