// SPDX-License-Identifier: MIT

import Synchronization

/// The connections of several resources: those that trust the same issuer load its keys once.
package final class IssuerConnections: Sendable {
    /// Connections of an earlier configuration, whose keys are used until the new ones have fetched theirs.
    private let previous: [[UInt8]: IssuerConnection]
    private let previousDirectories: [[UInt8]: TenantDirectory]
    // Bytes, because String compares by canonical equivalence.
    private let connections = Mutex<[[UInt8]: IssuerConnection]>([:])
    private let directories = Mutex<[[UInt8]: TenantDirectory]>([:])

    /// Starts without a connection.
    ///
    /// - Parameter previous: The earlier connections: a new connection to one of their issuers starts with
    ///   the keys fetched there, so that a reload while the issuer is unreachable rejects no valid token.
    ///   They are fetched again at once.
    package init(succeeding previous: IssuerConnections? = nil) {
        self.previous = previous?.connections.withLock { $0 } ?? [:]
        previousDirectories = previous?.directories.withLock { $0 } ?? [:]
    }

    func connection(to issuer: String, making make: () -> IssuerConnection) -> IssuerConnection {
        connections.withLock { connections in
            let key = Array(issuer.utf8)
            if let existing = connections[key] { return existing }
            let made = make()
            if let earlier = previous[key] { made.inherit(from: earlier) }
            connections[key] = made
            return made
        }
    }

    /// Returns the tenants of a pattern.
    func directory(of pattern: String, making make: () -> TenantDirectory) -> TenantDirectory {
        directories.withLock { directories in
            let key = Array(pattern.utf8)
            if let existing = directories[key] { return existing }
            let made = make()
            if let earlier = previousDirectories[key] { made.inheritState(from: earlier) }
            directories[key] = made
            return made
        }
    }
}
