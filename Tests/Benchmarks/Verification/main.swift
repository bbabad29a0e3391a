// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisTesting

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

// Compares the gate's cost for a token that it sees for the first time with OpenSSL's own verification of the
// same signatures. Both run on one thread, in turns; times are processor time.
// `verification-benchmark [--check] [ALGORITHM…]`: with --check, a ratio above the bound is an error.

enum Setup {
    static let bound = 1.25
    static let tokenCount = 2000
    static let roundCount = 9
}

func processorNanoseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e9 + Double(time.tv_nsec)
}

/// The ASN.1 form of ECDSA signatures that OpenSSL reads.
///
/// RFC 3279 §2.2.3.
func derSignature(_ raw: [UInt8]) -> [UInt8] {
    let numbers = [raw[..<(raw.count / 2)], raw[(raw.count / 2)...]].map { half -> [UInt8] in
        var digits = Array(half.drop { $0 == 0 })
        if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }
        return [0x02, UInt8(digits.count)] + digits
    }.flatMap { $0 }
    return [0x30, UInt8(numbers.count)] + numbers
}

/// A public key in the form that OpenSSL reads.
///
/// RFC 5280 §4.1.2.7, RFC 3279 §2.3.1, RFC 5480 §2, RFC 8410 §4.
func subjectPublicKeyInfo(_ key: JSONObject) -> [UInt8] {
    func member(_ name: String) -> [UInt8] { key[name]?.string.flatMap { Base64URL.decode($0) } ?? [] }
    func tagged(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let count = content.count
        let length: [UInt8] =
            count < 128
            ? [UInt8(count)]
            : count < 256 ? [0x81, UInt8(count)] : [0x82, UInt8(count >> 8), UInt8(count & 255)]
        return [tag] + length + content
    }
    func info(_ algorithm: [UInt8], _ bits: [UInt8]) -> [UInt8] {
        tagged(0x30, tagged(0x30, algorithm) + tagged(0x03, [0] + bits))
    }
    switch key["kty"]?.string {
    case "RSA":
        let numbers = [member("n"), member("e")].map { number in
            tagged(0x02, number[0] >= 0x80 ? [0] + number : number)
        }
        return info(
            [0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 5, 0], tagged(0x30, numbers.flatMap { $0 })
        )
    case "EC":
        return info(
            [0x06, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1, 0x06, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7],
            [4] + member("x") + member("y"))
    default:
        return info([0x06, 3, 0x2B, 0x65, 0x70], member("x"))
    }
}

struct Subject {
    let algorithm: SignatureAlgorithm
    let resource: ProtectedResource
    let heads: [RequestHead]
    let jobs: [OpenSSLVerifier.Job]
    let verifier: OpenSSLVerifier

    init(_ algorithm: SignatureAlgorithm) {
        self.algorithm = algorithm
        let issuer = TestIssuer("https://login.example.com", algorithm: algorithm)
        let identifier: ResourceIdentifier = "https://api.example.com/notes"
        resource = ProtectedResource(identifier, trusting: issuer.trusted, scopes: ["notes:read"])
        let tokens = (0..<Setup.tokenCount).map { _ in
            issuer.mint(audience: identifier.text, scope: "notes:read notes:write")
        }
        heads = tokens.map { .get("/notes", bearer: $0) }
        let isECDSA = algorithm == .es256
        jobs = tokens.map { token in
            let end = token.lastIndex(of: ".") ?? token.endIndex
            let signature = Base64URL.decode(String(token[token.index(after: end)...])) ?? []
            return OpenSSLVerifier.Job(
                message: Array(token[..<end].utf8), signature: isECDSA ? derSignature(signature) : signature)
        }
        verifier = OpenSSLVerifier(
            der: subjectPublicKeyInfo(issuer.key.publicKey.publicJSON),
            digestName: algorithm == .ed25519 ? nil : "SHA256")
    }

    /// Nanoseconds per signature.
    func measureOpenSSL() -> Double {
        let start = processorNanoseconds()
        for job in jobs { verifier.verify(job) }
        return (processorNanoseconds() - start) / Double(jobs.count)
    }

    /// Nanoseconds per request: the server's work for a token that it sees for the first time.
    func measureGate() -> Double {
        resource.invalidateAllTokens()
        let start = processorNanoseconds()
        for head in heads {
            var admission = Admission(to: resource)
            guard
                case .needs(.signatureTime) = admission.advance(
                    head, requiring: Self.requirement, in: AuthorizationContext()),
                case .admitted = admission.goOn(head, requiring: Self.requirement)
            else { fatalError("The token is known or refused, so nothing is measured.") }
        }
        return (processorNanoseconds() - start) / Double(heads.count)
    }

    private static let requirement: AccessRequirement = "notes:read"
}

/// Nanoseconds per token: the median pair, because other work on the machine slows both halves of a pair.
func measure(_ algorithm: SignatureAlgorithm) -> (openSSL: Double, gate: Double) {
    let subject = Subject(algorithm)
    var pairs: [(openSSL: Double, gate: Double)] = []
    for _ in 0..<Setup.roundCount {
        pairs.append((subject.measureOpenSSL(), subject.measureGate()))
    }
    pairs.sort { $0.gate / $0.openSSL < $1.gate / $1.openSSL }
    return pairs[Setup.roundCount / 2]
}

var isTooSlow = false
let chosen = SignatureAlgorithm.allCases.filter { CommandLine.arguments.contains($0.rawValue) }
for algorithm in chosen.isEmpty ? [SignatureAlgorithm.rs256, .es256, .ed25519] : chosen {
    let (openSSL, gate) = measure(algorithm)
    let ratio = gate / openSSL
    if ratio > Setup.bound { isTooSlow = true }
    let figures = [openSSL, gate].map { "\(($0 / 100).rounded() / 10) µs" }
    let rounded = (ratio * 1000).rounded() / 1000
    print("\(algorithm.rawValue): OpenSSL \(figures[0]), gate \(figures[1]), ratio \(rounded)")
}
if isTooSlow, CommandLine.arguments.contains("--check") {
    print("above the bound of \(Setup.bound)")
    exit(1)
}

extension Admission {
    /// Resumes when there is time for a signature.
    fileprivate mutating func goOn(_ head: RequestHead, requiring requirement: AccessRequirement) -> Progress
    {
        supply(.signatureTime)
        return advance(head, requiring: requirement, in: AuthorizationContext())
    }
}
