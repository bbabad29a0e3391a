// SPDX-License-Identifier: MIT

/// One field line: `field-name ":" OWS field-value OWS CRLF`.
///
/// RFC 9112 §5.
package enum FieldLine {
    /// Parses the line that begins at `start`.
    ///
    /// A line that is still incomplete may give an error that the rest of the line changes: an incremental
    /// caller must have received the line feed before it relies on the kind of error.
    ///
    /// - Returns: The ranges of name and value and the start of the next line, or `nil` if the bytes end
    ///   before the line does.
    // SAFETY: `bytes` is only read, within its count, and not kept.
    @inline(__always)
    package static func parse(
        _ bytes: UnsafeRawBufferPointer, at start: Int
    ) throws(MalformedMessage) -> (slot: RequestHead.FieldSlot, next: Int)? {
        var index = ByteScan.endOfToken(in: bytes, from: start)
        guard index < bytes.count else { return nil }
        // RFC 9112 §5.1: no white space between name and colon; §5.2: none before the name.
        guard bytes[index] == 0x3A, index > start else {
            throw nameError(at: bytes[index], isFirst: index == start)
        }
        let name = start..<index
        index += 1
        while index < bytes.count, isBlank(bytes[index]) { index += 1 }
        let valueStart = index
        index = ByteScan.endOfFieldValue(in: bytes, from: index)
        var valueEnd = index
        guard index < bytes.count else { return nil }
        guard bytes[index] == 0x0D else { throw bytes[index] == 0x0A ? .bareLineEnd : .invalidFieldValue }
        index += 1
        guard index < bytes.count else { return nil }
        guard bytes[index] == 0x0A else { throw .bareLineEnd }
        while valueEnd > valueStart, isBlank(bytes[valueEnd - 1]) { valueEnd -= 1 }
        let known = KnownFieldName(classifying: UnsafeRawBufferPointer(rebasing: bytes[name]))
        return (RequestHead.FieldSlot(known: known, name: name, value: valueStart..<valueEnd), index + 1)
    }

    @inline(__always)
    static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09
    }

    private static func nameError(at byte: UInt8, isFirst: Bool) -> MalformedMessage {
        switch byte {
        case 0x20, 0x09: isFirst ? .foldedField : .invalidFieldName
        case 0x0D, 0x0A: isFirst ? .bareLineEnd : .invalidFieldName
        default: .invalidFieldName
        }
    }
}
