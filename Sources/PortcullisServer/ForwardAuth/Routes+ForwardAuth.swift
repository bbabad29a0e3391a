// SPDX-License-Identifier: MIT

extension Routes {
    /// Lets proxies ask whether they may pass a request on to another server.
    ///
    /// The server decides by the routes of this declaration, as for a direct request with the told method, target and
    /// host, and runs no handler: 200 with the caller's identity in fields, or the refusal with its challenges. An
    /// unknown host, and a path of no resource and no route, are 403. Only peers in ``Server/Configuration/proxies``
    /// may ask; everybody else gets 404. A server has at most one such path, which comes before all routes.
    ///
    /// The proxy must route the same text that it has asked about, remove the identity fields of clients, and be the
    /// only way to the other server. <doc:ForwardAuthentication> has complete configurations.
    ///
    /// - Parameters:
    ///   - path: The path where the proxies ask; for Envoy the start of all paths.
    ///   - family: The kind of proxy.
    ///   - identityPrefix: The start of the names of the identity fields, as in ``ReverseProxy``.
    public mutating func forwardAuth(
        at path: String, for family: ForwardAuthFamily, identityPrefix: String = "X-Portcullis-"
    ) {
        ask(at: ForwardAuth(prefix + path, family, identityPrefix: identityPrefix))
    }
}
