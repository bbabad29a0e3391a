// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// A request that a proxy holds back, as the proxy describes it in a request of its own, the carrier.
package struct ToldRequest: Sendable {
    /// The method, the target and `Host` as told; the other fields are the carrier's.
    package let head: RequestHead
    package let path: RequestPath
    /// The query of the target; `nil` if there is none.
    package let queryRange: Range<Int>?
    /// The host, in lower case, with an optional port.
    package let authority: String

    package init(head: RequestHead, path: RequestPath, queryRange: Range<Int>?, authority: String) {
        self.head = head
        self.path = path
        self.queryRange = queryRange
        self.authority = authority
    }
}

/// A carrier that does not describe a request.
package struct UnreadableCarrier: Error {
    package let malformation: MalformedMessage
    /// The status of the answer.
    package let status: Status
    /// What the operator must change, without anything from the request; `nil` if a client's own request is the
    /// cause.
    package let advice: String?
    /// The method and the target as far as they are told, for the log.
    package var told: (method: Method, target: [UInt8])?

    package init(_ malformation: MalformedMessage, status: Status = .badRequest, advice: String? = nil) {
        self.malformation = malformation
        self.status = status
        self.advice = advice
    }
}
