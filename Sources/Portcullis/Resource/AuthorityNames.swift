// SPDX-License-Identifier: MIT

import PortcullisHTTP

extension ResourceIdentifier {
    /// The host, with the port unless that goes without saying: what requests for the resource name.
    ///
    /// RFC 9110 §7.2.
    package var authority: String {
        let isDefault = port == (scheme == "https" ? 443 : 80)
        return isDefault ? host : "\(host):\(port)"
    }
}

/// The other names under which requests ask for the authorities of resources.
package enum AuthorityNames {
    /// For each other name, in lower case, the ``ResourceIdentifier/authority`` that it means.
    ///
    /// The port that goes without saying may be said. RFC 9110 §4.2.3, §7.2.
    package static func others(of identifiers: [ResourceIdentifier]) -> [String: String] {
        var names: [String: String] = [:]
        for identifier in identifiers {
            let key = identifier.authority
            names["\(identifier.host):\(identifier.port)"] = key
            if key == identifier.host { names[key + ":"] = key }
            // An IPv6 address has many spellings; clients use the one that they were given.
            let written = identifier.text.utf8.prefix(identifier.url.authorityEnd)
                .dropFirst(identifier.scheme.utf8.count + 3)
            names[String(decoding: written.map(CharacterClass.lowercase), as: UTF8.self)] = key
        }
        return names
    }

    /// The one spelling of an IPv6 address that is used here, with the port if there is one; nothing for other names.
    ///
    /// RFC 4291 §2.2.
    package static func canonicalAddress(_ authority: String) -> String? {
        guard authority.utf8.first == 0x5B else { return nil }
        let isPortEmpty = authority.utf8.last == 0x3A
        let spelled = isPortEmpty ? String(authority.dropLast()) : authority
        guard let url = try? HTTPURL("http://" + spelled) else { return nil }
        let isPortSaid = spelled.utf8.last != 0x5D
        return isPortSaid ? "\(url.host):\(url.port)" : url.host
    }
}
