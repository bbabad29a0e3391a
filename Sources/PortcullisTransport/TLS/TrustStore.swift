// SPDX-License-Identifier: MIT

internal import COpenSSL

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Trusted certificates, for any number of contexts.
// SAFETY: an `X509_STORE` locks itself, and after `init` only OpenSSL adds to it, under that lock, from the
// system's directories; the references of contexts to it are counted atomically.
package final class TrustStore: @unchecked Sendable {
    let store: OpaquePointer

    private init(empty: Void) throws(TLSError) {
        guard let store = X509_STORE_new() else { throw .unavailable }
        self.store = store
    }

    deinit {
        X509_STORE_free(store)
    }

    /// Trusts these certificates, each as an anchor, whether it is a root or not.
    convenience init(_ certificates: [OpaquePointer]) throws(TLSError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        try self.init(empty: ())
        for certificate in certificates where X509_STORE_add_cert(store, certificate) != 1 {
            throw .unusableRoots
        }
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }

    /// Reads certificates in PEM and trusts each as an anchor.
    package convenience init(_ source: PEMSource) throws(TLSError) {
        guard let certificates = source.certificates() else { throw .unusableRoots }
        defer { for certificate in certificates { X509_free(certificate) } }
        try self.init(certificates)
    }

    /// Trusts the system's certificates, where its OpenSSL looks: the file and the directories that
    /// `SSL_CERT_FILE` and `SSL_CERT_DIR` name, otherwise its built-in paths.
    ///
    /// Parses the whole file, which blocks the thread for tens of milliseconds. OpenSSL searches directories
    /// while it checks peers.
    package static func system() throws(TLSError) -> TrustStore {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let trust = try TrustStore(empty: ())
        guard X509_STORE_set_default_paths(trust.store) == 1 else { throw .unusableRoots }
        // OpenSSL accepts an unreadable file, and would later report the peer's issuer as unknown.
        guard COpenSSL_X509_STORE_count(trust.store) > 0 || systemDirectories.contains(where: hasHashedName)
        else { throw .unusableRoots }
        return trust
    }

    private static var systemDirectories: [Substring] {
        let paths = getenv(X509_get_default_cert_dir_env()).map { String(cString: $0) }
        return (paths ?? String(cString: X509_get_default_cert_dir())).split(separator: ":")
    }

    /// Whether the directory has a file name that OpenSSL would find: eight hexadecimal digits, a dot, a
    /// number.
    private static func hasHashedName(_ path: Substring) -> Bool {
        guard let directory = opendir(String(path)) else { return false }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name.count > 9, name[8] == 0x2E, name[..<8].allSatisfy({ Self.hexadecimal.contains($0) }) {
                return true
            }
        }
        return false
    }

    private static let hexadecimal = Set("0123456789abcdef".utf8)
}
