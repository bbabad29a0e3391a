// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisTesting

// Validates tokens with the gate. The first line of the input is a JSON object with `issuer`, `resource`,
// `now` and `keys`; each further line is a token. Prints one line per token: `accepted`, the reason for the
// refusal, or `unsendable` if no header field can hold the token.

struct Judge {
    private let resource: ProtectedResource

    init?(_ line: String?) throws {
        guard let line, let settings = try JSONValue.parse(Array(line.utf8)).object,
            let issuer = settings["issuer"]?.string, let identifier = settings["resource"]?.string,
            let now = settings["now"]?.number.flatMap({ NumericDate($0) }), let keys = settings["keys"]
        else { return nil }
        var policy = TokenPolicy()
        policy.verifiedCacheEntryCount = 0
        let metadata = ProtectedResourceMetadata(resource: try ResourceIdentifier(validating: identifier))
        resource = try ProtectedResource(
            validating: .init(
                metadata, trusting: [.jwt(issuer: issuer, keys: .fixed(JWKSet(keys)))],
                tokens: policy,
                time: ManualClock(at: now).time))
    }

    func verdict(on token: String) async -> String {
        guard
            let head = try? RequestHead(
                method: .get, target: resource.identifier.path,
                fields: [("Authorization", "Bearer " + token)])
        else { return "unsendable" }
        do throws(Refusal) {
            _ = try await resource.authorize(head)
            return "accepted"
        } catch {
            return error.reason.rawValue
        }
    }
}

guard let judge = try Judge(readLine()) else {
    fatalError("The first line is a JSON object with issuer, resource, now and keys.")
}
while let token = readLine() { print(await judge.verdict(on: token)) }
