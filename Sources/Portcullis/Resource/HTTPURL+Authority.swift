// SPDX-License-Identifier: MIT

import PortcullisHTTP

extension HTTPURL {
    /// The host and port of a URL.
    ///
    /// RFC 3986 §3.2.
    struct Authority {
        let host: String
        let port: Int?
        let isLoopback: Bool

        init(_ bytes: ArraySlice<UInt8>) throws(Malformation) {
            guard !bytes.contains(0x40) else { throw .userInformation }
            let hostEnd: Int
            if bytes.first == 0x5B {
                guard let bracket = bytes.firstIndex(of: 0x5D),
                    let groups = Self.addressGroups(bytes[(bytes.startIndex + 1)..<bracket])
                else { throw .host }
                hostEnd = bracket + 1
                host = "[" + groups.map { String($0, radix: 16) }.joined(separator: ":") + "]"
                isLoopback = groups == [0, 0, 0, 0, 0, 0, 0, 1]
            } else {
                hostEnd = bytes.firstIndex(of: 0x3A) ?? bytes.endIndex
                let name = bytes[bytes.startIndex..<hostEnd]
                guard !name.isEmpty, !name.contains(where: { $0 == 0x5B || $0 == 0x5D }) else { throw .host }
                host = ASCII.lowercased(try HTTPURL.normalised(name))
                isLoopback = host == "localhost" || Self.isLoopbackAddress(host)
            }
            port = try Self.port(bytes[hostEnd...])
        }

        private static func port(_ bytes: ArraySlice<UInt8>) throws(Malformation) -> Int? {
            guard let colon = bytes.first else { return nil }
            let digits = bytes.dropFirst()
            guard colon == 0x3A, (1...5).contains(digits.count), digits.allSatisfy(CharacterClass.isDigit),
                let port = Int(String(decoding: digits, as: UTF8.self)), (1...65535).contains(port)
            else { throw .port }
            return port
        }

        // 127.0.0.0/8 as four decimal numbers: no shorter or octal forms, which parsers read differently.
        private static func isLoopbackAddress(_ host: String) -> Bool {
            guard let octets = octets(Array(host.utf8)[...]) else { return false }
            return octets[0] == 127
        }

        private static func octets(_ bytes: ArraySlice<UInt8>) -> [UInt8]? {
            let parts = bytes.split(separator: 0x2E, omittingEmptySubsequences: false)
            guard parts.count == 4 else { return nil }
            var octets: [UInt8] = []
            for part in parts {
                guard (1...3).contains(part.count), part.allSatisfy(CharacterClass.isDigit),
                    part.count == 1 || part.first != 0x30,
                    let octet = UInt8(String(decoding: part, as: UTF8.self))
                else { return nil }
                octets.append(octet)
            }
            return octets
        }

        /// Returns the eight groups of an IPv6 address, or `nil`.
        ///
        /// RFC 4291 §2.2.
        static func addressGroups(_ bytes: ArraySlice<UInt8>) -> [UInt16]? {
            let text = Array(bytes)
            guard let gap = firstGap(text) else {
                guard let groups = groups(text[...]), groups.count == 8 else { return nil }
                return groups
            }
            guard let head = groups(text[..<gap], allowingAddress: false),
                let tail = groups(text[(gap + 2)...]),
                head.count + tail.count < 8
            else { return nil }
            return head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail
        }

        private static func firstGap(_ bytes: [UInt8]) -> Int? {
            bytes.indices.dropLast().first { bytes[$0] == 0x3A && bytes[$0 + 1] == 0x3A }
        }

        private static func groups(_ bytes: ArraySlice<UInt8>, allowingAddress: Bool = true) -> [UInt16]? {
            if bytes.isEmpty { return [] }
            let parts = bytes.split(separator: 0x3A, omittingEmptySubsequences: false)
            var groups: [UInt16] = []
            for (index, part) in parts.enumerated() {
                if (1...4).contains(part.count),
                    part.allSatisfy({ CharacterClass.hexadecimalValue($0) != nil }),
                    let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
                {
                    groups.append(group)
                } else if allowingAddress, index == parts.count - 1, let octets = octets(part) {
                    groups.append(UInt16(octets[0]) << 8 | UInt16(octets[1]))
                    groups.append(UInt16(octets[2]) << 8 | UInt16(octets[3]))
                } else {
                    return nil
                }
            }
            return groups
        }
    }
}
