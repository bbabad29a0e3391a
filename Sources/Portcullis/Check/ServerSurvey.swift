// SPDX-License-Identifier: MIT

/// What a walk over several resources finds out about their authorization servers, so that each is asked once.
package actor ServerSurvey {
    private typealias Discovery = Result<DiscoveredAuthorizationServer, DiscoveryError>

    private var discoveries: [ObjectIdentifier: Task<Discovery, Never>] = [:]
    private var probes: [ObjectIdentifier: Task<AuthorizationServerFault?, Never>] = [:]

    /// Starts without an answer.
    package init() {}

    /// The metadata of an authorization server, asked for at the first call.
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

    /// Why nothing could be introspected, tried at the first call; nothing if that works or is not needed.
    func introspectionFault(of connection: IssuerConnection) async -> AuthorizationServerFault? {
        let key = ObjectIdentifier(connection)
        let task =
            probes[key]
            ?? Task {
                do throws(AuthorizationServerFault) {
                    try await connection.introspector?.probe()
                    return nil
                } catch {
                    return error
                }
            }
        probes[key] = task
        return await task.value
    }
}
