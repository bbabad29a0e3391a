// SPDX-License-Identifier: MIT

package import Portcullis
package import PortcullisHTTP

/// The endpoint where one family of proxies asks.
package struct ForwardAuth: ForwardAuthEndpoint {
    package static let defaultIdentityPrefix = "X-Portcullis-"
    /// The most challenges that nginx is given one by one: Bearer and DPoP, and room for two more.
    static let maxChallengeCount = 4

    package let path: String
    let family: ForwardAuthFamily
    let identity: IdentityFields
    /// In the order of ``IdentityFields/values(of:)``.
    private let identityNames: [FieldName]
    /// The status of a direct request, for nginx.
    private let statusName: FieldName
    private let challengeNames: [FieldName]
    package let problems: [String]
    /// Normalized, as ``owns(_:)`` compares it.
    private let pathBytes: [UInt8]

    package init(_ path: String, _ family: ForwardAuthFamily, identityPrefix: String = defaultIdentityPrefix)
    {
        var problems: [String] = []
        if let problem = Self.problem(withPath: path) {
            problems.append("the path of forward authentication, \(path), \(problem)")
        }
        let isPrefix = IdentityFields.isPrefix(identityPrefix)
        if !isPrefix {
            problems.append(
                "the prefix of the identity fields, \(identityPrefix), \(Self.prefixRule)")
        }
        self.problems = problems
        self.path = path
        self.family = family
        pathBytes = Array(path.utf8)
        let prefix = isPrefix ? identityPrefix : Self.defaultIdentityPrefix
        identity = IdentityFields(prefix: prefix)
        func name(_ rest: String) -> FieldName { FieldName(prefix + rest) ?? FieldName(stringLiteral: rest) }
        identityNames = IdentityFields.values(of: nil).map { name("\($0.name)") }
        statusName = name("Status")
        challengeNames = (1...Self.maxChallengeCount).map { name("Challenge-\($0)") }
    }

    /// What a prefix of identity fields must be.
    package static let prefixRule =
        "must be letters, digits and hyphens, end with a hyphen, and begin no other field's name"

    package static func isIdentityPrefix(_ text: String) -> Bool { IdentityFields.isPrefix(text) }

    /// What is wrong with a path; `nil` if nothing is.
    package static func problem(withPath path: String) -> String? {
        guard path.utf8.first == 0x2F, path.utf8.count > 1, path.utf8.last != 0x2F else {
            return "must begin with a slash, be longer than that, and not end with one"
        }
        guard let normal = try? RequestPath(path), normal.text == path, !path.contains("{") else {
            return "must be a path in its normal form without parameters, such as /_auth"
        }
        if path == "/.well-known" || path.hasPrefix("/.well-known/") {
            return "must be elsewhere; metadata documents are published there"
        }
        return nil
    }

    package func owns(_ path: RequestPath) -> Bool {
        let bytes = path.bytes[path.range]
        guard bytes.count >= pathBytes.count, bytes.starts(with: pathBytes) else { return false }
        if bytes.count == pathBytes.count { return true }
        return family == .envoy && bytes[path.range.lowerBound + pathBytes.count] == 0x2F
    }

    package func read(
        _ carrier: RequestHead, _ semantics: RequestSemantics, maxTargetByteCount: Int
    ) throws(UnreadableCarrier) -> ToldRequest {
        let reader = ToldRequestReader(carrier, maxTargetByteCount: maxTargetByteCount)
        try reader.rejectTwins(of: identity)
        guard let fields = family.fields else { return try reader.read(semantics, below: pathBytes) }
        return try reader.read(fields)
    }

    package func admission(of token: AccessToken?) -> Response {
        var response = Response.ok
        identify(token, &response.fields)
        return response
    }

    private func identify(_ token: AccessToken?, _ fields: inout Fields) {
        for (name, value) in zip(identityNames, IdentityFields.values(of: token)) {
            fields.append(Fields.isValid(value.value) ? value.value : "", for: name)
        }
    }

    package func finish(_ response: inout Response, isAdmitted: Bool) {
        let isSuccess = (200..<300).contains(response.status.code)
        if isSuccess, isAdmitted, identityNames.allSatisfy(response.fields.contains) {
            // Envoy takes nothing but 200.
            response.status = .ok
            response.body = .bytes([])
            response.fields[.contentType] = nil
        } else {
            // The answer of a middleware, with which the proxy would pass the request on, and a client's own
            // identity fields with it.
            if isSuccess { response = .problem(.forbidden) }
            tellNginx(&response)
        }
        // A decision holds for one request. RFC 9111 §5.2.2.5.
        let directives = response.fields.values(of: .cacheControl).flatMap { $0.split(separator: ",") }
        if directives.contains(where: { $0.trimming() == "no-store" }) { return }
        response.fields[.cacheControl] = nil
        response.fields.appendNoStore()
    }

    private func tellNginx(_ response: inout Response) {
        guard family.passesFewStatuses else { return }
        let challenges = response.fields.values(of: .wwwAuthenticate)
        for (name, challenge) in zip(challengeNames, challenges) {
            response.fields.append(challenge, for: name)
        }
        response.fields.append("\(response.status.code)", for: statusName)
        switch response.status {
        case .badRequest, .notFound, .methodNotAllowed: response.status = .forbidden
        default: break
        }
    }
}

extension Substring {
    fileprivate func trimming() -> Substring {
        var text = self
        while let first = text.utf8.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        while let last = text.utf8.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return text
    }
}
