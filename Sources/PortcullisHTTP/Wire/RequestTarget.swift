// SPDX-License-Identifier: MIT

/// The four forms of a request target.
///
/// RFC 9112 §3.2.
package enum TargetForm: Sendable, Hashable {
    /// A path and an optional query.
    case origin
    /// A whole `http:` or `https:` URI.
    case absolute
    /// Host and port, for CONNECT only.
    case authority
    /// `*`, for OPTIONS only.
    case asterisk
}

/// The parts of a request target, as ranges of the head's bytes.
///
/// Does not check the path; ``RequestPath`` does.
///
/// RFC 9112 §3.2.
package struct RequestTarget: Sendable {
    package let form: TargetForm
    /// Host and optional port; `nil` in the origin and asterisk forms.
    package let authority: Range<Int>?
    /// Empty for the authority and asterisk forms, and for an absolute target without a path.
    package let path: Range<Int>
    /// The query after the `?`; `nil` if there is no `?`.
    package let query: Range<Int>?

    /// Finds the parts of a request's target.
    package init(_ head: RequestHead) throws(MalformedMessage) {
        try self.init(head.bytes, head.targetRange, method: head.method)
    }

    init(_ bytes: [UInt8], _ range: Range<Int>, method: Method) throws(MalformedMessage) {
        guard !range.isEmpty else { throw .invalidTarget }
        let first = bytes[range.lowerBound]
        // RFC 9112 §3.2.3: CONNECT requires the authority form, and no other method allows it.
        if method == .connect {
            guard let authority = Authority(bytes, range), authority.port != nil else { throw .invalidTarget }
            self.init(
                form: .authority, authority: range, path: range.upperBound..<range.upperBound, query: nil)
        } else if first == 0x2F {
            self.init(form: .origin, authority: nil, bytes, pathAndQuery: range)
        } else if first == 0x2A, range.count == 1 {
            // RFC 9112 §3.2.4: for a server as a whole, with OPTIONS only.
            guard method == .options else { throw .invalidTarget }
            self.init(form: .asterisk, authority: nil, path: range.upperBound..<range.upperBound, query: nil)
        } else {
            try self.init(absolute: bytes, range)
        }
    }

    /// The normalized path; `nil` in the authority and asterisk forms, which have none.
    package func path(of head: RequestHead) throws(MalformedMessage) -> RequestPath? {
        guard form == .origin || form == .absolute else { return nil }
        return try RequestPath(head.bytes, path)
    }

    private init(absolute bytes: [UInt8], _ range: Range<Int>) throws(MalformedMessage) {
        let start: Int
        if bytes.equalsIgnoringCase(range.lowerBound..<min(range.lowerBound + 7, range.upperBound), "http://")
        {
            start = range.lowerBound + 7
        } else if bytes.equalsIgnoringCase(
            range.lowerBound..<min(range.lowerBound + 8, range.upperBound), "https://")
        {
            start = range.lowerBound + 8
        } else {
            throw .invalidTarget
        }
        let rest = bytes[start..<range.upperBound]
        let end = rest.firstIndex { $0 == 0x2F || $0 == 0x3F } ?? range.upperBound
        // RFC 9110 §4.2.4: user information in a target is an error; `Authority` rejects it.
        guard Authority(bytes, start..<end) != nil else { throw .invalidTarget }
        self.init(form: .absolute, authority: start..<end, bytes, pathAndQuery: end..<range.upperBound)
    }

    private init(form: TargetForm, authority: Range<Int>?, _ bytes: [UInt8], pathAndQuery range: Range<Int>) {
        let mark = range.first { bytes[$0] == 0x3F }
        self.init(
            form: form,
            authority: authority,
            path: range.lowerBound..<(mark ?? range.upperBound),
            query: mark.map { ($0 + 1)..<range.upperBound }
        )
    }

    private init(form: TargetForm, authority: Range<Int>?, path: Range<Int>, query: Range<Int>?) {
        self.form = form
        self.authority = authority
        self.path = path
        self.query = query
    }
}
