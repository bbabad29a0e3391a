// SPDX-License-Identifier: MIT

internal import Portcullis
internal import PortcullisJOSE

/// An answer as the store keeps it.
struct IntrospectionEntry {
    private let members: JSONObject
    /// How long the answer counts from the question on.
    private let lifetime: Duration
    /// The number of the last invalidation that its author knew of.
    let ticket: UInt64

    init(_ answer: IntrospectedAnswer, ticket: UInt64) {
        members = answer.members
        lifetime = answer.lifetime
        self.ticket = ticket
    }

    /// Reads what the store has, or `nil` if it is not an entry of ours.
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

    /// The answer, by what the store's clock has left of its time; no clock of the processes plays a part.
    ///
    /// - Returns: `nil` where more is left than there was: then the store's clock was set back, and the age is unknown.
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

/// An invalidation as it is published.
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

    /// Reads a message; one that can't be read stands for everything, since it meant something.
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
