// SPDX-License-Identifier: MIT

extension GateConformance {
    /// The statuses that a client gets for refusals of the gate, where these pass through something that changes
    /// them.
    ///
    /// Only the number is another: challenges, `Cache-Control` and content are expected as ever. Documents are
    /// expected with their own statuses, because a proxy passes them on without asking.
    public struct StatusMapping: Sendable, Hashable, ExpressibleByDictionaryLiteral {
        /// Each refusal as it is: the gate's own routes, the gateway, and nginx, Caddy and HAProxy with the
        /// configurations of the article on forward authentication, which restore every status.
        public static let unchanged: StatusMapping = [:]

        /// What the endpoint of `ForwardAuthFamily.nginx` answers: 400, 404 and 405 are 403.
        ///
        /// nginx passes only 401 and 403 on; the article's configuration restores the others.
        public static let nginxEndpoint: StatusMapping = [400: 403, 404: 403, 405: 403]

        private let changed: [Int: Int]

        /// Names the statuses of the gate that become others.
        public init(dictionaryLiteral elements: (Int, Int)...) {
            changed = Dictionary(elements) { _, last in last }
        }

        /// The status that a client gets.
        public subscript(status: Int) -> Int { changed[status] ?? status }
    }
}
