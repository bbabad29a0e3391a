// SPDX-License-Identifier: MIT

internal import CPlatform

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// Listening sockets on one address, one for each event loop; the system spreads connections over them.
package struct ListeningSockets: Sendable {
    package let descriptors: [Int32]
    package let address: SocketAddress

    /// Binds `count` sockets to the first address of the host that allows it.
    ///
    /// Port 0 means any free port.
    ///
    /// Binds the first socket without `SO_REUSEPORT`, so that a port in use by another program is an error,
    /// even if that program shares it.
    package init(host: String, port: Int, count: Int, backlog: Int32 = 1024) throws(SocketError) {
        var failure = SocketError(call: .resolve, code: EAI_NONAME)
        for address in try SocketAddress.resolve(host: host, port: port, passive: true) {
            do throws(SocketError) {
                self = try Self(address, count: count, backlog: backlog)
                return
            } catch {
                failure = error
            }
        }
        throw failure
    }

    init(descriptors: [Int32], address: SocketAddress) {
        self.descriptors = descriptors
        self.address = address
    }

    private init(_ address: ResolvedAddress, count: Int, backlog: Int32) throws(SocketError) {
        var descriptors: [Int32] = []
        do throws(SocketError) {
            let first = try Self.bound(to: address, sharing: false)
            descriptors.append(first)
            let actual = try Self.localAddress(of: first)
            try Self.share(first)
            for _ in 1..<max(1, count) {
                descriptors.append(try Self.bound(to: actual.resolved, sharing: true))
            }
            for descriptor in descriptors where listen(descriptor, backlog) != 0 {
                throw SocketError(call: .listen, code: errno)
            }
            self.descriptors = descriptors
            self.address = actual.address
        } catch {
            for descriptor in descriptors { _ = closeDescriptor(descriptor) }
            throw error
        }
    }

    private static func bound(to address: ResolvedAddress, sharing: Bool) throws(SocketError) -> Int32 {
        let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SocketError(call: .socket, code: errno) }
        do throws(SocketError) {
            try setOption(descriptor, SOL_SOCKET, SO_REUSEADDR)
            if sharing { try share(descriptor) }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
            guard address.withSockAddr({ bind(descriptor, $0, $1) }) == 0 else {
                throw SocketError(call: .bind, code: errno)
            }
            return descriptor
        } catch {
            _ = closeDescriptor(descriptor)
            throw error
        }
    }

    private static func share(_ descriptor: Int32) throws(SocketError) {
        try setOption(descriptor, SOL_SOCKET, SO_REUSEPORT)
    }

    static func localAddress(
        of descriptor: Int32
    ) throws(SocketError) -> (address: SocketAddress, resolved: ResolvedAddress) {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // SAFETY: the storage is large enough for every address, and the system writes at most `length` bytes
        // of it.
        let code = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
        guard code == 0 else { throw SocketError(call: .bind, code: errno) }
        return (SocketAddress(storage), ResolvedAddress(storage: storage, length: length))
    }
}

package func setOption(_ descriptor: Int32, _ level: Int32, _ option: Int32) throws(SocketError) {
    var one: Int32 = 1
    guard setsockopt(descriptor, level, option, &one, socklen_t(MemoryLayout<Int32>.size)) == 0 else {
        throw SocketError(call: .option, code: errno)
    }
}

/// Closes a descriptor that no event loop watches.
package func closeDescriptor(_ descriptor: Int32) -> Int32 {
    #if canImport(Glibc)
        Glibc.close(descriptor)
    #else
        Darwin.close(descriptor)
    #endif
}

/// Opens `/dev/null`, to reserve a descriptor.
package func nullDevice() -> Int32? {
    let descriptor = open("/dev/null", O_RDONLY | O_CLOEXEC)
    return descriptor < 0 ? nil : descriptor
}

/// The most descriptors that the process may have open.
package func maxDescriptorCount() -> Int {
    #if canImport(Glibc)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    #else
        let resource = RLIMIT_NOFILE
    #endif
    var limit = rlimit()
    guard getrlimit(resource, &limit) == 0 else { return .max }
    return Int(clamping: limit.rlim_cur)
}
