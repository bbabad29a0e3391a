// SPDX-License-Identifier: MIT

/// All locations of one resource's metadata, and the one named in challenges.
///
/// RFC 9728 §3, §5.1.
package struct MetadataLocations: Sendable, Hashable {
    /// One location: a percent-normalised path, and the query that requests must have, or `nil`.
    package struct Place: Sendable, Hashable {
        package let path: String
        package let query: String?
        /// Whether the path with and without a final slash is the same location.
        package let takesSlash: Bool
    }

    /// The URL in challenges.
    package let advertised: String
    /// The well-known location first.
    package let places: [Place]
    /// The paths below which nothing else is served: `/.well-known/` with each suffix.
    package let reservedPaths: [String]

    private static let alwaysReservedPaths = [WellKnownLocation.root]

    init(
        of identifier: ResourceIdentifier, _ publishing: MetadataPublishing = MetadataPublishing(),
        rootAlias: Bool = false
    ) {
        let suffixes = [WellKnownLocation.suffix] + publishing.additionalSuffixes
        var places: [Place] = []
        for suffix in suffixes {
            let location = WellKnownLocation(of: identifier, suffix: suffix)
            places.append(Place(path: location.path, query: location.query, takesSlash: true))
        }
        if rootAlias {
            let alias = Place(path: WellKnownLocation.root, query: nil, takesSlash: true)
            if !places.contains(alias) { places.append(alias) }
        }
        if let text = publishing.advertisedURL, let url = try? HTTPURL(text),
            url.hasOrigin(of: identifier.url)
        {
            let place = Place(path: url.path.isEmpty ? "/" : url.path, query: url.query, takesSlash: false)
            if !places.contains(where: { $0.path == place.path && $0.query == place.query }) {
                places.append(place)
            }
        }
        self.places = places
        advertised = publishing.advertisedURL ?? identifier.metadataURL
        reservedPaths =
            suffixes.count == 1 ? Self.alwaysReservedPaths : suffixes.map { "/.well-known/" + $0 }
    }
}

extension MetadataLocations.Place {
    /// The spellings of the path.
    package var paths: [String] {
        guard takesSlash else { return [path] }
        return [path, path.utf8.last == 0x2F ? String(path.dropLast()) : path + "/"]
    }

    /// Whether a request's query matches: exactly, or any if none is required.
    ///
    /// Compares after percent-normalisation.
    ///
    /// RFC 9728 §3.1, RFC 3986 §6.2.2.
    package func matches(query requested: String?) -> Bool { Self.matches(requested, query) }

    /// Whether a request's query matches that of a place.
    static func matches(_ requested: String?, _ query: String?) -> Bool {
        guard let query else { return true }
        guard let requested, let normalised = try? HTTPURL.normalised(requested.utf8) else { return false }
        return normalised.utf8.elementsEqual(query.utf8)
    }
}
