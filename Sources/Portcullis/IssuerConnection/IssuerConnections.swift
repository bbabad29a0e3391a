// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Synchronization

/// The connections of several resources: those that trust the same issuer load its keys once.
package final class IssuerConnections: Sendable {
    /// Connections of an earlier configuration, whose keys are used until the new ones have fetched theirs.
    private let previous: [ExactText: IssuerConnection]
    private let previousDirectories: [ExactText: TenantDirectory]
    private let connections = Mutex<[ExactText: IssuerConnection]>([:])
    private let directories = Mutex<[ExactText: TenantDirectory]>([:])
    /// The lists of the resources, which share them where their issuers are the same.
    private let lists = Mutex<[[ExactText]: [IssuerConnection]]>([:])

    /// Starts without a connection.
    ///
    /// - Parameter previous: The earlier connections: a new connection to one of their issuers starts with
    ///   the keys fetched there, so that a reload while the issuer is unreachable rejects no valid token.
    ///   They are fetched again at once.
    package init(succeeding previous: IssuerConnections? = nil) {
        self.previous = previous?.connections.withLock { $0 } ?? [:]
        previousDirectories = previous?.directories.withLock { $0 } ?? [:]
    }

    /// The connections of an earlier resource that trusts exactly these issuers, which have passed all checks.
    func connections(to issuers: [ExactText]) -> [IssuerConnection]? {
        lists.withLock { $0[issuers] }
    }

    /// The connections to exactly these issuers, in memory that all resources with the same issuers share.
    func connections(
        to issuers: [ExactText], making make: () -> [IssuerConnection]
    ) -> [IssuerConnection] {
        if let known = connections(to: issuers) { return known }
        let made = make()
        return lists.withLock { lists in
            if let known = lists[issuers] { return known }
            lists[issuers] = made
            return made
        }
    }

    /// Whether an earlier resource trusts the issuer, which has passed its checks.
    func hasConnection(to issuer: String) -> Bool {
        connections.withLock { $0[ExactText(issuer)] != nil }
    }

    func connection(to issuer: String, making make: () -> IssuerConnection) -> IssuerConnection {
        connections.withLock { connections in
            let key = ExactText(issuer)
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
            let key = ExactText(pattern)
            if let existing = directories[key] { return existing }
            let made = make()
            if let earlier = previousDirectories[key] { made.inheritState(from: earlier) }
            directories[key] = made
            return made
        }
    }
}
