// SPDX-License-Identifier: MIT

/// The first line and the fields of a request: what the gate reads.
///
/// One immutable array of bytes with a table of offsets into it; names and values stay bytes until a caller
/// reads a `String`. To use the gate in another server, create one with ``init(method:target:fields:)``.
///
/// RFC 9112 §2.1, §3, §5.
public struct RequestHead: Sendable {
    /// The method.
    public var method: Method { storage.method }
    /// The version that the request line names.
    package var version: HTTPVersion { storage.version }
    /// The whole head as received, with the empty line that ends it.
    @inlinable package var bytes: [UInt8] { storage.bytes }
    /// The range of the request target in `bytes`.
    @inlinable package var targetRange: Range<Int> { storage.targetRange }
    /// The offsets of each field line in `bytes`, in order.
    @inlinable package var slots: [FieldSlot] { storage.slots }

    @usableFromInline let storage: Storage

    /// The contents of a head, shared by its copies: a head is passed on often, and a copy costs one retain.
    @usableFromInline final class Storage: Sendable {
        let method: Method
        let version: HTTPVersion
        @usableFromInline let bytes: [UInt8]
        @usableFromInline let targetRange: Range<Int>
        @usableFromInline let slots: [FieldSlot]

        init(
            method: Method, version: HTTPVersion, bytes: [UInt8], targetRange: Range<Int>, slots: [FieldSlot]
        ) {
            self.method = method
            self.version = version
            self.bytes = bytes
            self.targetRange = targetRange
            self.slots = slots
        }
    }

    /// The offsets of one field line in the bytes of its head.
    ///
    /// The value's range excludes the blanks around it.
    @usableFromInline package struct FieldSlot: Sendable, Hashable {
        package let known: KnownFieldName
        package let nameStart: UInt32
        package let nameEnd: UInt32
        package let valueStart: UInt32
        package let valueEnd: UInt32

        package init(known: KnownFieldName, name: Range<Int>, value: Range<Int>) {
            self.known = known
            nameStart = UInt32(truncatingIfNeeded: name.lowerBound)
            nameEnd = UInt32(truncatingIfNeeded: name.upperBound)
            valueStart = UInt32(truncatingIfNeeded: value.lowerBound)
            valueEnd = UInt32(truncatingIfNeeded: value.upperBound)
        }

        package var nameRange: Range<Int> { Int(nameStart)..<Int(nameEnd) }
        package var valueRange: Range<Int> { Int(valueStart)..<Int(valueEnd) }
    }

    package init(
        method: Method, version: HTTPVersion, bytes: [UInt8], targetRange: Range<Int>, slots: [FieldSlot]
    ) {
        storage = Storage(
            method: method, version: version, bytes: bytes, targetRange: targetRange, slots: slots)
    }

    /// Creates the head of a request that another server has already parsed.
    ///
    /// Does not check the framing fields or `Host`: the other server has done so. Drops blanks around values.
    ///
    /// - Throws: ``MalformedMessage`` for a method or name that is not a token, a target with characters that
    ///   no target may contain, or a value with control characters.
    public init(
        method: Method, target: String, fields: some Sequence<(String, String)> = [(String, String)]()
    ) throws(MalformedMessage) {
        guard !method.name.isEmpty, method.name.utf8.allSatisfy(CharacterClass.isTokenCharacter) else {
            throw .invalidMethod
        }
        let targetBytes = Array(target.utf8)
        let end = targetBytes.withUnsafeBytes { RequestLine.endOfTarget($0, from: 0) }
        guard !target.isEmpty, end == targetBytes.count else { throw .invalidTarget }
        var bytes = Array(method.name.utf8)
        bytes.append(0x20)
        let targetStart = bytes.count
        bytes += targetBytes
        let targetRange = targetStart..<bytes.count
        bytes += " HTTP/1.1\r\n".utf8
        var slots: [FieldSlot] = []
        for (name, value) in fields {
            slots.append(try Self.append(name, value, to: &bytes))
        }
        bytes += "\r\n".utf8
        self.init(method: method, version: .http1_1, bytes: bytes, targetRange: targetRange, slots: slots)
    }

    /// Creates the head of a request from the parts that swift-http-types' `HTTPRequest` and similar types have.
    ///
    /// Loses nothing: the authority, which those types take from `Host`, becomes a `Host` field again unless
    /// the fields still have it. Checks what ``init(method:target:fields:)`` checks.
    ///
    /// - Parameters:
    ///   - method: The name of the method.
    ///   - authority: The authority without user information; `nil` if it is among the fields or unknown.
    ///   - target: The request target with its query and its encoding; `nil` for `CONNECT`, whose target is the
    ///     authority.
    ///   - fields: The field lines, in order.
    /// - Throws: ``MalformedMessage`` as ``init(method:target:fields:)`` does, also for a missing target.
    ///
    /// RFC 9110 §7.2, RFC 9112 §3.2.
    public init(
        method: String, authority: String?, target: String?, fields: some Sequence<(String, String)>
    ) throws(MalformedMessage) {
        guard let method = Method(method) else { throw .invalidMethod }
        guard let target = target ?? (method == .connect ? authority : nil) else { throw .invalidTarget }
        var lines = Array(fields)
        let hasHost = lines.contains { name, value in
            FieldName(name) == .host && value.utf8.elementsEqual((authority ?? "").utf8)
        }
        if let authority, !hasHost { lines.insert(("Host", authority), at: 0) }
        try self.init(method: method, target: target, fields: lines)
    }

    private static func append(
        _ name: String, _ value: String, to bytes: inout [UInt8]
    ) throws(MalformedMessage) -> FieldSlot {
        guard !name.isEmpty, name.utf8.allSatisfy(CharacterClass.isTokenCharacter) else {
            throw .invalidFieldName
        }
        guard value.utf8.allSatisfy(CharacterClass.isFieldValueCharacter) else { throw .invalidFieldValue }
        let nameRange = bytes.count..<(bytes.count + name.utf8.count)
        bytes += name.utf8
        bytes += ": ".utf8
        var trimmed = Substring(value)
        while let first = trimmed.utf8.first, first == 0x20 || first == 0x09 { trimmed.removeFirst() }
        while let last = trimmed.utf8.last, last == 0x20 || last == 0x09 { trimmed.removeLast() }
        let valueRange = bytes.count..<(bytes.count + trimmed.utf8.count)
        bytes += trimmed.utf8
        bytes += "\r\n".utf8
        let known = bytes.withUnsafeBytes {
            KnownFieldName(classifying: UnsafeRawBufferPointer(rebasing: $0[nameRange]))
        }
        return FieldSlot(known: known, name: nameRange, value: valueRange)
    }

    /// The request target as received.
    ///
    /// RFC 9112 §3.2.
    public var target: String { String(decoding: bytes[targetRange], as: UTF8.self) }

    /// The fields, in order, with duplicates.
    public var fields: RequestFields { RequestFields(head: self) }

    /// Whether there is an `Authorization` field, valid or not.
    package var hasCredentials: Bool {
        for slot in slots where slot.known == .authorization { return true }
        return false
    }

    /// The range of the first `Authorization` value in `bytes`, and the number of such lines.
    package func findCredentials() -> (first: Range<Int>, count: Int)? {
        var first: Range<Int>?
        var count = 0
        for slot in slots where slot.known == .authorization {
            if first == nil { first = slot.valueRange }
            count += 1
        }
        return first.map { ($0, count) }
    }

    /// The range of a name's first value in `bytes`, and the number of its lines.
    package func find(_ name: FieldName) -> (first: Range<Int>, count: Int)? {
        var first: Range<Int>?
        var count = 0
        for slot in slots where matches(slot, name) {
            if first == nil { first = slot.valueRange }
            count += 1
        }
        return first.map { ($0, count) }
    }

    package func matches(_ slot: FieldSlot, _ name: FieldName) -> Bool {
        if name.known != .other { return slot.known == name.known }
        guard slot.known == .other else { return false }
        return bytes.withUnsafeBytes { name.matches(UnsafeRawBufferPointer(rebasing: $0[slot.nameRange])) }
    }

    package func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }
}

/// The fields of a request, decoded from the bytes of its head on access.
///
/// RFC 9110 §5.
public struct RequestFields: Sendable, Sequence {
    let head: RequestHead

    /// The first value of a name, or `nil` if there is none.
    public subscript(_ name: FieldName) -> String? {
        head.find(name).map { head.text($0.first) }
    }

    /// Every value of a name, in order.
    public func values(of name: FieldName) -> [String] {
        head.slots.filter { head.matches($0, name) }.map { head.text($0.valueRange) }
    }

    /// Whether there is a line of that name.
    public func contains(_ name: FieldName) -> Bool {
        head.find(name) != nil
    }

    /// Iterates over the lines in order: the name as received, the value without the blanks around it.
    public func makeIterator() -> AnyIterator<(name: String, value: String)> {
        var slots = head.slots.makeIterator()
        let head = head
        return AnyIterator {
            slots.next().map { (name: head.text($0.nameRange), value: head.text($0.valueRange)) }
        }
    }
}
