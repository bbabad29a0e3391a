// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// A route's path with parameters: `{name}` for one segment, a final `{name...}` for the rest.
package struct PathPattern: Sendable, Hashable, CustomStringConvertible {
    package enum Segment: Sendable, Hashable {
        case literal([UInt8])
        case parameter(String)
        case rest(String)
    }

    /// Why a text is not a pattern.
    package enum Malformation: Error, Sendable, Hashable {
        case noSlash, emptySegment, dotSegment, partialSegment, restBeforeEnd, name, repeatedName, character
        case percentEncoding, unreachable

        /// The rule, as the end of a sentence.
        package var sentence: String {
            switch self {
            case .noSlash: "must start with a slash"
            case .emptySegment: "must not have an empty segment"
            case .dotSegment: "must not have dot segments"
            case .partialSegment: "must have parameters as whole segments: \"/{name}\""
            case .restBeforeEnd: "must have \"{name...}\" as its last segment only"
            case .name: "must name its parameters with letters, digits and underscores"
            case .repeatedName: "must not use a parameter name twice"
            case .character: "must be a path in its URL spelling, percent-encoded, without a query"
            case .percentEncoding: "must have two hexadecimal digits after each percent sign"
            case .unreachable:
                "must be UTF-8 without encoded dot segments, slashes, backslashes or NUL: "
                    + "the server refuses requests for such paths"
            }
        }
    }

    package let description: String
    package let segments: [Segment]

    /// Parses a pattern.
    package init(_ text: String) throws(Malformation) {
        description = text
        let bytes = Array(text.utf8)
        guard bytes.first == 0x2F else { throw .noSlash }
        var segments: [Segment] = []
        var names = 0
        var start = 1
        while start <= bytes.count, bytes.count > 1 {
            let end = bytes[start...].firstIndex(of: 0x2F) ?? bytes.count
            let segment = try Self.segment(bytes[start..<end], isLast: end == bytes.count)
            if segment.name != nil { names += 1 }
            segments.append(segment)
            start = end + 1
        }
        guard names < 2 || Set(segments.compactMap(\.name)).count == names else { throw .repeatedName }
        self.segments = segments
    }

    private static func segment(_ part: ArraySlice<UInt8>, isLast: Bool) throws(Malformation) -> Segment {
        guard part.contains(0x7B) || part.contains(0x7D) else {
            // A final empty segment is a trailing slash, which is significant.
            guard isLast || !part.isEmpty else { throw .emptySegment }
            return .literal(try literal(part))
        }
        guard part.first == 0x7B, part.last == 0x7D else { throw .partialSegment }
        var name = part.dropFirst().dropLast()
        let isRest = name.suffix(3).elementsEqual("...".utf8)
        if isRest { name = name.dropLast(3) }
        guard isLast || !isRest else { throw .restBeforeEnd }
        guard let first = name.first, !CharacterClass.isDigit(first), name.allSatisfy(isNameCharacter) else {
            throw .name
        }
        let text = String(decoding: name, as: UTF8.self)
        return isRest ? .rest(text) : .parameter(text)
    }

    private static func isNameCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
        default: false
        }
    }

    /// A literal segment with normalized percent-encoding, as in normalized requests.
    ///
    /// RFC 3986 §6.2.2.
    private static func literal(_ part: ArraySlice<UInt8>) throws(Malformation) -> [UInt8] {
        // Nothing to normalise in most segments.
        if part.allSatisfy(isPlain), !isDots(part) { return Array(part) }
        guard
            part.allSatisfy({ byte in
                (CharacterClass.isTargetCharacter(byte) && byte != 0x3F)
                    || CharacterClass.isRawPathCharacter(byte)
            })
        else {
            throw .character
        }
        guard !isDots(part) else { throw .dotSegment }
        guard isPercentEncoded(part) else { throw .percentEncoding }
        do throws(MalformedMessage) {
            let path = try RequestPath("/" + String(decoding: part, as: UTF8.self))
            return Array(path.bytes[path.range].dropFirst())
        } catch {
            throw .unreachable
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        isNameCharacter(byte) || byte == 0x2D || byte == 0x2E || byte == 0x7E
    }

    private static func isDots(_ part: ArraySlice<UInt8>) -> Bool {
        part.count <= 2 && !part.isEmpty && part.allSatisfy { $0 == 0x2E }
    }

    private static func isPercentEncoded(_ part: ArraySlice<UInt8>) -> Bool {
        var rest = part[...]
        while let percent = rest.firstIndex(of: 0x25) {
            let digits = rest[percent...].dropFirst().prefix(2)
            guard digits.count == 2, digits.allSatisfy({ CharacterClass.hexadecimalValue($0) != nil }) else {
                return false
            }
            rest = rest[percent...].dropFirst(3)
        }
        return true
    }
}

extension PathPattern.Segment {
    package var name: String? {
        switch self {
        case .literal: nil
        case .parameter(let name), .rest(let name): name
        }
    }
}

extension PathPattern.Malformation: CustomStringConvertible {
    /// The rule, as the end of a sentence.
    package var description: String { sentence }
}
