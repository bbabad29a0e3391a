// SPDX-License-Identifier: MIT

public import PortcullisJOSE

/// A claim, and the values of which it must have one.
///
/// The claim is a string, or an array with at least one of the values; compared code point by code point.
///
/// RFC 8725 §3.12, RFC 6901.
public struct ClaimValues: Sendable {
    /// The maximum number of values: 1000.
    public static let maximumValueCount = 1000

    /// The place of the claim.
    public let pointer: JSONPointer
    /// The accepted values.
    public let values: [String]

    /// Accepts some values of a claim.
    public init(_ pointer: JSONPointer, _ values: [String]) {
        self.pointer = pointer
        self.values = values
    }

    /// Whether the claim is there and has one of the values.
    func isMet(by claims: JSONObject) -> Bool {
        switch pointer.value(in: claims) {
        case .string(let text)?: accepts(text)
        case .array(let elements)?: elements.contains { $0.string.map(accepts) ?? false }
        default: false
        }
    }

    private func accepts(_ text: String) -> Bool {
        values.contains { CodePoints.equal($0, text) }
    }

    /// What is wrong with the list of values, or `nil`.
    var objection: String? {
        if values.isEmpty || values.contains("") { return "Name at least one value, and no empty one." }
        return values.count > Self.maximumValueCount
            ? "Name at most \(Self.maximumValueCount) values." : nil
    }
}
