// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// Generates the request IDs of one event loop: 64 bits that do not repeat, as 13 letters and digits.
///
/// Short enough for a `String` without heap allocation. Not secret and not unpredictable: an ID identifies a
/// line of the log.
struct RequestIDSource {
    /// The field that carries the ID, in a request and in its response.
    static let field: FieldName = "X-Request-Id"
    /// The longest ID accepted from a proxy.
    static let maxByteCount = 128

    private static let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"
    private static let characterCount = 13

    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// The next ID: a counter, mixed so that loops and server starts give different sequences.
    mutating func next() -> String {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        // SAFETY: exactly `characterCount` bytes are written, all of them ASCII.
        return String(unsafeUninitializedCapacity: Self.characterCount) { buffer in
            for index in 0..<Self.characterCount {
                buffer[index] = Self.alphabet.utf8Start[Int(mixed & 31)]
                mixed >>= 5
            }
            return Self.characterCount
        }
    }

    /// The ID that a proxy gave a request, if it is safe in any log and field.
    static func given(_ head: RequestHead) -> String? {
        guard let (range, count) = head.find(field), count == 1, !range.isEmpty, range.count <= maxByteCount,
            head.bytes[range].allSatisfy({ CharacterClass.isToken68Character($0) || $0 == 0x3D })
        else { return nil }
        return head.text(range)
    }
}

/// Generates the seeds of new traces on one event loop: 128 bits that do not repeat.
///
/// Not secret: a trace ID identifies log lines and spans.
struct TraceSeedSource {
    private var high = UInt64.random(in: .min ... .max)
    private var low = UInt64.random(in: .min ... .max)

    mutating func next() -> TraceSeed {
        high &+= 0x9E37_79B9_7F4A_7C15
        low &+= 0xD1B5_4A32_D192_ED03
        return TraceSeed(high: Self.mixed(high), low: Self.mixed(low))
    }

    @inline(__always)
    private static func mixed(_ state: UInt64) -> UInt64 {
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

extension Response {
    /// Adds the request ID as a field, and to the JSON body of a refusal.
    ///
    /// RFC 6750 §3 and RFC 9457 §3.2 allow additional members.
    mutating func name(_ id: String) {
        fields[RequestIDSource.field] = id
        guard refusalReason != nil, case .bytes(var content) = body, content.last == 0x7D, content.count > 2
        else { return }
        content.removeLast()
        content += ",\"request_id\":\"".utf8
        content += id.utf8
        content += "\"}".utf8
        body = .bytes(content)
    }
}
