// SPDX-License-Identifier: MIT

import PortcullisTransport
import Testing

@Suite("RFC 9325 §3.4 Keys of session tickets")
struct RFC9325_3_4_TicketKeys {
    private let start = MonotonicInstant.now()
    private let lifetime = TicketKeys.lifetime

    /// The name of the key for new tickets.
    private func current(_ keys: inout TicketKeys, after time: Duration = .zero) throws -> [UInt8] {
        let key = keys.current(at: start + time)
        return try #require(key).name
    }

    private func has(_ keys: TicketKeys, _ name: [UInt8], after time: Duration) -> Bool {
        name.withUnsafeBytes { keys.key(named: $0, at: start + time) != nil }
    }

    @Test func `a key encrypts tickets for twelve hours, and decrypts for twelve more`() throws {
        var keys = TicketKeys()
        let first = try current(&keys)
        #expect(first.count == 16)
        let later = try current(&keys, after: .seconds(12 * 3600 - 1))
        #expect(later == first)
        let second = try current(&keys, after: lifetime)
        #expect(second != first)
        #expect(has(keys, first, after: lifetime))
        #expect(has(keys, second, after: lifetime))
        #expect(!has(keys, first, after: lifetime * 2))
        #expect(has(keys, second, after: lifetime * 2))
    }

    @Test func `a key that was idle for a day decrypts no ticket`() throws {
        var keys = TicketKeys()
        let first = try current(&keys)
        #expect(!has(keys, first, after: lifetime * 3))
        _ = try current(&keys, after: lifetime * 3)
        #expect(!has(keys, first, after: lifetime * 3))
    }

    @Test func `names of another server's keys are unknown`() throws {
        var (keys, others) = (TicketKeys(), TicketKeys())
        _ = try current(&keys)
        let foreign = try current(&others)
        #expect(!has(keys, foreign, after: .zero) && !has(keys, [], after: .zero))
    }
}
