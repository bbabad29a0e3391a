// SPDX-License-Identifier: MIT

internal import COpenSSL

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Certificates that are trusted, for any number of contexts.
// SAFETY: an `X509_STORE` locks itself, and nothing is added to it after `init` but by OpenSSL under that lock, which finds more in
// the system's directories; the references that contexts take to it are counted atomically.
package final class TrustStore: @unchecked Sendable {
    let store: OpaquePointer

    private init(empty: Void) throws(TLSError) {
        guard let store = X509_STORE_new() else { throw .unavailable }
        self.store = store
    }

    deinit {
        X509_STORE_free(store)
    }

    /// Trusts these certificates, each by itself, whether it is a root or not.
    convenience init(_ certificates: [OpaquePointer]) throws(TLSError) {
        ERR_clear_error()
        defer { ERR_clear_error() }
        try self.init(empty: ())
        for certificate in certificates where X509_STORE_add_cert(store, certificate) != 1 {
            throw .unusableRoots
        }
        X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
    }

    /// Reads certificates in PEM and trusts each by itself.
    package convenience init(_ source: PEMSource) throws(TLSError) {
        guard let certificates = source.certificates() else { throw .unusableRoots }
        defer { for certificate in certificates { X509_free(certificate) } }
        try self.init(certificates)
    }

    /// Trusts what the system trusts, where its OpenSSL looks: the file and the directories that `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name, or else those that it was built with.
    ///
    /// Parses the whole file, which holds the thread for tens of milliseconds. Directories are looked into while peers are checked.
    package static func system() throws(TLSError) -> TrustStore {
        ERR_clear_error()
        defer { ERR_clear_error() }
        let trust = try TrustStore(empty: ())
        guard X509_STORE_set_default_paths(trust.store) == 1 else { throw .unusableRoots }
        // OpenSSL is content with a file that it can't read, and would then blame the peer.
        guard COpenSSL_X509_STORE_count(trust.store) > 0 || systemDirectories.contains(where: hasHashedName)
        else { throw .unusableRoots }
        return trust
    }

    private static var systemDirectories: [Substring] {
        let paths = getenv(X509_get_default_cert_dir_env()).map { String(cString: $0) }
        return (paths ?? String(cString: X509_get_default_cert_dir())).split(separator: ":")
    }

    /// Whether the directory has something that OpenSSL would find there: eight hexadecimal digits, a dot and a number.
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
