// SPDX-License-Identifier: MIT

internal import Portcullis

/// An answer as the store keeps it.
struct IntrospectionEntry {
    let answer: IntrospectedAnswer
    /// The number of the last invalidation that its author knew of.
    let ticket: UInt64

    init(answer: IntrospectedAnswer, ticket: UInt64) {
        self.answer = answer
        self.ticket = ticket
    }

    /// Reads what the store has; nothing if it is not an entry of ours.
    init?(_ bytes: [UInt8]) {
        guard let object = (try? JSONValue.parse(bytes))?.object,
            let members = object["answer"]?.object,
            let askedAt = object["asked_at"]?.number.flatMap({ NumericDate($0) }),
            let lifetime = object["seconds"]?.number?.double, (0...1e9).contains(lifetime),
            let ticket = object["ticket"]?.string.flatMap({ UInt64($0) })
        else { return nil }
        answer = IntrospectedAnswer(members: members, askedAt: askedAt, lifetime: .seconds(lifetime))
        self.ticket = ticket
    }

    var bytes: [UInt8] {
        let (seconds, attoseconds) = answer.lifetime.components
        let object: JSONObject = [
            "answer": .object(answer.members),
            "asked_at": Self.number(answer.askedAt.seconds),
            "seconds": Self.number(Double(seconds) + Double(attoseconds) * 1e-18),
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
            case .token(let key):
                ["issuer": .string(key.issuer), "token": .string(Base64URL.encode(key.tokenHash))]
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
            return .token(IntrospectionKey(issuer: issuer, tokenHash: hash))
        }
        return object["subject"]?.string.map { .subject($0, issuer: issuer) } ?? .all
    }
}
