// SPDX-License-Identifier: MIT

internal import CPlatform

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension ListeningSockets {
    /// Binds a Unix domain socket, and duplicates it to `count` descriptors.
    ///
    /// Replaces a socket file without a listener; leaves any other file alone.
    ///
    /// - Parameters:
    ///   - permissions: The mode of the file, which controls who may connect; with `nil` the umask decides.
    ///   - owner: The owner of the file; `nil` for the process's own user and group.
    package init(
        unixPath path: String, permissions: UInt16? = nil, owner: FileOwner? = nil, count: Int,
        backlog: Int32 = 1024
    ) throws(SocketError) {
        guard let address = ResolvedAddress(unixPath: path) else {
            throw SocketError(call: .bind, code: ENAMETOOLONG)
        }
        // A name in the abstract namespace is no file.
        let isFile = !path.hasPrefix("@")
        let first = socket(AF_UNIX, Self.stream, 0)
        guard first >= 0 else { throw SocketError(call: .socket, code: errno) }
        do throws(SocketError) {
            try Self.bind(first, to: address, path)
            // Nobody can connect before `listen`, so nobody connects with other permissions than these.
            if isFile { try Self.protect(path, permissions, owner) }
            guard listen(first, backlog) == 0 else { throw SocketError(call: .listen, code: errno) }
            self.init(
                descriptors: try Self.shared(first, count: count), address: SocketAddress(address.storage))
        } catch {
            _ = closeDescriptor(first)
            if isFile, error.call != .bind { unlink(path) }
            throw error
        }
    }

    private static func protect(
        _ path: String, _ permissions: UInt16?, _ owner: FileOwner?
    ) throws(SocketError) {
        if let owner,
            chown(path, owner.userID ?? uid_t.max, owner.groupID ?? gid_t.max) != 0
        {
            throw SocketError(call: .owner, code: errno)
        }
        if let permissions, chmod(path, mode_t(permissions)) != 0 {
            throw SocketError(call: .permissions, code: errno)
        }
    }

    /// Takes over listening sockets, each duplicated to `count` descriptors.
    ///
    /// - Throws: ``SocketError`` for a descriptor that is not a listening stream socket; then it changes none
    ///   of them.
    package init(adopting inherited: [Int32], count: Int) throws(SocketError) {
        for descriptor in inherited {
            guard Self.option(descriptor, SO_ACCEPTCONN) == 1, Self.option(descriptor, SO_TYPE) == Self.stream
            else { throw SocketError(call: .listen, code: EINVAL) }
        }
        guard let first = inherited.first else { throw SocketError(call: .listen, code: EBADF) }
        var descriptors: [Int32] = []
        for descriptor in inherited { descriptors += try Self.shared(descriptor, count: count) }
        self.init(descriptors: descriptors, address: try Self.localAddress(of: first).address)
    }

    #if canImport(Glibc)
        private static let stream = Int32(SOCK_STREAM.rawValue)
    #else
        private static let stream = SOCK_STREAM
    #endif

    private static func bind(
        _ descriptor: Int32, to address: ResolvedAddress, _ path: String
    ) throws(SocketError) {
        let attempt = { address.withSockAddr { systemBind(descriptor, $0, $1) } == 0 }
        guard !attempt() else { return }
        let code = errno
        guard code == EADDRINUSE, isAbandoned(address, path), unlink(path) == 0, attempt() else {
            throw SocketError(call: .bind, code: code)
        }
    }

    /// Whether the file is a socket without a listener.
    private static func isAbandoned(_ address: ResolvedAddress, _ path: String) -> Bool {
        guard FileIdentity(socketAt: path) != nil else { return false }
        let probe = socket(AF_UNIX, stream, 0)
        guard probe >= 0 else { return false }
        defer { _ = closeDescriptor(probe) }
        return address.withSockAddr { connect(probe, $0, $1) } != 0 && errno == ECONNREFUSED
    }

    private static func shared(_ first: Int32, count: Int) throws(SocketError) -> [Int32] {
        _ = fcntl(first, F_SETFD, FD_CLOEXEC)
        _ = fcntl(first, F_SETFL, fcntl(first, F_GETFL) | O_NONBLOCK)
        var descriptors = [first]
        while descriptors.count < count {
            let copy = fcntl(first, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else {
                let code = errno
                for descriptor in descriptors.dropFirst() { _ = closeDescriptor(descriptor) }
                throw SocketError(call: .socket, code: code)
            }
            descriptors.append(copy)
        }
        return descriptors
    }

    private static func option(_ descriptor: Int32, _ option: Int32) -> Int32? {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        return getsockopt(descriptor, SOL_SOCKET, option, &value, &length) == 0 ? value : nil
    }
}

private func systemBind(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32
{
    bind(descriptor, address, length)
}

/// The identity of a file, to tell it from another file at the same path.
package struct FileIdentity: Sendable, Hashable {
    private let device: UInt64
    private let number: UInt64

    /// The identity of the socket at a path, or `nil` if there is none.
    package init?(socketAt path: String) {
        var status = stat()
        guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
        device = UInt64(truncatingIfNeeded: status.st_dev)
        number = UInt64(truncatingIfNeeded: status.st_ino)
    }

    /// Removes the socket at a path if it is still this one.
    package func remove(_ path: String) {
        if FileIdentity(socketAt: path) == self { unlink(path) }
    }
}

extension ResolvedAddress {
    /// The address of a Unix domain socket; a path that begins with `@` is in the abstract namespace.
    ///
    /// `nil` if the path is empty, too long for an address, or contains NUL.
    package init?(unixPath path: String) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var bytes = Array(path.utf8)
        let isAbstract = bytes.first == 0x40
        if isAbstract { bytes[0] = 0 }
        guard !bytes.isEmpty, bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        guard !bytes.dropFirst().contains(0) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { target in
            withUnsafeBytes(of: address) { target.copyMemory(from: $0) }
        }
        let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        self.init(storage: storage, length: socklen_t(start + bytes.count + (isAbstract ? 0 : 1)))
    }
}
