// SPDX-License-Identifier: MIT

import COpenSSL
import Synchronization

/// The hashes of the SHA-2 family that JOSE uses.
package enum HashAlgorithm: Sendable, Hashable, CaseIterable {
    case sha256, sha384, sha512

    /// The length of the hash.
    package var byteCount: Int {
        switch self {
        case .sha256: 32
        case .sha384: 48
        case .sha512: 64
        }
    }

    /// OpenSSL's name of the hash.
    var name: String {
        switch self {
        case .sha256: "SHA256"
        case .sha384: "SHA384"
        case .sha512: "SHA512"
        }
    }
}

/// Hashes of bytes.
///
/// FIPS 180-4.
package enum Digest {
    // Measured for 700 bytes: 0.87 µs if the algorithm is fetched each time, 0.60 µs if it is fetched once,
    // 0.56 µs and two allocations fewer if a context is kept too. An atomic holds one context for the next
    // caller.
    private static let sha256 = FetchedDigest(.sha256)
    private static let sha384 = FetchedDigest(.sha384)
    private static let sha512 = FetchedDigest(.sha512)

    /// The SHA-256 hash of `bytes`.
    package static func sha256(_ bytes: UnsafeRawBufferPointer) -> SHA256Digest {
        SHA256Digest { sha256.compute(bytes, into: $0) }
    }

    /// The SHA-256 hash of `bytes`.
    package static func sha256(_ bytes: [UInt8]) -> SHA256Digest {
        bytes.withUnsafeBytes { sha256($0) }
    }

    /// The hash of `bytes` by the given algorithm.
    package static func hash(_ bytes: [UInt8], with algorithm: HashAlgorithm) -> [UInt8] {
        let digest =
            switch algorithm {
            case .sha256: sha256
            case .sha384: sha384
            case .sha512: sha512
            }
        var output = [UInt8](repeating: 0, count: algorithm.byteCount)
        output.withUnsafeMutableBytes { output in
            bytes.withUnsafeBytes { digest.compute($0, into: output) }
        }
        return output
    }
}

private final class FetchedDigest: Sendable {
    // SAFETY: a fetched EVP_MD never changes and is never freed; OpenSSL may read it from any thread.
    nonisolated(unsafe) private let algorithm: OpaquePointer
    /// The address of an unused context for this algorithm; 0 while it is in use.
    private let idle = Atomic<UInt>(0)

    init(_ hash: HashAlgorithm) {
        guard let algorithm = EVP_MD_fetch(nil, hash.name, nil) else {
            preconditionFailure("OpenSSL has no SHA-2: its configuration loads no provider with it.")
        }
        self.algorithm = algorithm
    }

    func compute(_ bytes: UnsafeRawBufferPointer, into output: UnsafeMutableRawBufferPointer) {
        // SAFETY: the exchange gives the context to one caller at a time; a stored context has not been
        // freed.
        let kept = OpaquePointer(bitPattern: idle.exchange(0, ordering: .acquiring))
        let context = kept ?? EVP_MD_CTX_new()
        // SAFETY: raw bytes are read as UInt8; the caller's buffer is as long as the hash.
        let target = output.baseAddress?.assumingMemoryBound(to: UInt8.self)
        // A used context keeps its algorithm.
        guard EVP_DigestInit_ex2(context, kept == nil ? algorithm : nil, nil) == 1,
            EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1,
            EVP_DigestFinal_ex(context, target, nil) == 1
        else {
            preconditionFailure("OpenSSL could not hash: it is out of memory.")
        }
        let (isKept, _) = idle.compareExchange(
            expected: 0, desired: UInt(bitPattern: context), ordering: .releasing)
        if !isKept { EVP_MD_CTX_free(context) }
    }
}
