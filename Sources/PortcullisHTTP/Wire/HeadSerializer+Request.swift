// SPDX-License-Identifier: MIT

extension HeadSerializer {
    /// Appends the head of a request that this package's HTTP client sends.
    ///
    /// Frames the body with `Content-Length`; sends `Content-Length: 0` only for methods that usually have a
    /// body. RFC 9110 §8.6.
    ///
    /// - Parameters:
    ///   - target: Path and query.
    ///   - host: The authority of the server, the value of `Host`.
    ///   - fields: The other fields; `Host` and the fields that frame the message are left out.
    /// - Throws: ``MalformedMessage`` for a method, target or host that the grammar does not allow.
    package static func appendRequest(
        method: Method,
        target: String,
        host: String,
        fields: Fields,
        bodyByteCount: Int,
        keepAlive: Bool = true,
        to output: inout [UInt8]
    ) throws(MalformedMessage) {
        try appendRequestWithoutEnd(method: method, target: target, host: host, fields: fields, to: &output)
        appendEnd(method: method, bodyByteCount: bodyByteCount, keepAlive: keepAlive, to: &output)
    }

    /// Appends the head without the part that depends on the body: the framing and the empty line.
    ///
    /// - Parameter isAbsolute: Whether the target is sent in absolute form, as to a proxy. RFC 9112 §3.2.2.
    /// - Throws: ``MalformedMessage`` for a method, target or host that the grammar does not allow.
    package static func appendRequestWithoutEnd(
        method: Method, target: String, host: String, fields: Fields, isAbsolute: Bool = false,
        to output: inout [UInt8]
    ) throws(MalformedMessage) {
        guard !method.name.isEmpty, method.name.utf8.allSatisfy(CharacterClass.isTokenCharacter) else {
            throw .invalidMethod
        }
        guard target.utf8.first == 0x2F, target.utf8.allSatisfy(CharacterClass.isTargetCharacter) else {
            throw .invalidTarget
        }
        let authority = Array(host.utf8)
        guard Authority(authority, authority.indices) != nil else { throw .invalidHost }
        output.append(contentsOf: method.name.utf8)
        output.append(" ")
        if isAbsolute {
            output.append("http://")
            output.append(contentsOf: authority)
        }
        output.append(contentsOf: target.utf8)
        output.append(" HTTP/1.1\r\n")
        append("Host", host, to: &output)
        var others = fields
        others[.host] = nil
        for field in others where !isSaidByServer(field.name) {
            append(field.name.spelling, field.value, to: &output)
        }
    }

    private static func append(_ name: String, _ value: String, to output: inout [UInt8]) {
        output.append(contentsOf: name.utf8)
        output.append(": ")
        output.append(contentsOf: value.utf8)
        output.append("\r\n")
    }

    /// Appends the framing of the body, and the empty line.
    package static func appendEnd(
        method: Method, bodyByteCount: Int, keepAlive: Bool = true, to output: inout [UInt8]
    ) {
        if bodyByteCount > 0 || method == .post || method == .put || method == .patch {
            output.append("Content-Length: ")
            output.append(decimal: bodyByteCount)
            output.append("\r\n")
        }
        if !keepAlive { output.append("Connection: close\r\n") }
        output.append("\r\n")
    }
}
