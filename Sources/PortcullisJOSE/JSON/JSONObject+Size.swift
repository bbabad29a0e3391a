// SPDX-License-Identifier: MIT

extension JSONObject {
    /// Whether the object takes more than `byteCount` bytes of memory, by a rough estimate.
    package func takesMore(than byteCount: Int) -> Bool {
        // The estimate is at most 16.5 for each byte of the document, plus 16.5; `[0,0,…]` is the worst case.
        // So a short document need not be traversed.
        if let documentByteCount, 32 + 17 * documentByteCount <= byteCount { return false }
        var rest = byteCount
        return !JSONValue.object(self).fits(into: &rest)
    }
}

extension JSONValue {
    fileprivate func fits(into rest: inout Int) -> Bool {
        // The value itself, stored inline.
        rest -= 32
        switch self {
        case .null, .bool: break
        case .number(let number): rest -= number.text.utf8.count
        case .string(let text): rest -= text.utf8.count
        case .array(let elements):
            for element in elements where !element.fits(into: &rest) { return false }
        case .object(let object):
            for member in object.members {
                rest -= 16 + member.name.utf8.count
                guard member.value.fits(into: &rest) else { return false }
            }
        }
        return rest >= 0
    }
}
