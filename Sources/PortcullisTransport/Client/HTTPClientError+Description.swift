// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

extension HTTPClientError: CustomStringConvertible {
    /// The error as a phrase, with its phase and its cause.
    public var description: String {
        switch self {
        case .invalidURL: "the URL is not an absolute http or https URL that can be fetched"
        case .invalidMethod: "the method is not a token"
        case .invalidField: "a field value has a character that is not allowed"
        case .reservedField: "a field is set that the client sets itself"
        case .resolveFailed(let code): Self.words(ofLookUp: code)
        case .forbiddenAddress:
            "the host has only private addresses, and connections to those are not allowed"
        case .connectFailed(let code): Self.words(code)
        case .tls(let error): "TLS: \(error)"
        case .timeout(let phase): "timed out while \(phase)"
        case .proxy(let fault): fault.description
        case .responseTooLarge: "the answer is larger than the limit"
        case .malformedResponse(let reason): "the answer is not valid HTTP: \(reason)"
        case .closed: "the connection was closed before the answer was complete"
        case .tooManyWaiting: "too many requests wait for a connection or a name already"
        case .cancelled: "the request was cancelled"
        case .unavailable(let code): "the system has no resources for it: \(SystemMessage.text(code))"
        }
    }

    static func words(ofLookUp code: Int32) -> String {
        switch code {
        case EAI_NONAME: "the host name was not found"
        case EAI_AGAIN: "the host name could not be looked up: the name server did not answer"
        default: "the host name could not be looked up (\(SystemMessage.text(ofLookUp: code)))"
        }
    }

    static func words(_ code: Int32) -> String {
        switch code {
        case 0, ETIMEDOUT: "timed out while connecting"
        case ECONNREFUSED: "the connection was refused"
        case ECONNRESET: "the connection was reset"
        case EHOSTUNREACH, ENETUNREACH: "there is no route to the host"
        default: "the connection failed (\(SystemMessage.text(code)))"
        }
    }
}
