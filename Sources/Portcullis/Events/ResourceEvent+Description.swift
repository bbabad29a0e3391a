// SPDX-License-Identifier: MIT

import PortcullisJOSE

extension ResourceEvent: CustomStringConvertible {
    /// A sentence for an operator's log.
    public var description: String {
        switch self {
        case .keysChanged(let issuer, let count): "\(issuer): \(count) keys loaded"
        case .privateKeysPublished(let issuer):
            "\(issuer): publishes private keys; ask its operator to replace them"
        case .keySkipped(let issuer, let index, let reason):
            "\(issuer): key \(index) of its set cannot be used: \(reason.phrase)"
        case .refreshFailed(let issuer, let fault):
            "\(issuer): keys or metadata could not be loaded: \(fault)"
        case .tenantsRefused(let issuer):
            "\(issuer): tokens of new tenants are refused, since max_tenants are known or more than 10 were "
                + "unknown in a minute"
        case .introspectionFailed(let issuer, let fault):
            "\(issuer): a token could not be introspected: \(fault)"
        case .introspectionSuspended(let issuer, let pause):
            "\(issuer): introspection keeps failing; no calls for \(pause.components.seconds) s"
        case .introspectionResumed(let issuer): "\(issuer): introspection works again"
        case .invalidationNotShared(let issuer):
            "\(issuer): an invalidation of tokens did not reach other processes"
        case .authenticationMethodNotListed(let issuer):
            "\(issuer): its metadata does not list the client_auth that introspection uses"
        case .assertionAlgorithmNotListed(let issuer):
            "\(issuer): its metadata does not list an algorithm that the key of our client assertions has"
        case .scopesNotListed(let issuer, let resource, let scopes):
            "\(issuer): its metadata does not list scopes of \(resource): "
                + scopes.map(\.name).joined(separator: " ")
        case .resourceNotListed(let issuer, let resource):
            "\(issuer): its metadata lists protected resources, but not \(resource)"
        case .malformedAuthorizationDetails(let issuer, let resource):
            "\(issuer): a token for \(resource) has malformed authorization_details, which grant nothing"
        case .unusableIntrospectionAnswer(let issuer, let member, let found):
            "\(issuer): an introspection answer could not be used: \(member) is \(found)"
        case .tokenWithNonce(let issuer, let resource):
            "\(issuer): a token for \(resource) has a nonce, as ID tokens have, and was accepted; check that "
                + "clients send access tokens"
        case .deprecatedAlgorithm(let issuer, let resource, let algorithm):
            "\(issuer): a token for \(resource) is signed with \(algorithm.rawValue), which leaves the curve "
                + "open; have the issuer sign with Ed25519, as RFC 9864 says"
        case .metadataChanged(let issuer): "\(issuer): metadata loaded"
        case .authorizationServerChanged(let issuer, let members):
            "\(issuer): security-relevant members of its metadata changed: \(members.joined(separator: ", "))"
        case .statusListLoaded(let issuer, let count):
            "\(issuer): a status list with \(count) entries loaded"
        case .statusListFailed(let issuer, let fault):
            "\(issuer): a status list could not be loaded: \(fault)"
        case .statusListsRefused(let issuer):
            "\(issuer): its tokens name more than 64 status lists; tokens of further lists get 503"
        case .statusIgnored(let issuer):
            "\(issuer): its tokens can be withdrawn by status lists, and status_list is off: they are accepted "
                + "until they expire"
        case .statusUnchecked(let issuer):
            "\(issuer): a token was accepted although its status list is unavailable, because fail_open is set"
        case .documentChanged(let resource, let old, let new):
            "metadata of \(resource): \(old ?? "none") is now \(new ?? "none")"
        }
    }
}

extension AuthorizationServerFault: CustomStringConvertible {
    /// A phrase for a log.
    public var description: String {
        switch self {
        case .noResponse(let error): error.description + (error.advice.map { "; \($0)" } ?? "")
        case .calling(let url, let fault): "\(url): \(fault)"
        case .status(let code): "the answer has status \(code), not 200"
        case .redirect(let code, let target):
            "the answer is a redirect (status \(code)) to \(target ?? "a URL that is not shown"), "
                + "which is not followed; configure the final URL"
        case .contentCoding(let coding): "the answer has Content-Encoding \(coding), which was not asked for"
        case .mediaType(let type): "the answer is \(type), not JSON"
        case .malformedJSON(let problem): "the answer is not strict JSON: \(problem)"
        case .malformedDocument: "the answer is not a JSON object"
        case .issuerMismatch(let named?, let expected):
            "the issuer in the metadata is \"\(named)\", not \"\(expected)\", byte for byte"
        case .issuerMismatch(nil, let expected):
            "the metadata has no issuer; it must be \"\(expected)\""
        case .insecureURL(let member?): "the \(member) in the metadata is not an https URL"
        case .insecureURL(nil): "the URL is not https"
        case .missingMember("keys"):
            "the document has no list of keys; check that the URL is that of a key set"
        case .missingMember(let name): "the document has no \(name), or one of another type"
        case .noMetadata(let faults): faults.map(\.description).joined(separator: "; ")
        case .emptyKeySet: "the key set has no key that can verify tokens"
        case .rejectedCredentials:
            "the introspection endpoint refused our credentials; check client_id, client_auth and the secret or "
                + "key"
        case .rejectedAssertion:
            "the introspection endpoint refused our client assertion; it does not know the key, or wants "
                + "another audience or typ: see assertion_audience and assertion_type"
        case .unsignedAnswer: "the introspection answer is not signed"
        case .untrustedAnswer:
            "the signed introspection answer does not verify or is for another resource"
        case .unusableCredentials: "OpenSSL could not sign the assertion that authenticates us"
        case .tooManyCalls: "too many concurrent introspection calls"
        case .callsSuspended: "introspection is suspended after failures"
        case .unusableStatusList(let fault): fault.description
        }
    }
}

extension FetchError {
    /// Where to look for the remedy, if it lies in this server's configuration.
    fileprivate var advice: String? {
        switch self {
        case .untrustedServer, .failed(.tls(.certificateRefused(.unknownIssuer))),
            .failed(.tls(.certificateRefused(.selfSigned))):
            "name a private authority in ca_certificates"
        case .failed(.tls(.alert(116))): "calls for keys and metadata present no client certificate"
        case .forbiddenAddress, .failed(.forbiddenAddress): "see private_addresses"
        case .failed(.proxy):
            "the proxy is that of outbound_proxy, or of HTTPS_PROXY or HTTP_PROXY in the environment"
        default: nil
        }
    }
}

extension FetchError: CustomStringConvertible {
    /// A phrase for a log.
    public var description: String {
        switch self {
        case .unreachable: "the connection failed or broke"
        case .forbiddenAddress:
            "the host has only private addresses, and connections to those are not allowed"
        case .untrustedServer: "the certificate of the server is not trusted"
        case .timedOut: "there was no complete answer in time"
        case .tooLarge: "the answer is larger than max_response_bytes allows"
        case .malformedResponse: "the answer is not HTTP"
        case .noFetcher: "no fetcher is configured"
        case .failed(.responseTooLarge): FetchError.tooLarge.description
        case .failed(let error): error.description
        }
    }
}
