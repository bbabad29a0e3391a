// SPDX-License-Identifier: MIT

/// An object in a validated document, whose names and strings are decoded on demand.
///
/// A token has a dozen claims, of which a resource reads a few. Cached tokens also need less memory as one
/// array of bytes than as two dozen strings.
///
/// RFC 8259 §4.
struct ScannedObject: Sendable {
    struct Member: Sendable {
        /// The range of the name between its quotation marks: ASCII without escapes.
        let name: Range<Int>
        let value: Value
    }

    enum Value: Sendable {
        /// The range of a string between its quotation marks: ASCII without escapes.
        case text(Range<Int>)
        case other(JSONValue)
    }

    let bytes: [UInt8]
    let members: [Member]

    /// The value with this name, or `nil`.
    subscript(name: String) -> JSONValue? {
        index(of: name).map { value(members[$0].value) }
    }

    /// Whether the value with this name is this string.
    func holds(_ text: String, for name: String) -> Bool {
        guard let index = index(of: name) else { return false }
        switch members[index].value {
        case .text(let range):
            var text = text
            return text.withUTF8 { text in
                bytes.withUnsafeBytes {
                    EqualBytes.are(UnsafeRawBufferPointer(rebasing: $0[range]), UnsafeRawBufferPointer(text))
                }
            }
        case .other(let value): return value.string.map { CodePoints.equal($0, text) } ?? false
        }
    }

    /// Whether there is a value with this name that is not `null`.
    func hasValue(_ name: String) -> Bool {
        guard let index = index(of: name) else { return false }
        switch members[index].value {
        case .text: return true
        case .other(let value): return !value.isNull
        }
    }

    /// Whether the value with this name is a string; `nil` if there is none, or `null`.
    func hasString(_ name: String) -> Bool? {
        index(of: name).flatMap { index in
            switch members[index].value {
            case .text: true
            case .other(let value): value.isNull ? nil : value.string != nil
            }
        }
    }

    private func index(of name: String) -> Int? {
        var name = name
        return name.withUTF8 { name in
            bytes.withUnsafeBytes { Self.index(of: UnsafeRawBufferPointer(name), members, $0) }
        }
    }

    /// Whether keeping the document saves memory: it is small, or at least half of it is names and strings.
    var isCompact: Bool {
        guard bytes.count > Self.smallByteCount else { return true }
        var textByteCount = 0
        for member in members {
            textByteCount += member.name.count
            if case .text(let range) = member.value { textByteCount += range.count }
        }
        return textByteCount >= bytes.count / 2
    }

    private static let smallByteCount = 1024

    /// All members.
    var allMembers: [JSONObject.Member] {
        members.map { JSONObject.Member(name: text($0.name), value: value($0.value)) }
    }

    /// The index of the member with a name, or `nil`.
    @inline(__always)
    static func index(
        of name: UnsafeRawBufferPointer, _ members: [Member], _ bytes: UnsafeRawBufferPointer
    ) -> Int? {
        for index in members.indices {
            let range = members[index].name
            guard range.count == name.count else { continue }
            if EqualBytes.are(UnsafeRawBufferPointer(rebasing: bytes[range]), name) { return index }
        }
        return nil
    }

    private func value(_ value: Value) -> JSONValue {
        switch value {
        case .text(let range): .string(text(range))
        case .other(let value): value
        }
    }

    private func text(_ range: Range<Int>) -> String {
        bytes.withUnsafeBufferPointer {
            String(decoding: UnsafeBufferPointer(rebasing: $0[range]), as: UTF8.self)
        }
    }
}

extension JSONObject {
    /// Validates a document like ``JSONValue/parse(_:limits:)``, but decodes its strings on demand.
    ///
    /// Returns `nil`, without validating the document, if it is not an object.
    init?(scanning bytes: [UInt8], limits: JSONLimits) throws(JSONError) {
        guard bytes.count <= limits.maximumByteCount else { return nil }
        var parser = JSONParser(bytes, limits: limits)
        guard let object = try parser.scannedDocument() else { return nil }
        self = object
    }
}

extension JSONParser {
    /// The number of members above which strings are decoded at once: each new name is compared with all
    /// others.
    static let maximumScannedMemberCount = 64

    /// Validates a document like ``document()``, but does not decode the strings of an object if it has few
    /// names and all are plain ASCII.
    ///
    /// - Returns: `nil`, without validating the document, if it is not an object.
    mutating func scannedDocument() throws(JSONError) -> JSONObject? {
        skipWhitespace()
        guard try current() == UInt8(ascii: "{") else { return nil }
        try enter(depth: 1)
        let object = take(UInt8(ascii: "}")) ? JSONObject() : try scannedObject()
        skipWhitespace()
        guard offset == bytes.count else { throw error(.trailingData) }
        return object
    }

    private mutating func scannedObject() throws(JSONError) -> JSONObject {
        var members: [ScannedObject.Member] = []
        members.reserveCapacity(12)
        repeat {
            guard members.count < Self.maximumScannedMemberCount, let name = try scannedName(members) else {
                // Continue at this name with the full parser, so that nothing is parsed twice.
                let read = ScannedObject(bytes: bytes, members: members).allMembers
                return try object(continuing: read, depth: 1)
            }
            members.append(.init(name: name, value: try scannedValue()))
            skipWhitespace()
        } while take(UInt8(ascii: ","))
        guard try current() == UInt8(ascii: "}") else { throw error(.unexpectedByte) }
        offset += 1
        let scanned = ScannedObject(bytes: bytes, members: members)
        return scanned.isCompact ? JSONObject(scanned) : JSONObject(checked: scanned.allMembers)
    }

    /// Reads a name and the colon after it; `nil` if the name is not plain ASCII.
    private mutating func scannedName(_ members: [ScannedObject.Member]) throws(JSONError) -> Range<Int>? {
        skipWhitespace()
        let start = offset
        guard try current() == UInt8(ascii: "\"") else { throw error(.unexpectedByte) }
        guard let name = plainString() else { return nil }
        let isRepeated = bytes.withUnsafeBytes { bytes in
            ScannedObject.index(of: UnsafeRawBufferPointer(rebasing: bytes[name]), members, bytes) != nil
        }
        guard !isRepeated else { throw JSONError(reason: .duplicateName, offset: start) }
        skipWhitespace()
        guard try current() == UInt8(ascii: ":") else { throw error(.unexpectedByte) }
        offset += 1
        return name
    }

    private mutating func scannedValue() throws(JSONError) -> ScannedObject.Value {
        skipWhitespace()
        try countMember()
        if try current() == UInt8(ascii: "\""), let text = plainString() { return .text(text) }
        return .other(try value(depth: 1))
    }

    /// Reads an ASCII string without escapes at the current quotation mark.
    ///
    /// Returns `nil`, without moving, for any other string.
    private mutating func plainString() -> Range<Int>? {
        let start = offset + 1
        let end: Int? = bytes.withUnsafeBufferPointer { bytes in
            for index in start..<bytes.count {
                let byte = bytes[index]
                if byte == UInt8(ascii: "\"") { return index }
                guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\\") else { return nil }
            }
            return nil
        }
        guard let end else { return nil }
        offset = end + 1
        return start..<end
    }
}
