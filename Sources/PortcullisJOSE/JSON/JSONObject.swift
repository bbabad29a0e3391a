// SPDX-License-Identifier: MIT

/// The members of a JSON object: distinct names, in order.
///
/// Names are compared code point by code point. Looking a name up takes time proportional to the number of members.
///
/// RFC 8259 §4.
public struct JSONObject: Sendable, ExpressibleByDictionaryLiteral {
    /// One name and its value.
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
    public private(set) var members: [Member]

    /// Makes an object without members.
    public init() {
        members = []
    }

    /// Makes an object with its members in the order written.
    ///
    /// Traps if two names are equal.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self.init(distinct: elements)
    }

    init(distinct elements: [(String, JSONValue)]) {
        members = []
        for (name, value) in elements {
            precondition(self[name] == nil, "The member names of a JSON object are distinct.")
            members.append(Member(name: name, value: value))
        }
    }

    /// Takes over members whose names the parser has found to be distinct.
    init(checked members: [Member]) {
        self.members = members
    }

    /// The value with this name, or nothing.
    ///
    /// Setting replaces the value in its place, or appends; setting nothing removes.
    public subscript(name: String) -> JSONValue? {
        get {
            index(of: name).map { members[$0].value }
        }
        set {
            switch (index(of: name), newValue) {
            case (let index?, let value?): members[index] = Member(name: name, value: value)
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    private func index(of name: String) -> Int? {
        members.firstIndex { CodePoints.equal($0.name, name) }
    }
}

extension JSONObject: Hashable {
    /// Whether both have the same names with the same values, in whatever order.
    public static func == (first: JSONObject, second: JSONObject) -> Bool {
        first.members.count == second.members.count
            && first.members.allSatisfy { second[$0.name] == $0.value }
    }

    /// Feeds the number of members, since their order must not count.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(members.count)
    }
}
