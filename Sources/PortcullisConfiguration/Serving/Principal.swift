// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisServer

/// The JSON object of `"respond": "principal"` for a request that passed without a token.
func anonymousObject(_ resource: ResourceIdentifier, _ parameters: PathParameters) -> JSONObject {
    [
        "resource": .string(resource.text), "issuer": .null, "subject": .null, "client_id": .null,
        "scopes": [], "audience": [], "expires_at": .null, "format": .null, "binding": .null,
        "actor": .null, "params": .object(names(parameters)), "claims": [:],
    ]
}

/// The JSON object of `"respond": "principal"`: everything that the gate knows about the caller.
func principalObject(_ token: AccessToken, _ parameters: PathParameters) -> JSONObject {
    [
        "resource": .string(token.resource.text),
        "issuer": .string(token.issuer),
        "subject": token.subject.map(JSONValue.string) ?? .null,
        "client_id": token.clientID.map(JSONValue.string) ?? .null,
        "scopes": .array(token.scopes.map { .string($0.name) }),
        "audience": .array(token.audience.map(JSONValue.string)),
        "expires_at": token.expiresAt.flatMap(number) ?? .null,
        "format": .string(token.format.rawValue),
        "binding": .string(token.binding.rawValue),
        "actor": token.actor.map(actorObject) ?? .null,
        "params": .object(names(parameters)),
        "claims": .object(token.claims),
    ]
}

private func actorObject(_ actor: TokenActor) -> JSONValue {
    [
        "subject": actor.subject.map(JSONValue.string) ?? .null,
        "issuer": actor.issuer.map(JSONValue.string) ?? .null,
    ]
}

private func names(_ parameters: PathParameters) -> JSONObject {
    var names: JSONObject = [:]
    for parameter in parameters { names[parameter.name] = .string(parameter.value) }
    return names
}

private func number(_ date: NumericDate) -> JSONValue? {
    if let whole = Int(exactly: date.seconds) { return .number(JSONNumber(whole)) }
    return JSONNumber(date.seconds).map(JSONValue.number)
}
