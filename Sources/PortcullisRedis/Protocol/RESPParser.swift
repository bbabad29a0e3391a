// SPDX-License-Identifier: MIT

/// An incremental parser of RESP values.
///
/// Pure. Bounds the length, the number of elements and the depth of each value.
package struct RESPParser: Sendable {
    /// The error for invalid bytes and for values beyond the bounds.
    package struct Malformed: Error {}

    package static let maxByteCount = 4_194_304
    /// The maximum number of array elements in one value; the store's own replies have at most four.
    package static let maxElementCount = 64
    static let maxDepth = 4
    private static let maxLineByteCount = 4096

    /// Creates a parser without input.
    package init() {}

    private var buffer: [UInt8] = []
    private var start = 0

    /// Appends received bytes.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// Returns the next value, or `nil` while it is incomplete.
    package mutating func next() throws(Malformed) -> RESPValue? {
        var position = start
        var room = Self.maxElementCount
        guard let value = try value(at: &position, depth: 0, room: &room) else {
            guard buffer.count - start <= Self.maxByteCount + Self.maxLineByteCount else { throw Malformed() }
            return nil
        }
        start = position
        return value
    }

    private func value(at position: inout Int, depth: Int, room: inout Int) throws(Malformed) -> RESPValue? {
        guard depth <= Self.maxDepth else { throw Malformed() }
        guard let line = try line(at: &position), let kind = line.first else { return nil }
        let rest = line.dropFirst()
        switch kind {
        case UInt8(ascii: "+"): return .text(Array(rest))
        case UInt8(ascii: "-"): return .error(Array(rest))
        case UInt8(ascii: ":"): return .integer(try number(rest))
        case UInt8(ascii: "$"): return try bytes(count: number(rest), at: &position)
        case UInt8(ascii: "*"):
            return try array(count: number(rest), at: &position, depth: depth, room: &room)
        default: throw Malformed()
        }
    }

    private func line(at position: inout Int) throws(Malformed) -> ArraySlice<UInt8>? {
        let rest = buffer[position...]
        guard let end = rest.prefix(Self.maxLineByteCount).firstIndex(of: 0x0D) else {
            guard rest.count < Self.maxLineByteCount else { throw Malformed() }
            return nil
        }
        guard end + 1 < buffer.count else { return nil }
        guard buffer[end + 1] == 0x0A, end > position else { throw Malformed() }
        position = end + 2
        return rest[..<end]
    }

    private func number(_ digits: ArraySlice<UInt8>) throws(Malformed) -> Int64 {
        guard let number = Int64(String(decoding: digits, as: UTF8.self)) else { throw Malformed() }
        return number
    }

    private func bytes(count: Int64, at position: inout Int) throws(Malformed) -> RESPValue? {
        guard count != -1 else { return .null }
        guard (0...Int64(Self.maxByteCount)).contains(count) else { throw Malformed() }
        let end = position + Int(count)
        guard end + 1 < buffer.count else { return nil }
        guard buffer[end] == 0x0D, buffer[end + 1] == 0x0A else { throw Malformed() }
        defer { position = end + 2 }
        return .bytes(Array(buffer[position..<end]))
    }

    private func array(
        count: Int64, at position: inout Int, depth: Int, room: inout Int
    ) throws(Malformed) -> RESPValue? {
        guard count != -1 else { return .null }
        guard (0...Int64(room)).contains(count) else { throw Malformed() }
        room -= Int(count)
        var elements: [RESPValue] = []
        for _ in 0..<count {
            guard let element = try value(at: &position, depth: depth + 1, room: &room) else { return nil }
            elements.append(element)
        }
        return .array(elements)
    }
}

extension RESPParser.Malformed: CustomStringConvertible {
    /// A phrase for a log.
    package var description: String { "the answer of the store is malformed" }
}
