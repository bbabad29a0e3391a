// SPDX-License-Identifier: MIT

/// The distributed trace that a request belongs to.
///
/// Identifies log lines and spans; it is no credential, and grants nothing.
///
/// W3C Trace Context, Level 2.
public struct TraceContext: Sendable, Hashable {
    private let id: (high: UInt64, low: UInt64)
    private let parent: UInt64
    private let link: (high: UInt64, low: UInt64)?
    /// Whether the caller may have recorded the trace.
    ///
    /// `false` where the trace begins here: the decision is the app's.
    public let isSampled: Bool
    /// Whether at least the last 14 digits of the ID are random.
    public let isRandom: Bool
    /// The value of `tracestate` to pass on; empty if there is none or it is malformed.
    ///
    /// At most ``maxStateByteCount`` bytes. Trace Context §3.3.
    public let state: String

    /// The longest `tracestate` that is passed on: 512 bytes; entries are left out whole.
    ///
    /// Trace Context §3.3.1.5.
    public static let maxStateByteCount = 512

    /// The trace's ID: 32 hexadecimal digits in lower case, not all of them zero.
    public var traceID: String { Self.digits(id.high) + Self.digits(id.low) }
    /// The ID of the caller's span, 16 digits; `nil` where the trace begins here.
    public var parentID: String? { parent == 0 ? nil : Self.digits(parent) }
    /// The ID of the trace that the request named and that was not continued, because its sender is not trusted;
    /// otherwise `nil`.
    public var linkedTraceID: String? { link.map { Self.digits($0.high) + Self.digits($0.low) } }

    /// The value of `traceparent` for a request on behalf of this one, with a span ID of its own.
    ///
    /// Trace Context §3.2.
    ///
    /// - Parameter spanID: The ID of the span that sends the request; not zero. Default: a random one.
    public func traceparent(spanID: UInt64 = .random(in: 1 ... .max)) -> String {
        "00-\(traceID)-\(Self.digits(spanID))-0\((isSampled ? 1 : 0) | (isRandom ? 2 : 0))"
    }

    /// Starts a trace.
    package init(seed: TraceSeed, linkingTo stranger: TraceContext? = nil) {
        // All zero is invalid.
        id = (seed.high, seed.low == 0 ? 1 : seed.low)
        parent = 0
        link = stranger?.id
        isSampled = false
        isRandom = true
        state = ""
    }

    /// Continues the trace that a request names; `nil` if it names none, two, or a malformed one.
    ///
    /// Malformed fields are never an error for the client. Trace Context §4.3.
    package init?(_ head: RequestHead) {
        guard let (range, count) = head.find(Self.parentField), count == 1,
            let read = Self.read(head.bytes[range])
        else { return nil }
        id = read.id
        parent = read.parent
        link = nil
        isSampled = read.flags & 1 != 0
        isRandom = read.flags & 2 != 0
        state = TraceState.joined(head)
    }

    /// The trace of a request: the one that it names if its sender is trusted, otherwise a new one.
    package static func of(_ head: RequestHead, isTrusted: Bool, seed: TraceSeed) -> TraceContext {
        let named = TraceContext(head)
        if isTrusted, let named { return named }
        return TraceContext(seed: seed, linkingTo: named)
    }

    package static let parentField: FieldName = "traceparent"

    /// Both are the same trace with the same parent, state and link.
    public static func == (first: TraceContext, second: TraceContext) -> Bool {
        first.id == second.id && first.parent == second.parent && first.linkedTraceID == second.linkedTraceID
            && first.isSampled == second.isSampled && first.isRandom == second.isRandom
            && first.state == second.state
    }

    /// Hashes the ID and the parent.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(id.high)
        hasher.combine(id.low)
        hasher.combine(parent)
    }

    // MARK: Reading

    private typealias Read = (id: (high: UInt64, low: UInt64), parent: UInt64, flags: UInt64)

    /// Reads `version "-" trace-id "-" parent-id "-" trace-flags`; of later versions only these four parts.
    ///
    /// Trace Context §3.2.2, §4.
    private static func read(_ value: ArraySlice<UInt8>) -> Read? {
        let text = Array(value)
        guard text.count >= 55, text[2] == 0x2D, text[35] == 0x2D, text[52] == 0x2D,
            let version = number(text[0..<2]), version != 0xFF,
            text.count == 55 || (version != 0 && text[55] == 0x2D),
            let high = number(text[3..<19]), let low = number(text[19..<35]),
            let parent = number(text[36..<52]), let flags = number(text[53..<55]),
            high | low != 0, parent != 0
        else { return nil }
        return ((high, low), parent, flags)
    }

    /// Digits in lower case only.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for digit in digits {
            guard !(0x41...0x46).contains(digit), let value = CharacterClass.hexadecimalValue(digit) else {
                return nil
            }
            number = number << 4 | UInt64(value)
        }
        return number
    }

    private static func digits(_ number: UInt64) -> String {
        let text = String(number, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}

/// The random bytes of a trace that begins with a request.
package struct TraceSeed: Sendable, Hashable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64 = .random(in: 0 ... .max), low: UInt64 = .random(in: 1 ... .max)) {
        self.high = high
        self.low = low
    }
}
