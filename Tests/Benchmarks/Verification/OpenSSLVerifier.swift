// SPDX-License-Identifier: MIT

import COpenSSL

/// OpenSSL's verification alone: a decoded key, one context, and signatures in OpenSSL's form.
///
/// Traps if anything fails, because then nothing was measured.
final class OpenSSLVerifier {
    struct Job {
        let message: [UInt8]
        let signature: [UInt8]
    }

    // One thread alone uses it; both pointers are freed with the verifier.
    private let key: OpaquePointer
    private let context: OpaquePointer
    private let digestName: String?

    /// - Parameter der: A SubjectPublicKeyInfo. RFC 5280 §4.1.
    init(der: [UInt8], digestName: String?) {
        let decoded = der.withUnsafeBufferPointer { bytes in
            var start = bytes.baseAddress
            return d2i_PUBKEY(nil, &start, bytes.count)
        }
        guard let key = decoded, let context = EVP_MD_CTX_new() else {
            fatalError("The key cannot be read.")
        }
        self.key = key
        self.context = context
        self.digestName = digestName
    }

    deinit {
        EVP_MD_CTX_free(context)
        EVP_PKEY_free(key)
    }

    func verify(_ job: Job) {
        EVP_MD_CTX_reset(context)
        guard
            EVP_DigestVerifyInit_ex(context, nil, digestName, nil, nil, key, nil) == 1,
            EVP_DigestVerify(
                context, job.signature, job.signature.count, job.message, job.message.count) == 1
        else { fatalError("A good signature does not verify.") }
    }
}
