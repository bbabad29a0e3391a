// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

extension ProtectedResourceMetadata {
    /// Reads a resource's `metadata`, and rejects values that the server would publish but not enforce.
    ///
    /// RFC 9728 §2.
    static func read(
        _ reader: ObjectReader
    ) -> (metadata: ProtectedResourceMetadata, warnings: [String])? {
        do throws(ConfigurationError) {
            let read = try read(json: .object(reader.object), at: reader.path.text)
            for warning in read.warnings {
                reader.findings.warning(reader.path, warning, isSaidAtStart: true)
            }
            return read
        } catch {
            reader.findings.add(error, at: reader.path)
            return nil
        }
    }
}
