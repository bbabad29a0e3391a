// SPDX-License-Identifier: MIT

extension ConfigurationFile {
    /// Reports the variables of the environment that name a proxy and cannot be used.
    package func warningsOfEnvironment() -> [Finding] {
        var warnings: [Finding] = []
        _ = server.outbound.proxies { sentence in
            warnings.append(
                Finding(.warning, "$.server.outbound_proxy", "\(sentence); set outbound_proxy instead"))
        }
        return warnings
    }
}
