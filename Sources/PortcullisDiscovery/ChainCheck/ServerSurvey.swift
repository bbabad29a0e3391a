// SPDX-License-Identifier: MIT

import Portcullis

/// Shares the checks of authorization servers between several resources, so that each server is called once.
package actor ServerSurvey {
    private typealias Discovery = Result<DiscoveredAuthorizationServer, DiscoveryError>

    private var discoveries: [ObjectIdentifier: Task<Discovery, Never>] = [:]
    private var probes: [ObjectIdentifier: Task<AuthorizationServerFault?, Never>] = [:]

    /// Creates an empty set of results.
    package init() {}

    /// Returns the metadata of an authorization server, fetched at the first call.
    func discover(
        _ connection: IssuerConnection, at time: TimeSource
    ) async throws(DiscoveryError) -> DiscoveredAuthorizationServer {
        let key = ObjectIdentifier(connection)
        let task =
            discoveries[key]
            ?? Task {
                do throws(DiscoveryError) {
                    return .success(try await connection.discover(at: time))
                } catch {
                    return .failure(error)
                }
            }
        discoveries[key] = task
        return try await task.value.get()
    }

    /// Returns the fault of introspection, tested at the first call; `nil` if it works or is not used.
    func introspectionFault(of connection: IssuerConnection) async -> AuthorizationServerFault? {
        let key = ObjectIdentifier(connection)
        let task = probes[key] ?? Task { await connection.introspectionFault() }
        probes[key] = task
        return await task.value
    }
}
