// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

extension ProtectedResourceMetadata {
    /// Reads a resource's `metadata`, and rejects values that the server would publish but not enforce.
    ///
    /// RFC 9728 §2.
    init?(_ reader: ObjectReader) {
        let warnings: [String]
        do throws(ConfigurationError) {
            (self, warnings) = try Self.read(json: .object(reader.object), at: reader.path.text)
        } catch {
            reader.findings.add(error, at: reader.path)
            return nil
        }
        for warning in warnings {
            reader.findings.warning(reader.path, warning, isSaidAtStart: true)
        }
    }
}
