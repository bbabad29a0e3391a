// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

extension ProtectedResourceMetadata {
    /// Reads `metadata` of a resource, and refuses what would be published but not kept.
    ///
    /// RFC 9728 §2.
    init?(_ reader: ObjectReader) {
        do throws(ConfigurationError) {
            try self.init(json: .object(reader.object), at: reader.path.text)
        } catch {
            reader.findings.add(error, at: reader.path)
            return nil
        }
        for warning in findings(at: reader.path.text).warnings {
            reader.findings.warning(reader.path, warning, isSaidAtStart: true)
        }
        if tlsClientCertificateBoundAccessTokens == true {
            reader.refuseForNow("tls_client_certificate_bound_access_tokens")
        }
        if dpopBoundAccessTokensRequired == true { reader.refuseForNow("dpop_bound_access_tokens_required") }
        if !dpopSigningAlgorithmsSupported.isEmpty {
            reader.refuseForNow("dpop_signing_alg_values_supported")
        }
        if !authorizationDetailsTypesSupported.isEmpty {
            reader.refuseForNow("authorization_details_types_supported")
        }
        if let methods = bearerMethodsSupported, methods != [.header] {
            reader.refuseForNow("bearer_methods_supported", "must be [\"header\"], or left out")
        }
    }
}
