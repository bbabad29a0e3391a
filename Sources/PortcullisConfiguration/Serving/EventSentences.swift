// SPDX-License-Identifier: MIT

package import Portcullis

/// What happened, as a sentence for an operator's log.
package func sentence(for event: ResourceEvent) -> String {
    switch event {
    case .keysChanged(let issuer, let count): "\(issuer): \(count) keys loaded"
    case .privateKeysPublished(let issuer): "\(issuer): publishes private keys; have them replaced"
    case .keySkipped(let issuer, let index, let reason):
        "\(issuer): key \(index) of its set cannot be used: \(reason)"
    case .refreshFailed(let issuer, let fault): "\(issuer): keys or metadata could not be loaded: \(fault)"
    case .introspectionFailed(let issuer, let fault): "\(issuer): a token could not be introspected: \(fault)"
    case .introspectionSuspended(let issuer, let pause):
        "\(issuer): introspection keeps failing; nobody is asked for \(pause.components.seconds) s"
    case .introspectionResumed(let issuer): "\(issuer): introspection works again"
    case .invalidationNotShared(let issuer):
        "\(issuer): an invalidation of tokens could not be told to other processes"
    case .authenticationMethodNotListed(let issuer):
        "\(issuer): its metadata does not list the client_auth that introspection uses"
    case .scopesNotListed(let issuer, let resource, let scopes):
        "\(issuer): its metadata does not list scopes of \(resource): \(scopes.map(\.name).joined(separator: " "))"
    case .resourceNotListed(let issuer, let resource):
        "\(issuer): its metadata lists protected resources, but not \(resource)"
    case .malformedAuthorizationDetails(let issuer, let resource):
        "\(issuer): authorization_details of a token for \(resource) are malformed, so that they grant nothing"
    case .metadataChanged(let issuer): "\(issuer): metadata loaded"
    case .authorizationServerChanged(let issuer, let members):
        "\(issuer): its metadata has changed where it matters: \(members.joined(separator: ", "))"
    case .documentChanged(let resource, let old, let new):
        "metadata of \(resource): \(old ?? "none") is now \(new ?? "none")"
    @unknown default: "something happened that this program has no words for"
    }
}
