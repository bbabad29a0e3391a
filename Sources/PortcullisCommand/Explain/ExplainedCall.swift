// SPDX-License-Identifier: MIT

import PortcullisHTTP

/// A request as a client would send it.
struct ExplainedCall: Sendable {
    let head: RequestHead
    let path: RequestPath
    let authority: String

    /// Creates a request with a token; its scheme is DPoP if there is a proof.
    init(method: String, url: String, token: String, proof: String?) throws(Misuse) {
        guard let scheme = ["https://", "http://"].first(where: { url.hasPrefix($0) }) else {
            throw Misuse("--url needs an absolute http or https URL, not \"\(url)\"")
        }
        let rest = url.dropFirst(scheme.count)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let target = rest[end...].hasPrefix("/") ? String(rest[end...]) : "/" + rest[end...]
        var fields = [
            ("Host", String(rest[..<end])), ("Authorization", (proof == nil ? "Bearer " : "DPoP ") + token),
        ]
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
