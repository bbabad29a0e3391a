// SPDX-License-Identifier: MIT

import PortcullisTransport

/// The state of resources and their issuers, for an operator's metrics.
package struct ResourceMeasurements: Sendable {
    /// A bounded table.
    package struct Table: Sendable, Hashable {
        package let name: String
        /// The resource or the issuer that it belongs to.
        package let owner: String
    }

    /// How full a table is.
    package struct Fill: Sendable, Hashable {
        package var count: Int
        package var capacity: Int
    }

    /// The calls to an issuer with one kind and outcome.
    package struct Calls: Sendable, Hashable {
        package let issuer: String
        package let series: CallMeter.Series
    }

    package private(set) var fills: [Table: Fill] = [:]
    /// The age of fetched keys, by issuer; of several sets the oldest.
    package private(set) var keyAges: [String: Duration] = [:]
    package private(set) var calls: [Calls: DurationHistogram] = [:]

    /// Measures resources; connections that they share count once.
    ///
    /// Takes short locks, and does not wait.
    package init(of resources: [ProtectedResource]) {
        var seen: Set<ObjectIdentifier> = []
        for resource in resources {
            let gate = resource.gate
            let name = resource.identifier.text
            add("verified_tokens", of: name, gate.verified.count, gate.verified.capacity)
            add("rejected_tokens", of: name, gate.rejected.count, gate.rejected.capacity)
            if let (count, capacity) = gate.dpop?.replayFill { add("dpop_proofs", of: name, count, capacity) }
            let now = gate.validator.time.uptime()
            for connection in gate.validator.connections
            where seen.insert(ObjectIdentifier(connection)).inserted {
                measure(connection, at: now)
            }
        }
    }

    // Resources that were declared apart may have the same issuer, so equal names are added up.
    private mutating func add(_ table: String, of owner: String, _ count: Int, _ capacity: Int) {
        guard capacity > 0 else { return }
        let table = Table(name: table, owner: owner)
        let old = fills[table] ?? Fill(count: 0, capacity: 0)
        fills[table] = Fill(count: old.count + count, capacity: old.capacity + capacity)
    }

    private mutating func measure(_ connection: IssuerConnection, at now: MonotonicInstant) {
        let issuer = connection.issuer
        if let age = connection.keys?.publication.age(at: now) {
            keyAges[issuer] = max(keyAges[issuer] ?? .zero, age)
        }
        if let (count, capacity) = connection.introspector?.fill {
            add("introspection_calls", of: issuer, count, capacity)
        }
        if let (count, byteCount) = connection.statusLists?.fill, count > 0 {
            add("status_lists", of: issuer, count, StatusListCache.maxListCount)
            add("status_list_bytes", of: issuer, byteCount, StatusListPolicy.maxMemoryByteCount)
        }
        for (series, durations) in connection.calls.snapshot {
            calls[Calls(issuer: issuer, series: series), default: .init()].add(durations)
        }
    }
}
