// SPDX-License-Identifier: MIT

extension JSONValue {
    /// The value as a `Decodable` type, as `JSONDecoder` of Foundation decodes with its defaults.
    ///
    /// - Throws: `DecodingError` if the value is not of that form.
    package func decoded<Decoded: Decodable>(as type: Decoded.Type) throws -> Decoded {
        try JSONValueDecoder(self, at: []).decode(type)
    }
}

/// Hands a parsed value to types that decode themselves, without writing it out and parsing it once more.
///
/// Foundation has a decoder too, and takes two megabytes of each process that is linked with it.
struct JSONValueDecoder: Decoder, SingleValueDecodingContainer {
    let value: JSONValue
    let codingPath: [any CodingKey]
    let userInfo: [CodingUserInfoKey: Any] = [:]

    init(_ value: JSONValue, at path: [any CodingKey]) {
        self.value = value
        codingPath = path
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let object) = value else { throw mismatch([String: Any].self) }
        return KeyedDecodingContainer(JSONKeyedContainer<Key>(object, at: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let elements) = value else { throw mismatch([Any].self) }
        return JSONUnkeyedContainer(elements, at: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    func decodeNil() -> Bool { value.isNull }

    /// Stands for all the protocol's functions of this name, those for numbers, strings and truth values too.
    func decode<Decoded: Decodable>(_ type: Decoded.Type) throws -> Decoded {
        guard let scalar = type as? any JSONScalar.Type else {
            let form = FoundationForm.of(value, for: type)
            return try Decoded(from: JSONValueDecoder(form ?? value, at: codingPath))
        }
        do throws(JSONScalarFailure) {
            if let read = try scalar.init(json: value) as? Decoded { return read }
        } catch .unrepresentable {
            throw DecodingError.dataCorrupted(
                .init(codingPath: codingPath, debugDescription: "A number is not representable as \(type)."))
        } catch .ofAnotherKind {}
        throw mismatch(type)
    }

    /// The value is of another kind than asked for, or there is none.
    private func mismatch(_ type: any Any.Type) -> DecodingError {
        let context = DecodingError.Context(
            codingPath: codingPath, debugDescription: "A value is of another kind than \(type).")
        return value.isNull ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }
}
