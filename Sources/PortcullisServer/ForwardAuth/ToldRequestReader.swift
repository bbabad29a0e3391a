// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// Reads the request that a carrier describes: each part from its one place, by the rules for direct requests.
///
/// What is missing, repeated or readable in two ways is refused.
struct ToldRequestReader {
    private let carrier: RequestHead
    private let maxTargetByteCount: Int

    init(_ carrier: RequestHead, maxTargetByteCount: Int) {
        self.carrier = carrier
        self.maxTargetByteCount = maxTargetByteCount
    }

    // MARK: Families with fields

    func read(_ fields: ToldFields) throws(UnreadableCarrier) -> ToldRequest {
        let target = try value(of: fields.target)
        let method = try value(of: fields.method)
        let host = try value(of: fields.host)
        guard carrier.bytes[method].allSatisfy(CharacterClass.isTokenCharacter) else {
            throw UnreadableCarrier(.invalidMethod)
        }
        // The comma of two values that a proxy or library has joined.
        guard !carrier.bytes[host].contains(0x2C) else { throw repeated(fields.host) }
        return try read(
            Method(token: carrier.text(method)), carrier.bytes[target], host: host, without: fields.names)
    }

    /// The value of a field that is there once, in its own spelling.
    private func value(of wanted: ToldFields.Name) throws(UnreadableCarrier) -> Range<Int> {
        var found: Range<Int>?
        for slot in carrier.slots {
            let name = FoldedName(carrier.bytes, slot.nameRange)
            guard name.equals(wanted.folded) else { continue }
            guard carrier.matches(slot, wanted.name) else {
                throw UnreadableCarrier(
                    .invalidForwardAuth,
                    advice: "another spelling of \(wanted.name) is present; the proxy must remove it")
            }
            guard found == nil else { throw repeated(wanted) }
            found = slot.valueRange
        }
        guard let found, !found.isEmpty else {
            throw UnreadableCarrier(
                .invalidForwardAuth,
                advice:
                    "\(wanted.name) is missing or empty; the proxy must set it, as forward_auth.family says")
        }
        return found
    }

    private func repeated(_ field: ToldFields.Name) -> UnreadableCarrier {
        UnreadableCarrier(
            .invalidForwardAuth,
            advice: "\(field.name) has more than one value; the proxy must replace a client's own")
    }

    // MARK: Envoy

    /// Reads the carrier's own first line.
    ///
    /// - Parameter prefix: The path of the endpoint, before the told target.
    func read(
        _ semantics: RequestSemantics, below prefix: [UInt8]
    ) throws(UnreadableCarrier) -> ToldRequest {
        let target = carrier.bytes[
            semantics.pathRange.lowerBound..<(semantics.queryRange ?? semantics.pathRange).upperBound]
        guard target.starts(with: prefix) else {
            throw UnreadableCarrier(
                .invalidForwardAuth, advice: "the path does not begin with the path_prefix as configured here"
            )
        }
        guard let host = semantics.hostRange else {
            throw UnreadableCarrier(.invalidForwardAuth, advice: "Host is missing; the proxy must send it")
        }
        return try read(carrier.method, target.dropFirst(prefix.count), host: host, without: [])
    }

    // MARK: All families

    private func read(
        _ method: Method, _ target: ArraySlice<UInt8>, host: Range<Int>, without names: [FieldName]
    ) throws(UnreadableCarrier) -> ToldRequest {
        do throws(UnreadableCarrier) {
            return try check(method, target, host: host, without: names)
        } catch {
            var fault = error
            fault.told = (method, Array(target))
            throw fault
        }
    }

    private func check(
        _ method: Method, _ target: ArraySlice<UInt8>, host: Range<Int>, without names: [FieldName]
    ) throws(UnreadableCarrier) -> ToldRequest {
        guard target.count <= maxTargetByteCount else { throw UnreadableCarrier(.targetTooLong) }
        // The proxies know the status of a host that is unknown, and of one that is none: 403.
        guard Authority(carrier.bytes, host) != nil else {
            throw UnreadableCarrier(.invalidHost, status: .forbidden)
        }
        // Two targets that a proxy or library has joined would be one path with a comma.
        let path = target.prefix { $0 != 0x3F }
        guard !zip(path, path.dropFirst()).contains(where: { $0 == 0x2C && $1 == 0x2F }) else {
            throw UnreadableCarrier(.ambiguousPath)
        }
        do throws(MalformedMessage) {
            // A tunnel has no path to decide about. RFC 9110 §9.3.6.
            guard method != .connect else { throw .invalidTarget }
            let head = try carrier.told(method, target, host: carrier.bytes[host], without: names)
            let parts = try RequestTarget(head)
            return ToldRequest(
                head: head, path: try RequestPath(head.bytes, parts.path), queryRange: parts.query,
                authority: carrier.text(host).lowercased())
        } catch {
            throw UnreadableCarrier(error)
        }
    }

    /// Rejects fields that a server behind may take for identity fields, and that no proxy replaces.
    func rejectTwins(of identity: IdentityFields) throws(UnreadableCarrier) {
        for slot in carrier.slots
        where FoldedName(carrier.bytes, slot.nameRange).begins(with: identity.foldedPrefix) {
            let isOwnSpelling = carrier.bytes[slot.nameRange].allSatisfy { byte in
                byte == 0x2D || CharacterClass.isDigit(byte)
                    || (0x61...0x7A).contains(CharacterClass.lowercase(byte))
            }
            guard isOwnSpelling else {
                throw UnreadableCarrier(
                    .invalidForwardAuth,
                    advice: "another spelling of an identity field is present; the proxy must remove it")
            }
        }
    }
}
