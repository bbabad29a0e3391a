// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTransport

/// Fetches documents, each once at a time, and caches them by the rules of HTTP.
///
/// A private cache: only answers of 200 are stored; a stale one is revalidated.
///
/// RFC 9111 §3, §4, §5.2.2.
actor DocumentCache {
    typealias Answer = Result<FetchResponse, FetchError>

    private struct Entry {
        let response: FetchResponse
        let freshUntil: MonotonicInstant
    }

    /// Larger documents are not stored, since other parties' documents must not fill the memory.
    private static let maxKeptByteCount = 65_536

    private let fetcher: any Fetcher
    private let bounds: ProtectedResourceDiscovery.Configuration
    private let time: TimeSource
    private var entries: [String: Entry] = [:]
    private var inFlight: [String: Task<Answer, Never>] = [:]
    /// The number of times the cache was emptied: an answer requested before is not stored afterwards.
    private var generation = 0

    init(
        _ fetcher: any Fetcher, _ bounds: ProtectedResourceDiscovery.Configuration,
        time: TimeSource
    ) {
        self.fetcher = fetcher
        self.bounds = bounds
        self.time = time
    }

    /// Returns the response to a GET, from the cache or from the network.
    func response(from url: String) async -> Answer {
        if let entry = entries[url], time.uptime() < entry.freshUntil { return .success(entry.response) }
        if let task = inFlight[url] { return await task.value }
        let task = Task { await self.load(url) }
        inFlight[url] = task
        return await task.value
    }

    /// Empties the cache.
    func removeAll() {
        entries = [:]
        inFlight = [:]
        generation += 1
    }

    private func load(_ url: String) async -> Answer {
        let old = entries[url]
        let asked = generation
        let answer = await fetch(url, revalidating: old?.response)
        guard asked == generation else {
            return answer.map { $0.status == .notModified ? old?.response ?? $0 : $0 }
        }
        inFlight[url] = nil
        guard case .success(let response) = answer else { return answer }
        // RFC 9111 §4.3.3: the 304 answer updates the freshness of the stored document.
        if response.status == .notModified, let old {
            keep(
                old.response, as: url,
                by: Freshness(response.fields, else: old.response.fields, at: time.now()))
            return .success(old.response)
        }
        entries[url] = nil
        if response.status == .ok { keep(response, as: url, by: Freshness(response.fields, at: time.now())) }
        return answer
    }

    private func fetch(_ url: String, revalidating old: FetchResponse?) async -> Answer {
        var fields: Fields = [.accept: "application/json"]
        if let etag = old?.fields[.etag] { fields[.ifNoneMatch] = etag }
        do throws(FetchError) {
            let response = try await fetcher.fetch(
                FetchRequest(
                    url: url, fields: fields, timeout: bounds.timeout,
                    maxResponseByteCount: bounds.maxResponseByteCount))
            let isTooLarge = response.body.count > bounds.maxResponseByteCount
            return isTooLarge ? .failure(.tooLarge) : .success(response)
        } catch {
            return .failure(error)
        }
    }

    private func keep(_ response: FetchResponse, as url: String, by freshness: Freshness) {
        let lifetime = min(freshness.lifetime, bounds.maxCacheAge)
        guard freshness.isStorable, bounds.maxCacheAge > .zero,
            response.body.count <= Self.maxKeptByteCount,
            lifetime > .zero || response.fields[.etag] != nil
        else {
            entries[url] = nil
            return
        }
        if entries[url] == nil, entries.count >= bounds.maxCachedDocumentCount { makeRoom() }
        entries[url] = Entry(response: response, freshUntil: time.uptime() + lifetime)
    }

    private func makeRoom() {
        let now = time.uptime()
        entries = entries.filter { $0.value.freshUntil > now }
        if entries.count >= bounds.maxCachedDocumentCount { entries.removeAll() }
    }
}

/// The freshness of a response.
///
/// RFC 9111 §4.2, §5.2.2, §5.3. Zero without `max-age` and `Expires`: there is no heuristic.
struct Freshness: Hashable {
    let isStorable: Bool
    let lifetime: Duration

    /// - Parameters:
    ///   - older: The fields of the stored document, if this response is a 304.
    ///   - now: The time of the response.
    init(_ fields: Fields, else older: Fields? = nil, at now: NumericDate) {
        let directives = Self.values(of: .cacheControl, fields, older)
            .flatMap { $0.utf8.split(separator: 0x2C) }
            .map {
                ASCII.lowercased(String(decoding: $0.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self))
            }
        let variesWithEverything = fields.values(of: .vary).contains { $0.utf8.contains(0x2A) }
        isStorable = !directives.contains("no-store") && !variesWithEverything
        let ages = directives.filter { $0.hasPrefix("max-age") }
        let given =
            ages.isEmpty
            ? Self.untilExpiry(fields, older, now)
            // RFC 9111 §4.2.1: contradictory directives count as stale.
            : ages.count == 1 && ages[0].hasPrefix("max-age=") ? Self.seconds(ages[0].dropFirst(8)) : nil
        guard let given, !directives.contains(where: { $0.hasPrefix("no-cache") }) else {
            lifetime = .zero
            return
        }
        let spent = fields["Age"].flatMap { Self.seconds($0[...]) } ?? 0
        lifetime = .seconds(max(0, given - spent))
    }

    /// Returns the seconds from the response's `Date` to its `Expires`; `nil` for an invalid date, such as 0.
    ///
    /// RFC 9111 §4.2.1, §5.3.
    private static func untilExpiry(_ fields: Fields, _ older: Fields?, _ now: NumericDate) -> Int? {
        let dates = values(of: "Expires", fields, older)
        guard dates.count == 1, let end = ReceivedDate.seconds(dates[0], now: now.seconds) else { return nil }
        let said = fields["Date"].flatMap { ReceivedDate.seconds($0, now: now.seconds) }
        return Int(min(max(0, end - (said ?? now.seconds)), 2_147_483_648))
    }

    private static func values(of name: FieldName, _ fields: Fields, _ older: Fields?) -> [String] {
        let own = fields.values(of: name)
        return own.isEmpty ? older?.values(of: name) ?? [] : own
    }

    /// Parses a number of seconds, and clamps one that is too large.
    ///
    /// RFC 9111 §1.2.2.
    private static func seconds(_ text: Substring) -> Int? {
        let digits = text.utf8.filter { $0 != 0x22 }
        guard !digits.isEmpty, digits.allSatisfy(CharacterClass.isDigit) else { return nil }
        return Int(String(decoding: digits.prefix(10), as: UTF8.self)).map { min($0, 2_147_483_648) }
    }
}
