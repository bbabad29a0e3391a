// SPDX-License-Identifier: MIT

/// The fields of a response, in order, with duplicates.
///
/// RFC 9110 §5.
public struct Fields: Sendable, Hashable, ExpressibleByDictionaryLiteral, Sequence {
    /// One field line.
    public struct Field: Sendable, Hashable {
        /// The name.
        public let name: FieldName
        /// The value, without CR, LF or NUL.
        public let value: String

        package init(name: FieldName, value: String) {
            self.name = name
            self.value = value
        }

        /// `Cache-Control: no-store`, which most responses carry.
        ///
        /// RFC 9111 §5.2.2.5.
        package static let noStore = Field(name: .cacheControl, value: "no-store")
    }

    private var list: [Field] = []
    /// Whether ``Field/noStore`` follows the list.
    ///
    /// Most responses of protected routes end with it; a flag needs no allocation.
    private(set) var endsWithNoStore = false

    private var lines: [Field] { endsWithNoStore ? list + [.noStore] : list }

    /// Moves `no-store` into the list, before a change.
    private mutating func materializeNoStore() {
        guard endsWithNoStore else { return }
        list.append(.noStore)
        endsWithNoStore = false
    }

    /// Whether both have the same lines in the same order.
    public static func == (first: Fields, second: Fields) -> Bool { first.lines == second.lines }

    /// Hashes the lines in order.
    public func hash(into hasher: inout Hasher) { hasher.combine(lines) }

    /// Creates an empty list.
    public init() {}

    /// Creates a list of these lines, in this order.
    ///
    /// Traps on a value that ``isValid(_:)`` rejects.
    public init(dictionaryLiteral elements: (FieldName, String)...) {
        for (name, value) in elements { append(value, for: name) }
    }

    /// Whether there are no lines.
    public var isEmpty: Bool { list.isEmpty && !endsWithNoStore }

    /// The number of lines.
    public var count: Int { list.count + (endsWithNoStore ? 1 : 0) }

    /// The first value of a name; setting it replaces every line of that name, setting `nil` removes them.
    public subscript(_ name: FieldName) -> String? {
        get { lines.first { $0.name == name }?.value }
        set {
            materializeNoStore()
            list.removeAll { $0.name == name }
            if let newValue { append(newValue, for: name) }
        }
    }

    /// Every value of a name, in order.
    public func values(of name: FieldName) -> [String] {
        lines.filter { $0.name == name }.map(\.value)
    }

    /// Whether there is a line of that name.
    public func contains(_ name: FieldName) -> Bool {
        // By index, because an iterator retains and releases.
        for index in list.indices where list[index].name == name { return true }
        return endsWithNoStore && name == .cacheControl
    }

    /// Whether there is a line of the name `Cache-Control`.
    package var haveCacheControl: Bool {
        for index in list.indices where list[index].name.known == .cacheControl { return true }
        return endsWithNoStore
    }

    /// Adds a line at the end.
    ///
    /// Traps on CR, LF, NUL or another control character in the value: check an untrusted value with
    /// ``isValid(_:)`` first. RFC 9110 §5.5.
    public mutating func append(
        _ value: String, for name: FieldName, file: StaticString = #fileID, line: UInt = #line
    ) {
        endUnless(
            Self.isValid(value),
            "A field value has no control characters but the tab, and no blanks at its ends (RFC 9110 §5.5).",
            file: file, line: line)
        append(Field(name: name, value: value))
    }

    /// Adds `Cache-Control: no-store` at the end; costs no allocation.
    package mutating func appendNoStore() {
        materializeNoStore()
        endsWithNoStore = true
    }

    /// Makes space for this many lines.
    package mutating func reserveCapacity(_ count: Int) { list.reserveCapacity(count) }

    /// Adds a line at the end that is already valid: from another list, or a constant.
    package mutating func append(_ field: Field) {
        materializeNoStore()
        list.append(field)
    }

    /// Whether a string is a valid field value: no control characters except the tab, no blanks at its ends.
    ///
    /// RFC 9110 §5.5.
    public static func isValid(_ value: String) -> Bool {
        var value = value
        return value.withUTF8 { bytes in
            for byte in bytes where !CharacterClass.isFieldValueCharacter(byte) { return false }
            guard let first = bytes.first, let last = bytes.last else { return true }
            return first != 0x20 && first != 0x09 && last != 0x20 && last != 0x09
        }
    }

    /// The indices of all lines, except for a ``Field/noStore`` at the end.
    var listed: Range<Int> { list.indices }

    /// A line by its index: for code that runs for every response, because an iterator retains and releases.
    subscript(listed index: Int) -> Field { list[index] }

    /// Iterates over the lines in order.
    public func makeIterator() -> IndexingIterator<[Field]> {
        lines.makeIterator()
    }
}
