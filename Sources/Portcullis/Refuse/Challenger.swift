// SPDX-License-Identifier: MIT

/// Writes the refusals of one resource.
///
/// RFC 6750 §3, RFC 9728 §5.1.
package struct Challenger: Sendable, Hashable {
    /// The URL of the resource's metadata, from the identifier and never from the request.
    let metadataURL: String
    let parameters: ChallengeParameters

    package init(metadataURL: String, parameters: ChallengeParameters = .none) {
        self.metadataURL = metadataURL
        self.parameters = parameters
    }

    /// The answer for a reason, telling the client what the request needs.
    package func refusal(_ reason: RefusalReason, requiring requirement: ScopeRequirement) -> Refusal {
        let challenge = challenge(error: reason, scopes: requirement.challenged)
        return Refusal(reason: reason, challenges: [challenge])
    }

    /// The answer while the authorization server can't be asked: no challenge, or clients would drop a good token.
    package func unavailable(_ reason: RefusalReason, retryAfter: Duration) -> Refusal {
        Refusal(reason: reason, challenges: [], retryAfter: retryAfter)
    }

    // The order is fixed: realm, resource_metadata, scope, extra ones, error, error_description.
    private func challenge(error reason: RefusalReason, scopes: ArraySlice<Scope>) -> Challenge {
        var list: [Challenge.Parameter] = []
        list.reserveCapacity(5 + parameters.extra.count)
        if let realm = parameters.realm { list.append(.init(name: "realm", value: realm)) }
        list.append(.init(name: "resource_metadata", value: metadataURL))
        // RFC 6750 §3: scope is left out rather than empty.
        if !scopes.isEmpty {
            list.append(.init(name: "scope", value: scopes.map(\.name).joined(separator: " ")))
        }
        list += parameters.extra
        if let error = reason.outcome.error {
            list.append(.init(name: "error", value: error))
            if let text = reason.publicDescription {
                list.append(.init(name: "error_description", value: text))
            }
        }
        return Challenge(scheme: .bearer, parameters: list)
    }
}
