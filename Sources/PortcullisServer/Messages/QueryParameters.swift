// SPDX-License-Identifier: MIT

internal import Portcullis

/// The parameters of a query, in order, with repetitions.
///
/// Read by the rules for forms, as browsers and `URLSearchParams` write them: pairs end at `&`, a name ends at
/// the first `=`, `+` is a space, and percent-encoding is decoded once. Nothing in a pair is an error: a percent
/// sign without two digits stands for itself, and bytes that are not UTF-8 become U+FFFD. Names are compared
/// byte by byte.
///
/// URL Standard §5.1.
public struct QueryParameters: Sendable, Hashable, RandomAccessCollection {
    /// The most parameters of a query; more are an error: 400.
    public static let maximumCount = 256

    /// One parameter with its value, both decoded.
    public struct Parameter: Sendable, Hashable {
        /// The name; empty for a pair that begins with `=`.
        public let name: String
        /// The value; empty for a pair without `=`.
        public let value: String
    }

    private let list: [Parameter]

    /// Reads a query, without the question mark.
    init(_ query: ArraySlice<UInt8>) throws(QueryError) {
        var list: [Parameter] = []
        for pair in query.split(separator: 0x26) {
            guard list.count < Self.maximumCount else { throw .tooManyParameters }
            let name = pair.prefix { $0 != 0x3D }
            list.append(Parameter(name: Self.text(name), value: Self.text(pair.dropFirst(name.count + 1))))
        }
        self.list = list
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        String(decoding: FormParameter.decoded(bytes), as: UTF8.self)
    }

    /// The first value of a parameter; `nil` if the query does not have it.
    ///
    /// ``values(of:)`` has them all.
    public subscript(name: String) -> String? {
        first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// Every value of a parameter, in order.
    public func values(of name: String) -> [String] {
        filter { $0.name.utf8.elementsEqual(name.utf8) }.map(\.value)
    }

    /// The position of the first parameter.
    public var startIndex: Int { list.startIndex }
    /// The position after the last parameter.
    public var endIndex: Int { list.endIndex }
    /// The parameter at a position.
    public subscript(position: Int) -> Parameter { list[position] }
}

/// Why a query was not read.
///
/// A handler may let it propagate: the server answers 400 with its sentence.
public enum QueryError: Error, Sendable, Hashable {
    /// There are more than ``QueryParameters/maximumCount`` parameters. RFC 9110 §15.5.1.
    case tooManyParameters
}

extension QueryError: CustomStringConvertible {
    /// A sentence for the client, without any value.
    public var description: String {
        switch self {
        case .tooManyParameters: "The query has more than \(QueryParameters.maximumCount) parameters."
        }
    }
}
