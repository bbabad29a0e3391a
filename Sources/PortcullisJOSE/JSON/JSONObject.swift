// SPDX-License-Identifier: MIT

/// The members of a JSON object: distinct names, in order.
///
/// Names are compared code point by code point. A lookup takes time proportional to the number of members.
///
/// RFC 8259 §4.
public struct JSONObject: Sendable, ExpressibleByDictionaryLiteral {
    /// A name and its value.
    public struct Member: Sendable, Hashable {
        /// The name, after unescaping.
        public let name: String
        /// The value.
        public let value: JSONValue

        /// Whether both have the same name, code point by code point, and the same value.
        public static func == (first: Member, second: Member) -> Bool {
            CodePoints.equal(first.name, second.name) && first.value == second.value
        }
    }

    /// The members in the order of the document.
    public private(set) var members: [Member] {
        get {
            switch content {
            case .members(let members): members
            case .scanned(let scanned): scanned.allMembers
            }
        }
        set { content = .members(newValue) }
    }

    private var count: Int {
        switch content {
        case .members(let members): members.count
        case .scanned(let scanned): scanned.members.count
        }
    }

    /// How long the document is that the object was read from, if it is kept.
    var documentByteCount: Int? {
        if case .scanned(let scanned) = content { scanned.bytes.count } else { nil }
    }

    private var content: Content

    private enum Content: Sendable {
        case members([Member])
        case scanned(ScannedObject)
    }

    /// Creates an empty object.
    public init() {
        content = .members([])
    }

    /// Creates an object with the members in the order written.
    ///
    /// Traps if two names are equal.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(distinct: elements)
    }

    init(distinct elements: [(String, JSONValue)]) {
        var members: [Member] = []
        for (name, value) in elements {
            precondition(
                !members.contains { CodePoints.equal($0.name, name) },
                "The member names of a JSON object must be distinct.")
            members.append(Member(name: name, value: value))
        }
        content = .members(members)
    }

    /// Creates an object from members whose names the parser has found to be distinct.
    init(checked members: [Member]) {
        content = .members(members)
    }

    /// Creates an object from a scanned document, whose strings are decoded on demand.
    init(_ scanned: ScannedObject) {
        content = .scanned(scanned)
    }

    /// The value with this name, or `nil`.
    ///
    /// Setting a value replaces the old one in its place or appends; setting `nil` removes the member.
    public subscript(name: String) -> JSONValue? {
        get {
            switch content {
            case .members(let members): Self.index(of: name, members).map { members[$0].value }
            case .scanned(let scanned): scanned[name]
            }
        }
        set {
            var members = members
            content = .members([])
            defer { content = .members(members) }
            switch (Self.index(of: name, members), newValue) {
            case (let index?, let value?): members[index] = Member(name: name, value: value)
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// Whether the value with this name is this string, code point by code point.
    package func holds(_ text: String, for name: String) -> Bool {
        if case .scanned(let scanned) = content { return scanned.holds(text, for: name) }
        return self[name]?.string.map { CodePoints.equal($0, text) } ?? false
    }

    /// Whether there is a value with this name that is not `null`.
    package func hasValue(_ name: String) -> Bool {
        if case .scanned(let scanned) = content { return scanned.hasValue(name) }
        return self[name].map { !$0.isNull } ?? false
    }

    /// Whether the value with this name is a string; `nil` if there is none, or `null`.
    func hasString(_ name: String) -> Bool? {
        if case .scanned(let scanned) = content { return scanned.hasString(name) }
        return self[name].flatMap { $0.isNull ? nil : $0.string != nil }
    }

    private static func index(of name: String, _ members: [Member]) -> Int? {
        members.firstIndex { CodePoints.equal($0.name, name) }
    }
}

extension JSONObject: Hashable {
    /// Whether both have the same names with the same values, in any order.
    public static func == (first: JSONObject, second: JSONObject) -> Bool {
        first.count == second.count
            && first.members.allSatisfy { second[$0.name] == $0.value }
    }

    /// Hashes the number of members only, since their order does not matter.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
    }
}

extension JSONObject: CustomReflectable {
    /// The members, independent of their storage.
    public var customMirror: Mirror { Mirror(self, children: ["members": members]) }
}
