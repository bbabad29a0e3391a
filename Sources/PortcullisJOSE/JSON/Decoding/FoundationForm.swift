// SPDX-License-Identifier: MIT

/// What some types of Foundation have to be given, since `JSONDecoder` makes them of something else than they ask for.
///
/// They are told by their names: their module need not be there.
enum FoundationForm {
    /// The value as a type of this name decodes itself from it; nothing where that is the value itself.
    static func of(_ value: JSONValue, for type: any Any.Type) -> JSONValue? {
        switch value {
        case .string(let text):
            switch String(reflecting: type) {
            case "FoundationEssentials.URL", "Foundation.URL": return ["relative": .string(text)]
            case "FoundationEssentials.Data", "Foundation.Data":
                return Base64.decode(text).map { bytes in
                    .array(bytes.map { .number(JSONNumber(Int($0))) })
                }
            default: return nil
            }
        case .number(let number):
            switch String(reflecting: type) {
            case "FoundationEssentials.Decimal", "Foundation.Decimal", "__C.NSDecimal":
                return DecimalNumber(number.text).flatMap(form)
            default: return nil
            }
        default: return nil
        }
    }

    /// `Decimal` keeps its significand in words of 16 bits, the lowest first.
    private static func form(_ number: DecimalNumber) -> JSONValue? {
        guard (-128...127).contains(number.exponent) else { return nil }
        let words = (0..<8).map { Int(truncatingIfNeeded: number.significand >> (16 * $0)) & 0xFFFF }
        return [
            "exponent": .number(JSONNumber(number.exponent)),
            "length": .number(JSONNumber(words.lastIndex { $0 != 0 }.map { $0 + 1 } ?? 0)),
            "isNegative": .bool(number.isNegative && number.significand != 0),
            "isCompact": true,
            "mantissa": .array(words.map { .number(JSONNumber($0)) }),
        ]
    }
}
