// SPDX-License-Identifier: MIT

// Compares the gate's cost with OpenSSL's own verification of the same algorithm, on one core. The bound for
// a DPoP request (a new proof each time, the same token) is 1.35. OpenSSL's part hashes a message as long as
// a proof and verifies the signature, with everything prepared. Run in release: swift run -c release GateCost
// With --growth, prints the curves of Growth.swift instead.

import COpenSSL
import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting

/// The median of the rounds, in nanoseconds per operation.
struct Measured {
    private var rounds: [Double] = []

    mutating func add(_ elapsed: Duration, for count: Int) {
        rounds.append(
            Double(elapsed.components.attoseconds) / 1e9 / Double(count)
                + Double(elapsed.components.seconds) * 1e9 / Double(count))
    }

    var median: Double { rounds.sorted()[rounds.count / 2] }
}

/// OpenSSL's verification of one signature over a digest or a message, with everything prepared.
final class PlainVerification {
    private let signed: OpaquePointer
    private let context: OpaquePointer
    private let signature: [UInt8]
    private let message: [UInt8]
    private let digests: Bool

    /// Makes a key with OpenSSL and signs with it.
    init(_ algorithm: SignatureAlgorithm) {
        message = Array(repeating: 7, count: algorithm == .rs256 ? 900 : 450)
        digests = algorithm != .ed25519
        switch algorithm {
        case .es256: signed = Self.elliptic()
        case .rs256: signed = Self.rsa()
        default: signed = Self.edwards()
        }
        var output = [UInt8](repeating: 0, count: 1024)
        var count = output.count
        let signing = digests ? EVP_PKEY_CTX_new(signed, nil) : nil
        if let signing {
            EVP_PKEY_sign_init(signing)
            if algorithm == .rs256 { EVP_PKEY_CTX_set_signature_md(signing, EVP_sha256()) }
            EVP_PKEY_sign(signing, &output, &count, Self.hash(message), 32)
            EVP_PKEY_CTX_free(signing)
        } else {
            let context = EVP_MD_CTX_new()
            EVP_DigestSignInit(context, nil, nil, nil, signed)
            EVP_DigestSign(context, &output, &count, message, message.count)
            EVP_MD_CTX_free(context)
        }
        signature = Array(output.prefix(count))
        guard let context = digests ? EVP_PKEY_CTX_new(signed, nil) : EVP_MD_CTX_new() else {
            preconditionFailure("OpenSSL is out of memory.")
        }
        self.context = context
        if digests {
            EVP_PKEY_verify_init(context)
            if algorithm == .rs256 { EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) }
        }
    }

    private static func elliptic() -> OpaquePointer {
        var key: OpaquePointer?
        let context = EVP_PKEY_CTX_new_from_name(nil, "EC", nil)
        EVP_PKEY_keygen_init(context)
        EVP_PKEY_CTX_set_group_name(context, "P-256")
        EVP_PKEY_generate(context, &key)
        guard let key else { preconditionFailure("OpenSSL could not make a key.") }
        return key
    }

    private static func rsa() -> OpaquePointer {
        var key: OpaquePointer?
        let context = EVP_PKEY_CTX_new_from_name(nil, "RSA", nil)
        EVP_PKEY_keygen_init(context)
        EVP_PKEY_generate(context, &key)
        guard let key else { preconditionFailure("OpenSSL could not make a key.") }
        return key
    }

    private static func edwards() -> OpaquePointer {
        var key: OpaquePointer?
        let context = EVP_PKEY_CTX_new_from_name(nil, "ED25519", nil)
        EVP_PKEY_keygen_init(context)
        EVP_PKEY_generate(context, &key)
        guard let key else { preconditionFailure("OpenSSL could not make a key.") }
        return key
    }

    // SAFETY: a fetched EVP_MD never changes and is never freed.
    nonisolated(unsafe) private static let sha256 = EVP_MD_fetch(nil, "SHA256", nil)

    private static func hash(_ message: [UInt8]) -> [UInt8] {
        // SAFETY: the hash has 32 bytes, and EVP_Digest writes all of them.
        [UInt8](unsafeUninitializedCapacity: 32) { output, count in
            EVP_Digest(message, message.count, output.baseAddress, nil, sha256, nil)
            count = 32
        }
    }

    func run(_ count: Int) {
        for _ in 0..<count {
            let isGood: Bool
            if digests {
                isGood = EVP_PKEY_verify(context, signature, signature.count, Self.hash(message), 32) == 1
            } else {
                EVP_DigestVerifyInit(context, nil, nil, nil, signed)
                isGood = EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
            }
            precondition(isGood, "OpenSSL verifies its own signature.")
        }
    }
}

/// Requests that carry one token and a new proof each.
struct DPoPRequests {
    let resource: ProtectedResource
    let issuer = TestIssuer("https://as.example.com")
    let client: TestDPoPClient
    let token: String

    init(_ algorithm: SignatureAlgorithm) {
        client = TestDPoPClient(algorithm: algorithm)
        var policy = TokenPolicy()
        policy.dpop.proofMaxAge = .seconds(600)
        resource = ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted, tokens: policy, dpop: .accepted)
        token = issuer.mint(audience: "https://api.example.com/notes", boundTo: client)
    }

    func heads(_ count: Int) -> [RequestHead] {
        (0..<count).map { _ in
            let proof = client.proof(.get, "https://api.example.com/notes", token: token)
            return .dpop(.get, "/notes", token: token, proofs: [proof])
        }
    }

    func learnToken() async throws {
        for head in heads(1) { _ = try await resource.authorize(head) }
    }

    func run(_ heads: [RequestHead]) {
        for head in heads {
            var admission = Admission(to: resource)
            guard case .needs(.signatureTime) = admission.goOn(head), case .admitted = admission.goOn(head)
            else { preconditionFailure("A good proof is accepted.") }
        }
    }
}

extension Admission {
    /// Advances the admission, and supplies time for a signature when it needs that.
    mutating func goOn(_ head: RequestHead) -> Progress {
        defer { supply(.signatureTime) }
        return advance(head, requiring: .anyValidToken, in: AuthorizationContext())
    }
}

if CommandLine.arguments.contains("--growth") {
    try await Growth.run()
    exit(0)
}

/// The bound on the cost of a DPoP request, in verifications by OpenSSL alone.
///
/// With `--check`, a higher cost is an error.
let bound = 1.35
var isTooSlow = false
let clock = ContinuousClock()
for (algorithm, count) in [(SignatureAlgorithm.es256, 1000), (.ed25519, 1000), (.rs256, 1000)] {
    let plain = PlainVerification(algorithm)
    let requests = DPoPRequests(algorithm)
    try await requests.learnToken()
    requests.run(requests.heads(10))
    plain.run(100)
    var openssl = Measured()
    var gate = Measured()
    var ratios: [Double] = []
    for _ in 0..<9 {
        let heads = requests.heads(count)
        let first = clock.measure { plain.run(count) }
        let begin = clock.now
        requests.run(heads)
        let second = clock.now - begin
        openssl.add(first, for: count)
        gate.add(second, for: count)
        ratios.append(second / first)
    }
    let ratio = ratios.sorted()[ratios.count / 2]
    if ratio > bound { isTooSlow = true }
    print(
        "\(algorithm.rawValue): OpenSSL \(Int(openssl.median)) ns, DPoP request \(Int(gate.median)) ns,",
        "ratio \((ratio * 100).rounded() / 100)")
}

let requests = DPoPRequests(.es256)
let plain = RequestHead.get("/notes", bearer: requests.issuer.mint(audience: "https://api.example.com/notes"))
_ = try await requests.resource.authorize(plain)
var immediate = Measured()
for _ in 0..<9 {
    let elapsed = clock.measure {
        for _ in 0..<100_000 {
            var admission = Admission(to: requests.resource)
            guard case .admitted = admission.goOn(plain) else {
                preconditionFailure("A cached token is decided at once.")
            }
        }
    }
    immediate.add(elapsed, for: 100_000)
}
print("Bearer, cached: \(Int(immediate.median)) ns")
if isTooSlow, CommandLine.arguments.contains("--check") {
    print("above the bound of \(bound)")
    exit(1)
}
