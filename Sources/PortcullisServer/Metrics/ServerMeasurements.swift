// SPDX-License-Identifier: MIT

internal import Portcullis

/// The state of a running server that is measured when somebody asks for it.
struct ServerMeasurements: Sendable {
    var resources: ResourceMeasurements
    /// The most connections at a time.
    var maxConnectionCount: Int
    /// The handlers that wait for a thread of the blocking pool, and the most that may.
    var waitingHandlers: (count: Int, capacity: Int)
}
