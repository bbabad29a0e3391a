// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisJOSE

extension AuthorizationServerFault {
    /// The fault without the URL that was called.
    public var cause: AuthorizationServerFault {
        if case .calling(_, let fault) = self { fault.cause } else { self }
    }

    /// The fault with the URL that was called, unless it has one already.
    func whenCalling(_ url: String) -> AuthorizationServerFault {
        if case .calling = self { self } else { .calling(url: ForeignText.shown(url), self) }
    }

    /// The fault of an answer with another status than 200.
    init(status: Status, location: String?) {
        self =
            (300..<400).contains(status.code) && status.code != 304
            ? .redirect(status.code, to: location.flatMap(ForeignText.shownURL)) : .status(status.code)
    }

    /// Makes the fault of a body that cannot be parsed.
    static func unparsable(_ body: [UInt8], _ error: any Error) -> AuthorizationServerFault {
        switch error {
        case let error as JSONError: .malformedJSON(JSONProblem(error, in: body))
        case JOSEError.malformedJSON(let error): .malformedJSON(JSONProblem(error, in: body))
        default: .malformedDocument
        }
    }

    /// The fault of a body that cannot be parsed, or what its fields say about why.
    func explained(coding: String?, type: String?) -> AuthorizationServerFault {
        switch self {
        case .malformedJSON, .malformedDocument: break
        default: return self
        }
        if let coding, !ASCII.equalIgnoringCase(coding, "identity") {
            return .contentCoding(ForeignText.shown(coding))
        }
        if let type, !ASCII.lowercased(type).contains("json") { return .mediaType(ForeignText.shown(type)) }
        return self
    }

    /// Whether the server answered at all.
    var isAnswer: Bool {
        switch cause {
        case .noResponse(let error): error.kind == .malformedResponse || error.kind == .tooLarge
        default: true
        }
    }

    /// Whether the next attempt may succeed without a change of the server's configuration.
    var isTransient: Bool {
        switch cause {
        case .noResponse, .status(408), .status(429), .status(500...): true
        default: false
        }
    }

    /// Whether the server answered, and says that it does not have such an issuer.
    ///
    /// Overload and lack of permission say nothing about the issuer.
    var deniesIssuer: Bool {
        switch cause {
        case .status(401), .status(403), .status(407), .status(408), .status(425), .status(429): false
        case .status(400..<500), .issuerMismatch: true
        case .noMetadata(let faults): faults.allSatisfy(\.deniesIssuer)
        default: false
        }
    }
}
