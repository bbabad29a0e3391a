// SPDX-License-Identifier: MIT

internal import CPlatform

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

/// System calls that connect a socket to another host.
package enum ConnectingSocket {
    /// Makes a non-blocking socket and starts to connect it.
    package static func start(to address: ResolvedAddress) throws(SocketError) -> (
        descriptor: Int32, isConnected: Bool
    ) {
        let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw SocketError(call: .socket, code: errno) }
        do throws(SocketError) {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
            if address.family != AF_UNIX { try setOption(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY) }
            #if !os(Linux)
                try setOption(descriptor, SOL_SOCKET, SO_NOSIGPIPE)
            #endif
            let code = address.withSockAddr { connect(descriptor, $0, $1) }
            guard code == 0 || errno == EINPROGRESS || errno == EINTR else {
                throw SocketError(call: .connect, code: errno)
            }
            return (descriptor, code == 0)
        } catch {
            _ = closeDescriptor(descriptor)
            throw error
        }
    }

    /// Whether the socket is connected (`true`) or still connecting (`false`).
    package static func outcome(of descriptor: Int32) -> Result<Bool, SocketError> {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
            return .failure(SocketError(call: .connect, code: errno))
        }
        guard code == 0 else { return .failure(SocketError(call: .connect, code: code)) }
        var peer = sockaddr_storage()
        var peerLength = socklen_t(MemoryLayout<sockaddr_storage>.size)
        // SAFETY: the storage is large enough for every address, and the system writes at most `peerLength`
        // bytes of it.
        let isConnected = withUnsafeMutablePointer(to: &peer) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getpeername(descriptor, $0, &peerLength) == 0
            }
        }
        if isConnected { return .success(true) }
        return errno == ENOTCONN ? .success(false) : .failure(SocketError(call: .connect, code: errno))
    }
}
