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

    /// The fault to report when several locations were tried: the one that says most about the server.
    ///
    /// A document of another issuer says more than one that cannot be parsed, and that more than a 404.
    static func mostTelling(
        _ first: AuthorizationServerFault?, _ second: AuthorizationServerFault
    ) -> AuthorizationServerFault {
        guard let first else { return second }
        return second.weight > first.weight ? second : first
    }

    private var weight: Int {
        switch cause {
        case .issuerMismatch, .insecureURL, .missingMember: 4
        case .malformedJSON, .malformedDocument, .mediaType, .contentCoding, .redirect: 3
        case .status(404), .status(410): 1
        default: 2
        }
    }
}
