// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisServer

/// The JSON object of `"respond": "principal"`: everything that the gate knows about the caller.
func principalObject(_ token: AccessToken, _ parameters: PathParameters) -> JSONObject {
    var names: JSONObject = [:]
    for parameter in parameters { names[parameter.name] = .string(parameter.value) }
    return [
        "resource": .string(token.resource.text),
        "issuer": .string(token.issuer),
        "subject": token.subject.map(JSONValue.string) ?? .null,
        "client_id": token.clientID.map(JSONValue.string) ?? .null,
        "scopes": .array(token.scopes.map { .string($0.name) }),
        "audience": .array(token.audience.map(JSONValue.string)),
        "expires_at": token.expiresAt.flatMap(number) ?? .null,
        "format": .string(token.format.rawValue),
        "binding": .string(token.binding.rawValue),
        "params": .object(names),
        "claims": .object(token.claims),
    ]
}

private func number(_ date: NumericDate) -> JSONValue? {
    if let whole = Int(exactly: date.seconds) { return .number(JSONNumber(whole)) }
    return JSONNumber(date.seconds).map(JSONValue.number)
}
