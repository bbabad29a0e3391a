// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

// A relayed head has some thirty pieces: each is copied once, without an array or a string of its own.
extension [UInt8] {
    /// Appends a text.
    mutating func append(text: String) {
        let isAppended: Void? = text.utf8.withContiguousStorageIfAvailable { append(contentsOf: $0) }
        if isAppended == nil { append(contentsOf: text.utf8) }
    }

    /// Appends a part of other bytes.
    mutating func append(_ bytes: [UInt8], _ range: Range<Int>) {
        // SAFETY: the slice checks the range, and the bytes outlive the call.
        bytes.withUnsafeBufferPointer { append(contentsOf: UnsafeBufferPointer(rebasing: $0[range])) }
    }

    /// The text of a part of the bytes; `nil` if it is not UTF-8.
    func text(_ range: Range<Int>) -> String? {
        // SAFETY: the slice checks the range, and the bytes outlive the call.
        withUnsafeBufferPointer { bytes in
            let part = UnsafeBufferPointer(rebasing: bytes[range])
            // Nearly all are ASCII, for which the decoding initializer costs a tenth.
            for byte in part where byte >= 0x80 { return String(validating: part, as: UTF8.self) }
            return String(decoding: part, as: UTF8.self)
        }
    }

    /// Appends a field line whose name and value are parts of other bytes.
    mutating func appendLine(_ bytes: [UInt8], _ name: Range<Int>, _ value: Range<Int>) {
        append(bytes, name)
        append(": ")
        append(bytes, value)
        append("\r\n")
    }

    /// Whether a part of the bytes begins or ends with a blank or a tab.
    func hasBlankEnds(_ range: Range<Int>) -> Bool {
        guard !range.isEmpty else { return false }
        let (first, last) = (self[range.lowerBound], self[range.upperBound - 1])
        return first == 0x20 || first == 0x09 || last == 0x20 || last == 0x09
    }

    /// Whether a part of the bytes has only characters of a field's value.
    ///
    /// RFC 9110 §5.5.
    func isFieldValue(_ range: Range<Int>) -> Bool {
        // SAFETY: the slice checks the range, and the bytes outlive the call.
        withUnsafeBufferPointer { bytes in
            for byte in bytes[range] where byte < 0x20 && byte != 0x09 || byte == 0x7F { return false }
            return true
        }
    }
}
