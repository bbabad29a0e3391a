// SPDX-License-Identifier: MIT

import Foundation
import PortcullisJOSE

/// Reads the files below `Fixtures`.
enum Fixture {
    static let root = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

    static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: root.appending(path: path)))
    }

    /// A text without the line feed at the end of the file.
    static func text(_ path: String) throws -> String {
        var bytes = try bytes(path)
        if bytes.last == 0x0A { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func object(_ path: String) throws -> JSONObject {
        try JSONValue.parse(bytes(path)).object ?? [:]
    }

    static func key(_ path: String) throws -> JWK {
        try JWK(object(path))
    }

    /// The names, without extension, of the JSON files in a folder.
    static func names(in folder: String) -> [String] {
        let files = try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)
        return (files ?? []).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    }
}

extension JSONObject {
    func text(_ name: String) -> String {
        self[name]?.string ?? ""
    }

    func nested(_ name: String) -> JSONObject {
        self[name]?.object ?? [:]
    }

    func with(_ name: String, _ value: JSONValue?) -> JSONObject {
        var copy = self
        copy[name] = value
        return copy
    }
}

extension CompactJWS {
    init(text: String) throws(JOSEError) {
        try self.init(Array(text.utf8))
    }
}

extension JOSEError {
    private static let named: [(JOSEError, String)] = [
        (.tokenTooLong, "tokenTooLong"),
        (.wrongPartCount, "wrongPartCount"),
        (.encryptedToken, "encryptedToken"),
        (.malformedBase64URL, "malformedBase64URL"),
        (.malformedHeader, "malformedHeader"),
        (.unsupportedExtension, "unsupportedExtension"),
        (.nestedToken, "nestedToken"),
        (.algorithmMismatch, "algorithmMismatch"),
        (.keyNotUsable, "keyNotUsable"),
        (.invalidSignature, "invalidSignature"),
        (.unsupportedKeyType, "unsupportedKeyType"),
        (.unsupportedCurve, "unsupportedCurve"),
        (.malformedKey, "malformedKey"),
        (.unsuitableKeyStrength, "unsuitableKeyStrength"),
        (.inconsistentKey, "inconsistentKey"),
        (.malformedKeySet, "malformedKeySet"),
        (.tooManyKeys, "tooManyKeys"),
        (.malformedClaim, "malformedClaim"),
        (.cryptographyUnavailable, "cryptographyUnavailable"),
        (.notAnObject, "notAnObject"),
    ]

    /// The name of the case, which the fixtures give as the reason for a refusal.
    var name: String {
        if case .malformedJSON = self { return "malformedJSON" }
        return Self.named.first { $0.0 == self }?.1 ?? "unnamed"
    }
}
