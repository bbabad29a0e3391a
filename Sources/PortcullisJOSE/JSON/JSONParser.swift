// SPDX-License-Identifier: MIT

extension JSONValue {
    /// Parses a whole document.
    ///
    /// Stricter than most parsers, because differences between parsers allow forged tokens: refuses duplicate
    /// names, invalid UTF-8, a byte order mark and anything after the value.
    ///
    /// RFC 8259 §2, §4, §8.1.
    package static func parse(
        _ bytes: [UInt8],
        limits: JSONLimits = .default
    ) throws(JSONError) -> JSONValue {
        guard bytes.count <= limits.maximumByteCount else {
            throw JSONError(reason: .tooLong, offset: limits.maximumByteCount)
        }
        var parser = JSONParser(bytes, limits: limits)
        return try parser.document()
    }
}

/// A recursive descent parser over a byte array; the depth limit bounds the recursion.
struct JSONParser {
    let bytes: [UInt8]
    var offset = 0
    private let maximumDepth: Int
    private var remainingMembers: Int

    init(_ bytes: [UInt8], limits: JSONLimits) {
        self.bytes = bytes
        maximumDepth = min(limits.maximumDepth, 128)
        remainingMembers = limits.maximumMemberCount
    }

    mutating func document() throws(JSONError) -> JSONValue {
        skipWhitespace()
        let result = try value(depth: 0)
        skipWhitespace()
        guard offset == bytes.count else { throw error(.trailingData) }
        return result
    }

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        switch try current() {
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        default: throw error(.unexpectedByte)
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONObject {
        try enter(depth: depth)
        return take(UInt8(ascii: "}")) ? JSONObject() : try object(continuing: [], depth: depth)
    }

    /// Reads the rest of an object, from a name on, after the members in `read`.
    mutating func object(
        continuing read: [JSONObject.Member], depth: Int
    ) throws(JSONError) -> JSONObject {
        var names = DistinctNames()
        var members = read
        // Most objects have a few members: growing one by one costs more than reserving space.
        members.reserveCapacity(8)
        repeat {
            skipWhitespace()
            let start = offset
            guard try current() == UInt8(ascii: "\"") else { throw error(.unexpectedByte) }
            let name = try string()
            guard names.insert(name, among: members) else {
                throw JSONError(reason: .duplicateName, offset: start)
            }
            skipWhitespace()
            guard try current() == UInt8(ascii: ":") else { throw error(.unexpectedByte) }
            offset += 1
            skipWhitespace()
            try countMember()
            members.append(.init(name: name, value: try value(depth: depth)))
            skipWhitespace()
        } while take(UInt8(ascii: ","))
        guard try current() == UInt8(ascii: "}") else { throw error(.unexpectedByte) }
        offset += 1
        return JSONObject(checked: members)
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONValue] {
        try enter(depth: depth)
        if take(UInt8(ascii: "]")) { return [] }
        var elements: [JSONValue] = []
        repeat {
            skipWhitespace()
            try countMember()
            elements.append(try value(depth: depth))
            skipWhitespace()
        } while take(UInt8(ascii: ","))
        guard try current() == UInt8(ascii: "]") else { throw error(.unexpectedByte) }
        offset += 1
        return elements
    }

    mutating func enter(depth: Int) throws(JSONError) {
        guard depth <= maximumDepth else { throw error(.tooDeep) }
        offset += 1
        skipWhitespace()
    }

    mutating func countMember() throws(JSONError) {
        guard remainingMembers > 0 else { throw error(.tooManyMembers) }
        remainingMembers -= 1
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for index in 0..<text.utf8CodeUnitCount {
            guard try current() == text.utf8Start[index] else { throw error(.unexpectedByte) }
            offset += 1
        }
        return value
    }

    // RFC 8259 §6: number = [ minus ] int [ frac ] [ exp ]
    private mutating func number() throws(JSONError) -> JSONNumber {
        let start = offset
        take(UInt8(ascii: "-"))
        if !take(UInt8(ascii: "0")) { try digits() }
        if take(UInt8(ascii: ".")) { try digits() }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            if !take(UInt8(ascii: "+")) { take(UInt8(ascii: "-")) }
            try digits()
        }
        // A delimiter must follow the number: 01, 1a and 1.2.3 are malformed.
        if offset < bytes.count, Self.continuesWord(bytes[offset]) { throw error(.malformedNumber) }
        return JSONNumber(checked: ascii(start..<offset))
    }

    private mutating func digits() throws(JSONError) {
        let start = offset
        while offset < bytes.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= bytes[offset] { offset += 1 }
        guard offset > start else { throw error(.malformedNumber) }
    }

    private static func continuesWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-"),
            UInt8(ascii: "_"):
            true
        default:
            false
        }
    }
}

extension JSONParser {
    func error(_ reason: JSONError.Reason) -> JSONError {
        JSONError(reason: reason, offset: offset)
    }

    func current() throws(JSONError) -> UInt8 {
        guard offset < bytes.count else { throw error(.unexpectedEnd) }
        return bytes[offset]
    }

    @discardableResult
    mutating func take(_ byte: UInt8) -> Bool {
        guard offset < bytes.count, bytes[offset] == byte else { return false }
        offset += 1
        return true
    }

    mutating func skipWhitespace() {
        while offset < bytes.count {
            switch bytes[offset] {
            case 0x20, 0x09, 0x0A, 0x0D: offset += 1
            default: return
            }
        }
    }
}

/// Finds a duplicate name without quadratic work: few names are compared, many are hashed.
private struct DistinctNames {
    private var hashed: Set<[UInt8]> = []

    // Bytes, because String hashes and compares by canonical equivalence.
    mutating func insert(_ name: String, among members: [JSONObject.Member]) -> Bool {
        guard members.count >= 16 else {
            return !members.contains { CodePoints.equal($0.name, name) }
        }
        if hashed.isEmpty { hashed = Set(members.map { Array($0.name.utf8) }) }
        return hashed.insert(Array(name.utf8)).inserted
    }
}
