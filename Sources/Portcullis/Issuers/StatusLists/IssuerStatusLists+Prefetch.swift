// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Synchronization

// An issuer may list its status lists, so that they are fetched before a token names one: then the issuer cannot
// tell from the first fetch of a list that a token of it is in use. draft-ietf-oauth-status-list §9, §12.

extension IssuerStatusLists {
    /// Fetches the lists that the issuer's metadata leads to; does not wait, and fetches once.
    ///
    /// A failure is harmless: a list that is not fetched here is fetched for the first token that names it.
    func prefetch(from metadata: Refresher<AuthorizationServerMetadata>) {
        guard policy.mayFetch,
            hasPrefetched.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged
        else { return }
        Task {
            guard let reading = await metadata.reading() else {
                hasPrefetched.store(false, ordering: .relaxed)
                return
            }
            guard let url = reading.value.members["status_list_aggregation_endpoint"]?.string,
                let uris = try? await aggregated(at: url)
            else { return }
            for uri in uris { question(uri).ask {} }
        }
    }

    /// The lists that an aggregation document names at allowed origins, as many as are kept.
    private func aggregated(at url: String) async throws(AuthorizationServerFault) -> [String] {
        // The length of the body bounds the rest.
        let limits = JSONLimits(maximumByteCount: policy.maxResponseByteCount, maximumMemberCount: 1_000_000)
        let listed = try await access.document(url, accepting: "application/json") {
            (body) throws(AuthorizationServerFault) in
            guard let json = try? JSONValue.parse(body, limits: limits),
                let lists = json.object?["status_lists"]?.array
            else {
                throw .missingMember("status_lists")
            }
            return lists.prefix(StatusListCache.maxListCount).compactMap(\.string)
        }
        return listed.filter { $0.utf8.count <= StatusReference.maxURIByteCount && allows($0) }
    }
}
