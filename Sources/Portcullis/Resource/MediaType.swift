// SPDX-License-Identifier: MIT

/// Comparisons of media types.
enum MediaType {
    /// Normalizes a media type for comparisons of `typ`: lower case, without the prefix `application/`.
    ///
    /// RFC 7515 §4.1.9.
    static func normalized(_ type: String) -> String {
        let lowercased = ASCII.lowercased(type)
        let prefix = "application/"
        guard lowercased.utf8.starts(with: prefix.utf8) else { return lowercased }
        let bare = lowercased.utf8.dropFirst(prefix.utf8.count)
        return bare.contains(0x2F) ? lowercased : String(decoding: bare, as: UTF8.self)
    }
}
