// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisJOSE

/// An introspection answer as stored in Redis.
struct IntrospectionEntry {
    private let members: JSONObject
    /// How long the answer is valid, from the introspection request on.
    private let lifetime: Duration
    /// The number of the last invalidation that its writer knew of.
    let ticket: UInt64

    init(_ answer: IntrospectedAnswer, ticket: UInt64) {
        members = answer.members
        lifetime = answer.lifetime
        self.ticket = ticket
    }

    /// Decodes an entry, or returns `nil` for other bytes.
    init?(_ bytes: [UInt8]) {
        guard let object = (try? JSONValue.parse(bytes))?.object,
            let members = object["answer"]?.object,
            let lifetime = object["seconds"]?.number?.double, (0...1e9).contains(lifetime),
            let ticket = object["ticket"]?.string.flatMap({ UInt64($0) })
        else { return nil }
        self.members = members
        self.lifetime = .seconds(lifetime)
        self.ticket = ticket
    }

    var isActive: Bool { members["active"]?.bool == true }

    /// Returns the answer, with its age computed from the key's remaining lifetime by the store's clock.
    ///
    /// - Returns: `nil` if more than the whole lifetime is left: the store's clock was set back, so the age
    ///   is unknown.
    func answer(left: Duration) -> IntrospectedAnswer? {
        guard left > .zero, left <= lifetime else { return nil }
        return IntrospectedAnswer(members: members, age: lifetime - left, lifetime: lifetime)
    }

    var bytes: [UInt8] {
        let object: JSONObject = [
            "answer": .object(members),
            "seconds": Self.number(lifetime / .seconds(1)),
            "ticket": .string("\(ticket)"),
        ]
        return object.serialized()
    }

    private static func number(_ number: Double) -> JSONValue {
        JSONNumber(number).map(JSONValue.number) ?? .null
    }
}

/// The encoding of a published invalidation.
enum InvalidationMessage {
    static func encode(_ invalidation: TokenInvalidation) -> [UInt8] {
        let object: JSONObject =
            switch invalidation {
            case .token(let hash, let issuer):
                ["issuer": .string(issuer), "token": .string(Base64URL.encode(hash))]
            case .subject(let subject, let issuer): ["issuer": .string(issuer), "subject": .string(subject)]
            case .all: ["all": true]
            }
        return object.serialized()
    }

    /// Decodes a message; a malformed one invalidates everything.
    static func decode(_ bytes: [UInt8]) -> TokenInvalidation {
        guard let object = (try? JSONValue.parse(bytes))?.object, let issuer = object["issuer"]?.string else {
            return .all
        }
        if let hash = object["token"]?.string.flatMap({ Base64URL.decode($0) }) {
            return .token(hash, issuer: issuer)
        }
        return object["subject"]?.string.map { .subject($0, issuer: issuer) } ?? .all
    }
}
