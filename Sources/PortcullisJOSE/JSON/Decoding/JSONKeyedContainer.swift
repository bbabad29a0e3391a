// SPDX-License-Identifier: MIT

/// An object's members by name.
struct JSONKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let object: JSONObject
    let codingPath: [any CodingKey]

    init(_ object: JSONObject, at path: [any CodingKey]) {
        self.object = object
        codingPath = path
    }

    var allKeys: [Key] { object.members.compactMap { Key(stringValue: $0.name) } }

    func contains(_ key: Key) -> Bool { object[key.stringValue] != nil }

    func decodeNil(forKey key: Key) throws -> Bool { try decoder(of: key).decodeNil() }

    func decode<Decoded: Decodable>(_ type: Decoded.Type, forKey key: Key) throws -> Decoded {
        try decoder(of: key).decode(type)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try decoder(of: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(of: key).unkeyedContainer()
    }

    func superDecoder() -> any Decoder { superDecoder(of: JSONPathKey(stringValue: "super")) }

    func superDecoder(forKey key: Key) -> any Decoder { superDecoder(of: key) }

    /// What a superclass decodes itself from is null where there is none.
    private func superDecoder(of key: any CodingKey) -> any Decoder {
        JSONValueDecoder(object[key.stringValue] ?? .null, at: codingPath + [key])
    }

    private func decoder(of key: Key) throws -> JSONValueDecoder {
        guard let value = object[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: codingPath, debugDescription: "There is no member of this name."))
        }
        return JSONValueDecoder(value, at: codingPath + [key])
    }
}

/// A place in a coding path that no type of the app has a key for.
struct JSONPathKey: CodingKey {
    let stringValue: String
    let intValue: Int?

    init(stringValue: String) {
        self.stringValue = stringValue
        intValue = nil
    }

    init(intValue: Int) {
        stringValue = "Index \(intValue)"
        self.intValue = intValue
    }
}
