// SPDX-License-Identifier: MIT

/// A type that a single JSON value is read as.
protocol JSONScalar {
    init(json: JSONValue) throws(JSONScalarFailure)
}

enum JSONScalarFailure: Error {
    case ofAnotherKind
    /// A number that the type has no room for, or a fraction where it has none.
    case unrepresentable
}

extension Bool: JSONScalar {
    init(json: JSONValue) throws(JSONScalarFailure) {
        guard let value = json.bool else { throw .ofAnotherKind }
        self = value
    }
}

extension String: JSONScalar {
    init(json: JSONValue) throws(JSONScalarFailure) {
        guard let value = json.string else { throw .ofAnotherKind }
        self = value
    }
}

extension JSONScalar where Self: BinaryFloatingPoint & LosslessStringConvertible {
    init(json: JSONValue) throws(JSONScalarFailure) {
        guard let text = json.number?.text else { throw .ofAnotherKind }
        guard let number = Self(text), number.isFinite else { throw .unrepresentable }
        self = number
    }
}

extension JSONScalar where Self: FixedWidthInteger {
    /// `1.0` and `1e3` are integers too.
    init(json: JSONValue) throws(JSONScalarFailure) {
        guard let text = json.number?.text else { throw .ofAnotherKind }
        let number = Self(text) ?? DecimalNumber(text)?.integer.flatMap { Self(exactly: $0) }
        guard let number else { throw .unrepresentable }
        self = number
    }
}

extension Double: JSONScalar {}
extension Float: JSONScalar {}
extension Int: JSONScalar {}
extension Int8: JSONScalar {}
extension Int16: JSONScalar {}
extension Int32: JSONScalar {}
extension Int64: JSONScalar {}
extension Int128: JSONScalar {}
extension UInt: JSONScalar {}
extension UInt8: JSONScalar {}
extension UInt16: JSONScalar {}
extension UInt32: JSONScalar {}
extension UInt64: JSONScalar {}
extension UInt128: JSONScalar {}
