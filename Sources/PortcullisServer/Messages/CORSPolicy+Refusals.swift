// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

/// Who may read what belongs to no route: the refusal of a malformed message, or a server that is full.
///
/// Such an answer says nothing about a resource. Without these fields a page would get a network error, and its
/// author no reason.
///
/// WHATWG Fetch, CORS check.
extension CORSPolicy {
    /// The pages that may read anything here; `nil` if no policy allows any.
    static func ofRefusals(_ policies: some Sequence<CORSPolicy>) -> CORSPolicy? {
        var union: CORSPolicy?
        for policy in policies where policy != union {
            union = union.map { $0.joined(with: policy) } ?? policy
        }
        return union
    }

    /// Adds the fields to the refusal of a request whose head was read.
    func apply(toRefusal response: inout Response, of head: RequestHead, namesRequest: Bool) {
        apply(to: &response, of: head, namesRequest: namesRequest)
    }

    /// Adds the fields to the refusal of a request whose head could not be read.
    ///
    /// - Parameter received: What has arrived of it.
    func apply(toRefusal response: inout Response, ofUnread received: UnsafeRawBufferPointer) {
        vary(&response.fields)
        guard let origin = origin(ofUnread: received) else { return }
        response.fields.append(origin, for: Self.allowOrigin)
    }

    /// The origin to name to a client whose request could not be read: `*` where every origin is allowed,
    /// otherwise a listed one.
    ///
    /// That is the request's own, if its line has arrived; if it has not, the only one of the list. `nil` if
    /// the origin is not listed, or cannot be told.
    func origin(ofUnread received: UnsafeRawBufferPointer) -> String? {
        guard let listed = listedOrigins else { return "*" }
        guard let asked = Self.originLine(in: received) else { return listed.count == 1 ? listed[0] : nil }
        return listed.first { $0.utf8.elementsEqual(asked) }
    }

    /// The value of the first whole line of `Origin`; `nil` if there is none.
    ///
    /// It decides on nothing but who may read a refusal.
    private static func originLine(in received: UnsafeRawBufferPointer) -> Slice<UnsafeRawBufferPointer>? {
        let name = Array("\norigin:".utf8)
        var start = received.startIndex
        while let lineFeed = received[start...].firstIndex(of: 0x0A) {
            start = lineFeed + 1
            let rest = received[lineFeed...]
            guard rest.count > name.count,
                zip(name, rest).allSatisfy({ $0 == CharacterClass.lowercase($1) })
            else { continue }
            let value = rest.dropFirst(name.count).drop { $0 == 0x20 || $0 == 0x09 }
            guard let end = value.firstIndex(where: { $0 == 0x0D || $0 == 0x0A }) else { return nil }
            return value[..<end]
        }
        return nil
    }
}
