// SPDX-License-Identifier: MIT

/// One response, as received.
struct Reply: Sendable, Equatable {
    struct Field: Sendable, Equatable {
        let name: String
        let value: String
    }

    var statusLine = ""
    var fields: [Field] = []
    var body: [UInt8] = []
    /// The data of each chunk, if the response was chunked.
    var chunks: [[UInt8]]?
    /// Whether the connection ended before the response did.
    var isCutOff = false

    var status: Int { Int(statusLine.dropFirst(9).prefix(3)) ?? 0 }
    var text: String { String(decoding: body, as: UTF8.self) }
    var closes: Bool { self["connection"]?.lowercased() == "close" }

    /// The first value of a field.
    subscript(_ name: String) -> String? { all(name).first }

    func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }
}

/// Parses a response as its bytes arrive.
///
/// Uses none of the code under test.
struct ReplyReader {
    let isHead: Bool
    var pending: [UInt8]
    let receive: () throws(RawClient.Failure) -> [UInt8]

    struct Ended: Error {}
    struct Malformed: Error { let what: String }

    mutating func read() throws -> Reply {
        var reply = Reply()
        let lines = try head()
        reply.statusLine = lines.first ?? ""
        guard reply.statusLine.hasPrefix("HTTP/1.1 ") else { throw Malformed(what: reply.statusLine) }
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw Malformed(what: line) }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            reply.fields.append(Reply.Field(name: String(line[..<colon]), value: String(value)))
        }
        guard !isHead, reply.status >= 200, reply.status != 204, reply.status != 304 else { return reply }
        do {
            try content(of: &reply)
        } catch is Ended {
            reply.isCutOff = true
        }
        return reply
    }

    private mutating func content(of reply: inout Reply) throws {
        if reply["transfer-encoding"] == "chunked" {
            reply.chunks = []
            while true {
                let size = try line()
                guard let count = Int(size, radix: 16) else { throw Malformed(what: size) }
                let chunk = try take(count)
                guard try line().isEmpty else { throw Malformed(what: "no line end behind a chunk") }
                if count == 0 { return }
                reply.chunks?.append(chunk)
                reply.body += chunk
            }
        } else if let length = reply["content-length"].flatMap({ Int($0) }) {
            reply.body = try take(length)
        } else {
            while true {
                reply.body += pending
                pending = try receive()
                if pending.isEmpty { return }
            }
        }
    }

    private mutating func head() throws -> [String] {
        var lines: [String] = []
        while true {
            let next = try line()
            if next.isEmpty { return lines }
            lines.append(next)
        }
    }

    private mutating func line() throws -> String {
        var scanned = 0
        while true {
            if let feed = pending[scanned...].firstIndex(of: 0x0A) {
                guard feed > 0, pending[feed - 1] == 0x0D else { throw Malformed(what: "a bare line feed") }
                defer { pending.removeFirst(feed + 1) }
                return String(decoding: pending[..<(feed - 1)], as: UTF8.self)
            }
            scanned = pending.count
            try more()
        }
    }

    private mutating func take(_ count: Int) throws -> [UInt8] {
        while pending.count < count { try more() }
        defer { pending.removeFirst(count) }
        return Array(pending[..<count])
    }

    private mutating func more() throws {
        let piece = try receive()
        guard !piece.isEmpty else { throw Ended() }
        pending += piece
    }
}
