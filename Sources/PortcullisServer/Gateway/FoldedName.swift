// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// A field name as backends may read it: without regard to case, and with `-` for each character that is
/// neither a letter nor a digit.
///
/// CGI and its descendants turn them into the same variable, so `X_Portcullis_Subject`, and for some servers
/// `X.Portcullis.Subject`, would be taken for `X-Portcullis-Subject`. RFC 3875 §4.1.18.
struct FoldedName {
    private let bytes: [UInt8]
    private let range: Range<Int>

    init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        self.range = range
    }

    private static func folded(_ byte: UInt8) -> UInt8 {
        let byte = CharacterClass.lowercase(byte)
        return CharacterClass.isDigit(byte) || (0x61...0x7A).contains(byte) ? byte : 0x2D
    }

    /// Whether it is this name, which is in lower case.
    func equals(_ name: StaticString) -> Bool {
        range.count == name.utf8CodeUnitCount && begins(with: name)
    }

    /// Whether it begins with this text, which is in lower case.
    func begins(with prefix: StaticString) -> Bool {
        guard range.count >= prefix.utf8CodeUnitCount else { return false }
        // SAFETY: the text is UTF-8 of exactly that many bytes, and is never freed.
        let expected = UnsafeBufferPointer(start: prefix.utf8Start, count: prefix.utf8CodeUnitCount)
        for index in expected.indices
        where Self.folded(bytes[range.lowerBound + index]) != expected[index] { return false }
        return true
    }

    /// Whether it begins with these bytes, which are folded.
    func begins(with prefix: [UInt8]) -> Bool {
        guard range.count >= prefix.count else { return false }
        for index in prefix.indices where Self.folded(bytes[range.lowerBound + index]) != prefix[index] {
            return false
        }
        return true
    }

    /// Whether it is this name, which is folded.
    func equals(_ name: [UInt8]) -> Bool { range.count == name.count && begins(with: name) }

    /// Whether it is the same name as another one.
    func equals(_ other: FoldedName) -> Bool {
        range.count == other.range.count
            && zip(bytes[range], other.bytes[other.range]).allSatisfy {
                Self.folded($0) == Self.folded($1)
            }
    }

    /// The folded bytes of a text.
    static func fold(_ text: String) -> [UInt8] { text.utf8.map(folded) }
}

extension FoldedName {
    /// Whether the field is for one connection only, and never passed on.
    ///
    /// The fields of RFC 9110 §7.6.1; also `Trailer`, because trailers are dropped, and authentication to a
    /// proxy, which this server is for its clients.
    var isHopByHop: Bool {
        switch range.count {
        case 2: equals("te")
        case 7: equals("upgrade") || equals("trailer")
        case 10: equals("connection") || equals("keep-alive")
        case 16: equals("proxy-connection")
        case 17: equals("transfer-encoding")
        case 18: equals("proxy-authenticate")
        case 19: equals("proxy-authorization")
        default: false
        }
    }

    /// Whether the field holds credentials for this server's gate.
    var isCredential: Bool {
        switch range.count {
        case 4: equals("dpop")
        case 13: equals("authorization")
        default: false
        }
    }

    /// Whether proxies send the certificate of their client in the field: by RFC 9440 §2, and by the names
    /// that are usual with nginx.
    var isClientCertificate: Bool {
        switch range.count {
        case 11: equals("client-cert")
        case 15: equals("ssl-client-cert")
        case 17: equals("client-cert-chain") || equals("x-ssl-client-cert")
        default: false
        }
    }

    /// Whether the field states where a request came from.
    ///
    /// RFC 7239 §4; the others are conventions.
    var isForwarding: Bool {
        switch range.count {
        case 9: equals("forwarded") || equals("x-real-ip")
        case 11...: begins(with: "x-forwarded-") || begins(with: "x-original-")
        default: false
        }
    }

    /// Whether `Connection` must not name the field: removing it would change who asks for what.
    ///
    /// RFC 9110 §7.6.1: a field for all recipients is no connection option.
    var isEndToEnd: Bool {
        equals("host") || equals("content-length") || equals("authorization") || equals("cache-control")
            || equals("dpop")
    }
}

/// The fields that `Connection` names in one message.
///
/// RFC 9110 §7.6.1.
struct ConnectionNominations {
    private let bytes: [UInt8]
    private var names: [FoldedName] = []
    /// Whether there are more than ``maxCount``, so that not all are known here.
    private(set) var areTooMany = false
    /// The maximum number of fields that `Connection` may name: each is compared with each field.
    static let maxCount = 64

    init(_ bytes: [UInt8], _ slots: [RequestHead.FieldSlot]) {
        self.bytes = bytes
        for slot in slots where slot.known == .connection {
            for element in ListElements(in: bytes, slot.valueRange) where !element.isEmpty {
                let name = FoldedName(bytes, element)
                // The usual options name no field that is passed on.
                if name.equals("close") || name.equals("keep-alive") || name.equals("upgrade") { continue }
                guard names.count < Self.maxCount else {
                    areTooMany = true
                    return
                }
                names.append(name)
            }
        }
    }

    func contains(_ name: FoldedName) -> Bool {
        !names.isEmpty && names.contains { $0.equals(name) }
    }

    /// Whether one of them is a field for all recipients.
    var namesEndToEndField: Bool { names.contains(where: \.isEndToEnd) }
}
