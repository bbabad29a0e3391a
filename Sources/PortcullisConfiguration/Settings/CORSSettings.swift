// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisServer

extension CORSPolicy {
    /// Reads a `cors` object; `nil` if it allows no origin.
    init?(_ reader: ObjectReader) {
        let origins = reader.strings("allowed_origins") ?? []
        if origins != ["*"] {
            for (index, origin) in origins.enumerated() {
                guard let problem = CORSPolicy.problem(with: origin) else { continue }
                reader.findings.error(reader.path["allowed_origins"][index], problem)
            }
        }
        let allowed = Self.fields("allowed_headers", reader)
        let exposed = Self.fields("exposed_headers", reader)
        if origins.isEmpty, !allowed.isEmpty || !exposed.isEmpty {
            reader.warning("allowed_origins", "lists no origin, so the lists of fields have no effect")
        }
        reader.finish()
        // Invalid origins have been reported above.
        guard !origins.isEmpty, let policy = try? CORSPolicy(allowing: origins) else { return nil }
        self = policy
        allowedFields += allowed.filter { !allowedFields.contains($0) }
        exposedFields += exposed.filter { !exposedFields.contains($0) }
    }

    /// Reads field names, in addition to those that are always allowed or exposed.
    private static func fields(_ name: String, _ reader: ObjectReader) -> [FieldName] {
        (reader.strings(name, of: "field names") ?? []).enumerated().compactMap { index, text in
            // A wildcard would not cover Authorization, and hides what is meant. Fetch, CORS protocol.
            if text != "*", let field = FieldName(text) { return field }
            reader.findings.error(
                reader.path[name][index], "must be the name of a field, such as \"X-Custom\"")
            return nil
        }
    }
}
