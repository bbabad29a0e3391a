// SPDX-License-Identifier: MIT

import PortcullisTransport
import Synchronization

// When lists are fetched: for the first token that names one, and then by a timer. Requests never refresh a list
// that is there, so that an issuer cannot tell when its tokens are used. draft-ietf-oauth-status-list §12.

extension StatusListCache {
    private enum Turn {
        case begins, waits, refused, postponed
    }

    /// Loads a list, and calls a closure once, on any thread; at once if the list must not be fetched yet.
    ///
    /// One fetch serves all that wait for the list.
    func obtain(
        _ key: StatusListKey, from source: any StatusListSource, then finish: @escaping @Sendable () -> Void
    ) {
        let now = uptime()
        guard policy.inflater != nil else {
            if refusalReports.isDue(at: now) {
                source.report(.failed(.unusableStatusList(.noInflater)))
            }
            return finish()
        }
        let turn = state.withLock { state -> Turn in
            if state.entries[key] == nil {
                guard state.entries.count < Self.maxListCount || evictOne(&state, at: now) else {
                    return .refused
                }
                state.entries[key] = Entry(source, at: now)
            }
            guard let entry = state.entries[key] else { return .refused }
            state.entries[key]?.lastUse = now
            if entry.isLoading {
                state.entries[key]?.waiting.append(finish)
                return .waits
            }
            guard now >= entry.nextAttempt else { return .postponed }
            state.entries[key]?.source = source
            state.entries[key]?.isLoading = true
            state.entries[key]?.waiting = [finish]
            return .begins
        }
        switch turn {
        case .begins: Task { await load(key, from: source) }
        case .waits: break
        case .postponed: finish()
        case .refused:
            if refusalReports.isDue(at: now) { source.report(.refused) }
            finish()
        }
    }

    /// Fetches a list whose entry says that it is being loaded.
    private func load(_ key: StatusListKey, from source: any StatusListSource) async {
        let begun = uptime()
        let incident: StatusListIncident?
        do throws(AuthorizationServerFault) {
            let token = try await source.fetch(key.uri)
            incident = try await unpacking.unpack(token, for: key, in: self, fetchedAt: begun)
        } catch {
            incident = .failed(error)
        }
        settle(key, incident, begun)
        if let incident { source.report(incident) }
        startTimer()
    }

    /// Ends an attempt, and lets those go on that wait for it.
    private func settle(_ key: StatusListKey, _ incident: StatusListIncident?, _ begun: MonotonicInstant) {
        let now = uptime()
        let waiting = state.withLock { state -> [@Sendable () -> Void] in
            guard var entry = state.entries[key] else { return [] }
            if case .failed? = incident {
                entry.failureCount += 1
                entry.nextAttempt = StatusListTiming.nextAttempt(after: entry.failureCount, at: now)
                entry.due = entry.nextAttempt
            } else {
                entry.failureCount = 0
                entry.nextAttempt = begun + StatusListTiming.minInterval
            }
            entry.isLoading = false
            let waiting = entry.waiting
            entry.waiting = []
            state.entries[key] = entry
            return waiting
        }
        for finish in waiting { finish() }
    }

    /// Takes over the lists of an earlier table, until they are fetched again.
    ///
    /// A reload of the configuration while a list can't be fetched then refuses no token.
    func inherit(from other: StatusListCache, for source: any StatusListSource) {
        let earlier = other.state.withLock { $0.entries }
        let now = uptime()
        state.withLock { state in
            for (key, entry) in earlier where state.entries[key] == nil {
                guard let list = entry.list, now < entry.end, list.bytes.count <= policy.maxListByteCount,
                    state.entries.count < Self.maxListCount
                else { continue }
                state.entries[key] = Entry(source, at: now)
                if !store(list, until: entry.end, for: key, &state, at: now) { remove(key, &state) }
            }
        }
        startTimer()
    }

    // MARK: The timer

    /// The longest pause of the timer: a list may become due earlier than all others.
    private static let maxPause = Duration.seconds(15)

    private func startTimer() {
        let starts = state.withLock { state in
            defer { state.hasTimer = true }
            return !state.hasTimer
        }
        guard starts else { return }
        Task { [weak self] in
            while let pause = self?.pauseBeforeRefresh() {
                try? await Task.sleep(for: pause)
                await self?.refreshDueLists()
            }
        }
    }

    /// The time until the next list is due; `nil`, once, when there are no more lists.
    private func pauseBeforeRefresh() -> Duration? {
        let now = uptime()
        return state.withLock { state in
            guard let due = state.entries.values.lazy.filter({ !$0.isLoading }).map(\.due).min() else {
                state.hasTimer = !state.entries.isEmpty
                return state.hasTimer ? Self.maxPause : nil
            }
            return due <= now ? .milliseconds(10) : min(due - now, Self.maxPause)
        }
    }

    /// Fetches the lists that are due, and drops those that are no longer used.
    func refreshDueLists() async {
        let now = uptime()
        let due = state.withLock { state in
            for (key, entry) in state.entries where !entry.isLoading {
                let limit = entry.list == nil ? Self.evictableAfter : Self.idleLimit
                if entry.source == nil || now - entry.lastUse > limit { remove(key, &state) }
            }
            var due: [(key: StatusListKey, source: any StatusListSource)] = []
            for (key, entry) in state.entries where !entry.isLoading && entry.due <= now {
                guard let source = entry.source else { continue }
                state.entries[key]?.isLoading = true
                due.append((key, source))
            }
            return due
        }
        await withTaskGroup(of: Void.self) { group in
            for (key, source) in due { group.addTask { await self.load(key, from: source) } }
        }
    }
}

/// Inflates one list after the other, so that no more than one is in memory beside those that are kept.
actor StatusListUnpacking {
    /// Inflates a list and keeps it.
    ///
    /// - Returns: What to report: nothing if the list is as before.
    func unpack(
        _ token: StatusListToken, for key: StatusListKey, in lists: StatusListCache,
        fetchedAt fetched: MonotonicInstant
    ) throws(AuthorizationServerFault) -> StatusListIncident? {
        let policy = lists.policy
        guard let inflater = policy.inflater else { throw .unusableStatusList(.noInflater) }
        let bytes: [UInt8]
        do throws(StatusListInflationError) {
            bytes = try inflater.inflate(token.compressed, maxByteCount: policy.maxListByteCount)
        } catch {
            throw .unusableStatusList(error == .tooLarge ? .tooLarge : .malformedCompression)
        }
        guard bytes.count <= policy.maxListByteCount else { throw .unusableStatusList(.tooLarge) }
        let list = StatusList(width: token.width, bytes: bytes)
        let timing = StatusListTiming(token, fetchedAt: fetched, grace: policy.gracePeriod)
        let now = lists.uptime()
        let isChanged = lists.state.withLock { state -> Bool? in
            let isChanged = state.entries[key]?.list != list
            guard lists.store(list, until: timing.end, for: key, &state, at: now) else { return nil }
            state.entries[key]?.due = timing.due
            return isChanged
        }
        guard let isChanged else { throw .unusableStatusList(.noRoom) }
        return isChanged ? .loaded(entryCount: list.count) : nil
    }
}
