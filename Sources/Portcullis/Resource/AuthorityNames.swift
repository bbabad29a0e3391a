// SPDX-License-Identifier: MIT

import PortcullisHTTP

extension ResourceIdentifier {
    /// The host, with the port unless it is the default: the value of `Host` in requests for the resource.
    ///
    /// RFC 9110 §7.2.
    package var authority: String {
        let isDefault = port == (scheme == "https" ? 443 : 80)
        return isDefault ? host : "\(host):\(port)"
    }
}

/// Alternative spellings of resources' authorities in requests.
package enum AuthorityNames {
    /// Maps each alternative spelling, in lower case, to its ``ResourceIdentifier/authority``.
    ///
    /// The default port may be written. RFC 9110 §4.2.3, §7.2.
    package static func others(of identifiers: [ResourceIdentifier]) -> [String: String] {
        var names: [String: String] = [:]
        for identifier in identifiers {
            let key = identifier.authority
            names["\(identifier.host):\(identifier.port)"] = key
            if key == identifier.host { names[key + ":"] = key }
            // An IPv6 address has many spellings; clients use the one in the identifier.
            let written = identifier.text.utf8.prefix(identifier.url.authorityEnd)
                .dropFirst(identifier.scheme.utf8.count + 3)
            names[String(decoding: written.map(CharacterClass.lowercase), as: UTF8.self)] = key
        }
        return names
    }

    /// Returns the canonical spelling of an IPv6 address, with any port; `nil` for other names.
    ///
    /// RFC 4291 §2.2.
    package static func canonicalAddress(_ authority: String) -> String? {
        guard authority.utf8.first == 0x5B else { return nil }
        let isPortEmpty = authority.utf8.last == 0x3A
        let spelled = isPortEmpty ? String(authority.dropLast()) : authority
        guard let url = try? HTTPURL("http://" + spelled) else { return nil }
        let hasPort = spelled.utf8.last != 0x5D
        return hasPort ? "\(url.host):\(url.port)" : url.host
    }
}
