// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// A request as a client would send it.
struct ExplainedCall: Sendable {
    let head: RequestHead
    let path: RequestPath
    let authority: String

    /// Creates a request with a token, or none; the token's scheme is DPoP if there is a proof.
    ///
    /// - Parameter headers: Further fields, each as `Name: value`.
    init(
        method: String, url: String, token: String?, proof: String?, headers: [String] = []
    ) throws(Misuse) {
        guard let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }) else {
            throw Misuse("--url needs an absolute http or https URL, not \"\(url)\"")
        }
        let rest = url.dropFirst(scheme.count)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let target = rest[end...].hasPrefix("/") ? String(rest[end...]) : "/" + rest[end...]
        var fields = [("Host", String(rest[..<end]))]
        if let token { fields.append(("Authorization", (proof == nil ? "Bearer " : "DPoP ") + token)) }
        for header in headers {
            let parts = header.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { throw Misuse("--header needs a name, a colon and a value") }
            fields.append((String(parts[0]), String(parts[1])))
        }
        if let proof { fields.append(("DPoP", proof)) }
        do throws(MalformedMessage) {
            let head = try RequestHead(method: Method(token: method), target: target, fields: fields)
            let semantics = try RequestSemantics(head, maxBodyByteCount: 0)
            path = try RequestPath(head, semantics)
            authority = semantics.hostRange.map { head.text($0).lowercased() } ?? ""
            self.head = head
        } catch {
            throw Misuse("the request is malformed: \(error)")
        }
    }
}
