// SPDX-License-Identifier: MIT

internal import COpenSSL

extension PEMSource {
    /// The most certificates read from one source.
    private static let maximumCertificateCount = 4096

    /// The certificates in the source, in order; `nil` if one cannot be read or there is none.
    ///
    /// The caller frees each.
    func certificates() -> [OpaquePointer]? {
        withBIO { bio in
            var certificates: [OpaquePointer] = []
            ERR_clear_error()
            while certificates.count < Self.maximumCertificateCount,
                let certificate = PEM_read_bio_X509(bio, nil, nil, nil)
            {
                certificates.append(certificate)
            }
            let code = ERR_peek_last_error()
            ERR_clear_error()
            // The normal end is the error "no start line". Any other error means that something is
            // unreadable.
            if !certificates.isEmpty, ERR_GET_LIB(code) == ERR_LIB_PEM,
                ERR_GET_REASON(code) == PEM_R_NO_START_LINE
            {
                return certificates
            }
            for certificate in certificates { X509_free(certificate) }
            return nil
        }
    }

    /// The first private key in the source, or `nil` if it cannot be read; the caller frees it.
    func privateKey() -> OpaquePointer? {
        withBIO { bio in
            defer { ERR_clear_error() }
            return COpenSSL_PEM_read_private_key(bio)
        }
    }

    private func withBIO<Result>(_ body: (OpaquePointer) -> Result?) -> Result? {
        switch self {
        case .file(let path):
            ERR_clear_error()
            guard let bio = BIO_new_file(path, "r") else {
                ERR_clear_error()
                return nil
            }
            defer { BIO_free_all(bio) }
            return body(bio)
        case .bytes(let bytes):
            return bytes.withUnsafeBytes { buffer in
                guard let count = Int32(exactly: buffer.count),
                    let bio = BIO_new_mem_buf(buffer.baseAddress, count)
                else { return nil }
                defer { BIO_free_all(bio) }
                return body(bio)
            }
        }
    }
}
