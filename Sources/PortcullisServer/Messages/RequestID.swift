// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// The identifiers that one event loop gives to requests: 64 bits that do not repeat, as 13 letters and digits.
///
/// Short enough that a `String` of them takes no memory of its own. Not a secret, and not unpredictable: they name a line of the log.
struct RequestIDSource {
    /// The field that carries an identifier, in a request and in its answer.
    static let field: FieldName = "X-Request-Id"
    /// The longest one that is taken from a proxy.
    static let maxByteCount = 128

    private static let alphabet: StaticString = "0123456789abcdefghjkmnpqrstvwxyz"
    private static let characterCount = 13

    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// The next identifier: a counter, mixed so that two loops or two starts of the server don't count alike.
    mutating func next() -> String {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        mixed ^= mixed >> 31
        // SAFETY: as many bytes are written as are said, all of them ASCII.
        return String(unsafeUninitializedCapacity: Self.characterCount) { buffer in
            for index in 0..<Self.characterCount {
                buffer[index] = Self.alphabet.utf8Start[Int(mixed & 31)]
                mixed >>= 5
            }
            return Self.characterCount
        }
    }

    /// The identifier that a proxy gave a request, if it is one that can stand in any log and field as it is.
    static func given(_ head: RequestHead) -> String? {
        guard let (range, count) = head.find(field), count == 1, !range.isEmpty, range.count <= maxByteCount,
            head.bytes[range].allSatisfy({ CharacterClass.isToken68Character($0) || $0 == 0x3D })
        else { return nil }
        return head.text(range)
    }
}

extension Response {
    /// Puts the identifier of the request into the field, and into the body of a refusal beside its error code.
    ///
    /// RFC 6750 §3 and RFC 9457 §3.2 leave room for members of one's own.
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
