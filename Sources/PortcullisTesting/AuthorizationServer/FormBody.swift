// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// The parameters of a query or a form body, in order.
///
/// RFC 6749 appendix B.
struct FormParameters: Sendable {
    private static let maxCount = 64

    private let list: [(name: String, value: String)]

    /// Decodes `application/x-www-form-urlencoded`; `nil` if it is malformed or has more than 64 parameters.
    init?(_ encoded: [UInt8]) {
        var list: [(name: String, value: String)] = []
        for pair in encoded.split(separator: 0x26) {
            let name = pair.prefix { $0 != 0x3D }
            let value = pair.dropFirst(name.count + 1)
            guard list.count < Self.maxCount, let name = Self.decode(name), let value = Self.decode(value)
            else {
                return nil
            }
            list.append((name, value))
        }
        self.list = list
    }

    /// Decodes percent-encoding and `+`; `nil` for a percent sign without digits and for invalid UTF-8.
    static func decode(_ encoded: ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var index = encoded.startIndex
        while index < encoded.endIndex {
            switch encoded[index] {
            case 0x2B:
                bytes.append(0x20)
            case 0x25:
                guard index + 2 < encoded.endIndex,
                    let high = CharacterClass.hexadecimalValue(encoded[index + 1]),
                    let low = CharacterClass.hexadecimalValue(encoded[index + 2])
                else { return nil }
                bytes.append(high << 4 | low)
                index += 2
            default:
                bytes.append(encoded[index])
            }
            index += 1
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Percent-encodes text for a query.
    static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                result += digits.utf8.count == 1 ? "%0" + digits : "%" + digits
            }
        }
        return result
    }

    /// The value of a parameter, or `nil` if it is absent, empty or repeated.
    ///
    /// RFC 6749 §3.1.
    subscript(name: String) -> String? {
        let values = self.values(of: name)
        guard values.count == 1, let value = values.first, !value.isEmpty else { return nil }
        return value
    }

    func values(of name: String) -> [String] {
        list.filter { $0.name.utf8.elementsEqual(name.utf8) }.map(\.value)
    }

    /// Whether a parameter other than `resource` is given more than once.
    ///
    /// RFC 6749 §3.1, RFC 8707 §2.
    var hasRepetition: Bool {
        list.contains { $0.name != "resource" && values(of: $0.name).count > 1 }
    }

    /// The requested scopes, or `nil` if the parameter is absent.
    ///
    /// RFC 6749 §3.3.
    var scopes: [String]? {
        self["scope"].map { $0.split(separator: " ").map(String.init) }
    }
}
