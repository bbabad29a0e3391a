// SPDX-License-Identifier: MIT

internal import COpenSSL
internal import Synchronization

/// The ticket keys of one server, shared by the handshakes on all its loops.
final class TicketKeyRing: Sendable {
    let keys = Mutex(TicketKeys())
}

extension TLSContext {
    /// Protects tickets with rotating keys.
    // SAFETY: the context owns the ring, and each session retains the context, so the ring outlives every
    // call.
    func protectTickets() throws(TLSError) {
        let ring = Unmanaged.passUnretained(ticketKeys).toOpaque()
        guard SSL_CTX_set_ex_data(context, 0, ring) == 1,
            SSL_CTX_set_tlsext_ticket_key_evp_cb(context, protectTicket) == 1
        else { throw .unavailable }
    }
}

/// OpenSSL's return values: an unreadable ticket leads to a full handshake, never to a failure.
private enum TicketVerdict {
    static let failed: Int32 = -1
    static let unreadable: Int32 = 0
    static let usable: Int32 = 1
    static let usableOnce: Int32 = 2
}

/// Gives OpenSSL the key for a new ticket, or for a ticket from a client.
// SAFETY: OpenSSL guarantees 16 bytes each for `name` and `vector`; the ring lives as long as the context.
private func protectTicket(
    _ ssl: OpaquePointer?, _ name: UnsafeMutablePointer<UInt8>?, _ vector: UnsafeMutablePointer<UInt8>?,
    _ cipher: OpaquePointer?, _ mac: OpaquePointer?, _ encrypts: Int32
) -> Int32 {
    guard let name, let vector, let pointer = SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), 0) else {
        return TicketVerdict.failed
    }
    let ring = Unmanaged<TicketKeyRing>.fromOpaque(pointer).takeUnretainedValue()
    let nameBuffer = UnsafeMutableRawBufferPointer(start: name, count: TicketKeys.nameByteCount)
    let now = MonotonicInstant.now()
    let current = ring.keys.withLock { $0.current(at: now) }
    if encrypts == 1 {
        guard let current, RAND_bytes(vector, Int32(EVP_MAX_IV_LENGTH)) == 1 else {
            return TicketVerdict.failed
        }
        nameBuffer.copyBytes(from: current.name)
        return COpenSSL_ticket_init(cipher, mac, current.secrets, vector, 1) == 1
            ? TicketVerdict.usable : TicketVerdict.failed
    }
    let found = ring.keys.withLock { $0.key(named: UnsafeRawBufferPointer(nameBuffer), at: now) }
    guard let found else { return TicketVerdict.unreadable }
    guard COpenSSL_ticket_init(cipher, mac, found.secrets, vector, 0) == 1 else {
        return TicketVerdict.failed
    }
    // RFC 8446 §C.4: in TLS 1.3 clients use a ticket once, and get a new one.
    let isLast = SSL_version(ssl) == TLS1_3_VERSION || found.name != current?.name
    return isLast ? TicketVerdict.usableOnce : TicketVerdict.usable
}
