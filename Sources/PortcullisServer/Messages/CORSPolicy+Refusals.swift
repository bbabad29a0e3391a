// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// Who may read what belongs to no route: the refusal of a malformed message, or a server that is full.
///
/// Such an answer says nothing about a resource. Without these fields a page would get a network error, and its
/// author no reason.
///
/// WHATWG Fetch, CORS check.
extension CORSPolicy {
    /// The pages that may read anything here; `nil` if no policy allows any.
    static func ofRefusals(_ policies: some Sequence<CORSPolicy>) -> CORSPolicy? {
        var union: CORSPolicy?
        for policy in policies where policy != union {
            union = union.map { $0.joined(with: policy) } ?? policy
        }
        return union
    }

    /// Adds the fields to a refusal.
    ///
    /// - Parameter head: The head of the request; `nil` if it could not be read, so that its origin is not
    ///   known, and every page may read the refusal.
    func apply(toRefusal response: inout Response, of head: RequestHead?, namesRequest: Bool) {
        if let head {
            apply(to: &response, of: head, namesRequest: namesRequest)
        } else {
            response.fields.append("*", for: Self.allowOrigin)
        }
    }
}
