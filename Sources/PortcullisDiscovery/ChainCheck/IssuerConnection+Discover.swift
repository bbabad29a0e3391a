// SPDX-License-Identifier: MIT

import Portcullis

extension IssuerConnection {
    /// Fetches the metadata now, like a client, ignoring caches; reports changes since the last document.
    func discover(at time: TimeSource) async throws(DiscoveryError) -> DiscoveredAuthorizationServer {
        var configuration = ProtectedResourceDiscovery.Configuration()
        configuration.timeout = access.timeout
        configuration.maxResponseByteCount = access.maxResponseByteCount
        configuration.allowsInsecureLoopback = access.allowsInsecureLoopback
        configuration.maxCacheAge = .zero
        let discovery = ProtectedResourceDiscovery(
            fetcher: access.fetcher, configuration: configuration, time: time)
        let server = try await discovery.authorizationServer(issuer)
        reportChanges(in: server.document)
        return server
    }
}
