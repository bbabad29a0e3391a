// SPDX-License-Identifier: MIT

import Foundation
import PortcullisJOSE
import Testing

@Suite("RFC 8259 Values decoded into types of the app's own")
struct JSONDecodingTests {
    /// What a decoder makes of a document: a value, or a kind of error at a place.
    private enum Outcome<Value: Equatable>: Equatable {
        case value(Value)
        case error(String)

        init(_ decode: () throws -> Value) {
            do {
                self = .value(try decode())
            } catch let error as DecodingError {
                self = .error(Self.describe(error))
            } catch {
                self = .error("\(error)")
            }
        }

        private static func describe(_ error: DecodingError) -> String {
            func place(_ path: [any CodingKey]) -> String {
                path.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
            }
            return switch error {
            case .typeMismatch(let type, let context): "not \(type) at \(place(context.codingPath))"
            case .valueNotFound(let type, let context): "no \(type) at \(place(context.codingPath))"
            case .keyNotFound(let key, let context):
                "no member \(key.stringValue) at \(place(context.codingPath))"
            // Foundation does not say where a number is that it cannot represent.
            case .dataCorrupted: "corrupted"
            @unknown default: "another error"
            }
        }
    }

    private func expectSame<Value: Decodable & Equatable>(
        as type: Value.Type, _ documents: String..., sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for document in documents {
            let parsed = try JSONValue.parse(Array(document.utf8))
            let ours = Outcome { try parsed.decoded(as: type) }
            let theirs = Outcome { try JSONDecoder().decode(type, from: Data(document.utf8)) }
            #expect(ours == theirs, "\(type) from \(document)", sourceLocation: sourceLocation)
        }
    }

    private struct Nested: Decodable, Equatable {
        struct Part: Decodable, Equatable {
            let name: String
            let count: UInt8?
        }

        let parts: [Part]
        let others: [String: [Int]]
        let note: String?
    }

    @Test func `objects, arrays and optional members`() throws {
        try expectSame(
            as: Nested.self,
            #"{"parts": [{"name": "a", "count": 1}, {"name": "b"}], "others": {"x": [1, 2], "y": []}}"#,
            #"{"parts": [{"name": "a", "count": null}], "others": {}, "note": "hello", "unknown": 1}"#,
            #"{"parts": [{"name": "a", "count": 256}], "others": {}}"#,
            #"{"parts": [{"name": 1}], "others": {}}"#, #"{"parts": [{}], "others": {}}"#,
            #"{"parts": [null], "others": {}}"#, #"{"parts": {}, "others": {}}"#,
            #"{"parts": null, "others": {}}"#, #"{"parts": [], "others": {"x": ["1"]}}"#,
            #"{"parts": [], "others": [1]}"#, #"{"others": {}}"#, "[]", "null", "1", #""text""#)
    }

    @Test(arguments: [
        "0", "-0", "1", "-1", "255", "256", "-129", "1.0", "1.5", "1e2", "12.50e1", "1E+3", "100e-2", "1e-1",
        "9223372036854775807", "9223372036854775808", "18446744073709551615", "1e18", "1e19", "1e400",
        "-1.7976931348623157e308", "0.1", "3.4028236e38", "1e1000000000000", "0e99", "true", "null", #""1""#,
        "9007199254740993.0", "[1]",
    ])
    func `numbers`(number: String) throws {
        try expectSame(as: [Int].self, "[\(number)]")
        try expectSame(as: [Int8].self, "[\(number)]")
        try expectSame(as: [UInt].self, "[\(number)]")
        try expectSame(as: [UInt64].self, "[\(number)]")
        try expectSame(as: [Double].self, "[\(number)]")
        try expectSame(as: [Float].self, "[\(number)]")
        // Foundation calls null another kind than Bool, where it says of all others that there is none.
        if number != "null" { try expectSame(as: [Bool].self, "[\(number)]") }
        try expectSame(as: [String].self, "[\(number)]")
        try expectSame(as: [Int?].self, "[\(number)]")
    }

    private enum Kind: String, Decodable { case one, two }
    private enum Choice: Decodable, Equatable { case first(Int), second(name: String, Kind) }

    @Test func `enumerations`() throws {
        try expectSame(as: [Kind].self, #"["one", "two"]"#, #"["three"]"#, "[1]", "[null]")
        try expectSame(
            as: [Choice].self, #"[{"first": {"_0": 1}}, {"second": {"name": "a", "_1": "two"}}]"#,
            #"[{"third": {}}]"#, #"[{}]"#, #"["first"]"#)
        try expectSame(as: [Int: Kind].self, #"{"1": "one"}"#, #"{"x": "one"}"#)
        try expectSame(as: [Kind: Int].self, #"["one", 1]"#, #"["one"]"#, #"{"one": 1}"#)
    }

    private class Base: Decodable {
        let id: Int
    }

    private final class Derived: Base, Equatable {
        let name: String
        private enum Keys: CodingKey { case name, base }

        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            name = try container.decode(String.self, forKey: .name)
            try super.init(
                from: container.contains(.base)
                    ? container.superDecoder(forKey: .base) : container.superDecoder())
        }

        static func == (first: Derived, second: Derived) -> Bool {
            first.id == second.id && first.name == second.name
        }
    }

    @Test func `superclasses`() throws {
        try expectSame(
            as: Derived.self, #"{"name": "a", "super": {"id": 1}}"#, #"{"name": "a", "base": {"id": 2}}"#,
            #"{"name": "a", "super": {"id": "1"}}"#)
    }

    private struct Pieces: Decodable, Equatable {
        var words: [String] = []
        var numbers: [Int] = []
        var keys: [String] = []
        private enum Keys: CodingKey { case list, members, known }

        init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: Keys.self)
            var list = try container.nestedUnkeyedContainer(forKey: .list)
            while !list.isAtEnd {
                if try list.decodeNil() { continue }
                if let word = try? list.decode(String.self) {
                    words.append(word)
                } else if var inner = try? list.nestedUnkeyedContainer() {
                    while !inner.isAtEnd { numbers.append(try inner.decode(Int.self)) }
                } else {
                    let object = try list.nestedContainer(keyedBy: Keys.self)
                    keys += object.allKeys.map(\.stringValue)
                }
            }
            if let count = list.count { numbers.append(count) }
            numbers.append(list.currentIndex)
            let members = try container.nestedContainer(keyedBy: Keys.self, forKey: .members)
            keys += members.allKeys.map(\.stringValue)
            if try members.decodeNil(forKey: .known) { keys.append("nil") }
        }
    }

    @Test func `containers by hand`() throws {
        try expectSame(
            as: Pieces.self,
            #"{"list": ["a", null, [1, 2], {"known": 1, "x": 2}], "members": {"known": null}}"#,
            #"{"list": [], "members": {"known": 1}}"#, #"{"list": [[1, "a"]], "members": {}}"#,
            #"{"list": [], "members": {}}"#, #"{"list": {}, "members": {}}"#,
            #"{"list": [], "members": []}"#, #"{"members": {}}"#)
    }

    private struct Beyond: Decodable, Equatable {
        init(from decoder: any Decoder) throws {
            var list = try decoder.unkeyedContainer()
            while true { _ = try list.decode(Int.self) }
        }
    }

    @Test func `an array has an end`() throws {
        try expectSame(as: Beyond.self, "[1, 2]", "[]")
    }

    @Test func `types of Foundation`() throws {
        try expectSame(as: [URL].self, #"["https://a.example/b?c#d", "relative"]"#)
        try expectSame(as: [URL?].self, #"[null, "https://a.example"]"#)
        try expectSame(as: [String: Data].self, #"{"a": "aGVsbG8=", "b": ""}"#)
        try expectSame(as: [Date].self, "[0, 1.5e9, -1.25]", #"["2026-01-01"]"#)
        try expectSame(as: [UUID].self, #"["B5E14A0C-6B7D-4D6E-9D5B-2D8B6C6E1F55"]"#)
        try expectSame(
            as: [Decimal].self,
            "[0, 1, -1, 12.50, -0.001, 1e10, 123456789012345678901234567890.12345, 1e-20]",
            "[340282366920938463463374607431768211455]")
        for (document, type) in [
            ("[1]", [URL].self as any Decodable.Type), ("[null]", [URL].self), (#"[""]"#, [URL].self),
            (#"["not base64!"]"#, [Data].self), ("[1e200]", [Decimal].self), (#"["1"]"#, [Decimal].self),
        ] {
            let parsed = try JSONValue.parse(Array(document.utf8))
            #expect(throws: DecodingError.self) { try parsed.decoded(as: type) }
        }
    }
}
