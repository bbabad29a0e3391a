// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// The public origin of a resource, to compare with the `htu` of proofs.
///
/// Derived from the resource's identifier; `Host` and forwarded fields are ignored.
///
/// RFC 9449 §4.3, 9.
struct ProofTarget: Sendable {
    private let scheme: String
    private let host: String
    private let port: Int
    /// The origin in its usual spelling.
    private let prefix: [UInt8]
    private let refusesQuery: Bool

    init(_ identifier: ResourceIdentifier, refusesQuery: Bool = false) {
        self.refusesQuery = refusesQuery
        scheme = identifier.scheme
        host = identifier.host
        port = identifier.port
        let isDefault = port == (scheme == "https" ? 443 : 80)
        prefix = Array((isDefault ? "\(scheme)://\(host)" : "\(scheme)://\(host):\(port)").utf8)
    }

    /// Whether a URI equals the request's, ignoring query and fragment.
    ///
    /// RFC 9449 §4.3, 9; RFC 3986 §6.2.2, §6.2.3.
    func matches(_ uri: String, _ head: borrowing RequestHead) -> Bool {
        guard let path = Self.path(of: head) else { return false }
        let target = path.bytes[path.range]
        let uri = Array(uri.utf8)
        if uri.starts(with: prefix), uri.dropFirst(prefix.count).elementsEqual(target) { return true }
        // RFC 9449 §4.2: an htu has neither query nor fragment.
        if refusesQuery, uri.contains(where: { $0 == 0x3F || $0 == 0x23 }) { return false }
        let encoded = Self.encodingRawCharacters(uri)
        guard let url = try? HTTPURL(String(decoding: encoded, as: UTF8.self)) else { return false }
        guard url.scheme == scheme, url.host == host, url.port == port else { return false }
        return Self.withoutDotSegments(url.path).elementsEqual(target)
    }

    /// The normalized path of the request.
    private static func path(of head: borrowing RequestHead) -> RequestPath? {
        var start = head.targetRange.lowerBound
        let end = head.targetRange.upperBound
        if start < end, head.bytes[start] != 0x2F {
            // RFC 9112 §3.2.2: in absolute form the path begins after the authority.
            guard let mark = head.bytes[start..<end].firstRange(ofASCII: "://") else { return nil }
            start = head.bytes[mark..<end].firstIndex { $0 == 0x2F || $0 == 0x3F } ?? end
        }
        let query = head.bytes[start..<end].firstIndex(of: 0x3F) ?? end
        return try? RequestPath(head.bytes, start..<query)
    }

    /// Percent-encodes the characters that URL libraries leave raw in paths and queries.
    ///
    /// URL Standard §1.3.
    private static func encodingRawCharacters(_ uri: [UInt8]) -> [UInt8] {
        guard uri.contains(where: CharacterClass.isRawQueryCharacter) else { return uri }
        let digits = Array("0123456789ABCDEF".utf8)
        var encoded: [UInt8] = []
        // The path begins at the third slash; before it, brackets enclose an address.
        var slashCount = 0
        var isQuery = false
        for byte in uri {
            if byte == 0x2F { slashCount += 1 }
            if byte == 0x3F || byte == 0x23 { isQuery = true }
            let isRaw =
                isQuery ? CharacterClass.isRawQueryCharacter(byte) : CharacterClass.isRawPathCharacter(byte)
            if isRaw, slashCount > 2 || isQuery {
                encoded += [0x25, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            } else {
                encoded.append(byte)
            }
        }
        return encoded
    }

    /// RFC 3986 §5.2.4, §6.2.2.3; an empty path is `/`.
    private static func withoutDotSegments(_ path: String) -> [UInt8] {
        guard !path.isEmpty else { return [0x2F] }
        var kept: [Substring.UTF8View.SubSequence] = []
        let segments = Substring(path).utf8.dropFirst().split(
            separator: 0x2F, omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            let isLast = index == segments.count - 1
            if segment.elementsEqual(".".utf8) {
                if isLast { kept.append("".utf8[...]) }
            } else if segment.elementsEqual("..".utf8) {
                _ = kept.popLast()
                if isLast { kept.append("".utf8[...]) }
            } else {
                kept.append(segment)
            }
        }
        return kept.flatMap { [0x2F] + Array($0) }
    }
}

extension ArraySlice<UInt8> {
    /// Returns the index after the first occurrence of an ASCII text.
    fileprivate func firstRange(ofASCII text: StaticString) -> Int? {
        let count = text.utf8CodeUnitCount
        guard self.count >= count else { return nil }
        return (startIndex...(endIndex - count)).first { start in
            (0..<count).allSatisfy { self[start + $0] == text.utf8Start[$0] }
        }.map { $0 + count }
    }
}
