// SPDX-License-Identifier: MIT

import PortcullisJOSE

extension ResourceEvent: CustomStringConvertible {
    /// What happened, as a sentence for an operator's log.
    public var description: String {
        switch self {
        case .keysChanged(let issuer, let count): "\(issuer): \(count) keys loaded"
        case .privateKeysPublished(let issuer): "\(issuer): publishes private keys; have them replaced"
        case .keySkipped(let issuer, let index, let reason):
            "\(issuer): key \(index) of its set cannot be used: \(reason.phrase)"
        case .refreshFailed(let issuer, let fault):
            "\(issuer): keys or metadata could not be loaded: \(fault)"
        case .introspectionFailed(let issuer, let fault):
            "\(issuer): a token could not be introspected: \(fault)"
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
        }
    }
}

extension AuthorizationServerFault: CustomStringConvertible {
    /// What was wrong, as a phrase for a log.
    public var description: String {
        switch self {
        case .noResponse(let error): error.description
        case .status(let code): "the answer has status \(code), not 200"
        case .malformedDocument: "the answer is not the JSON that belongs there"
        case .issuerMismatch: "the issuer in the metadata is another one than was configured"
        case .insecureURL: "a URL in the metadata is not https"
        case .missingMember: "the metadata lacks the member that is needed"
        case .emptyKeySet: "no key in the key set can be used"
        case .rejectedCredentials: "the introspection endpoint refused our credentials"
        case .unsignedAnswer: "the introspection answer is not signed"
        case .untrustedAnswer:
            "the signed introspection answer does not verify or is for another resource"
        case .unusableCredentials: "OpenSSL could not sign the assertion that authenticates us"
        case .tooManyCalls: "too many introspection calls are under way"
        case .callsSuspended: "introspection is suspended after failures"
        }
    }
}

extension FetchError: CustomStringConvertible {
    /// What was wrong, as a phrase for a log.
    public var description: String {
        switch self {
        case .unreachable: "there is no connection, or it broke"
        case .forbiddenAddress: "the host has only addresses that are not allowed"
        case .untrustedServer: "the certificate of the server is not trusted"
        case .timedOut: "there was no complete answer in time"
        case .tooLarge: "the answer is too large"
        case .malformedResponse: "the answer is not HTTP"
        case .noFetcher: "no fetcher was given"
        }
    }
}
