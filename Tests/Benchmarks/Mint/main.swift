// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

// Signs what the benchmark suite sends, in bulk: access tokens, forged tokens, DPoP proofs.
//
//   benchmark-mint key ALGORITHM KID    makes a private key, as a JWK
//   benchmark-mint sign COUNT           signs COUNT compact JWS, one a line, that differ only in `jti`;
//                                       standard input is a JSON object with `algorithm`, `key` (a
//                                       private JWK), `header` and `claims`

struct Job: Sendable {
    let algorithm: SignatureAlgorithm
    let key: PrivateJWK
    let header: JSONObject
    let claims: JSONObject

    init?(_ json: JSONObject?) throws {
        guard let json, let name = json["algorithm"]?.string, let key = json["key"]?.object,
            let algorithm = SignatureAlgorithm(rawValue: name), let header = json["header"]?.object,
            let claims = json["claims"]?.object
        else { return nil }
        (self.algorithm, self.header, self.claims) = (algorithm, header, claims)
        self.key = try PrivateJWK(key)
    }

    func signed(_ count: Int) throws -> [UInt8] {
        var lines: [UInt8] = []
        var claims = claims
        for _ in 0..<count {
            claims["jti"] = .string(Base64URL.encode(SecureRandom.bytes(12)))
            lines += try key.sign(header: header, payload: claims.serialized(), algorithm: algorithm).utf8
            lines.append(10)
        }
        return lines
    }
}

func printAll(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
        let written = rest.withUnsafeBytes { write(1, $0.baseAddress, $0.count) }
        guard written > 0 else { exit(1) }
        rest = rest.dropFirst(written)
    }
}

func sign(_ count: Int, with job: Job) async throws {
    let piece = 500
    try await withThrowingTaskGroup(of: [UInt8].self) { group in
        for start in stride(from: 0, to: count, by: piece) {
            group.addTask { try job.signed(min(piece, count - start)) }
        }
        for try await lines in group { printAll(lines) }
    }
}

let words = CommandLine.arguments
switch (words.dropFirst().first, words.count) {
case ("key", 4):
    guard let algorithm = SignatureAlgorithm(rawValue: words[2]) else { exit(2) }
    let key = try PrivateJWK.generate(algorithm, keyID: words[3])
    print(String(decoding: key.jsonIncludingPrivateMembers.serialized(), as: UTF8.self))
case ("sign", 3):
    var input = ""
    while let line = readLine(strippingNewline: false) { input += line }
    guard let count = Int(words[2]), let job = try Job(JSONValue.parse(Array(input.utf8)).object) else {
        exit(2)
    }
    try await sign(count, with: job)
default:
    print("benchmark-mint key ALGORITHM KID | benchmark-mint sign COUNT")
    exit(2)
}
