// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

extension ResourceSettings {
    /// Creates the token policy, with the nonce keys from their file and the shared replay store.
    ///
    /// Blocks its thread while it reads.
    func makePolicy(
        relativeTo file: String, storingIn store: SharedStore?, _ findings: FindingCollector
    ) -> TokenPolicy {
        var policy = tokens.policy
        policy.dpop.replayStore = store?.replays
        if let name = tokens.dpop.nonceKeysFile {
            let path = ConfigurationFile.resolve(name, relativeTo: file)
            policy.dpop.nonceKeys = Self.nonceKeys(from: path)
            if policy.dpop.nonceKeys.isEmpty {
                findings.error(
                    JSONPath(text: self.path)["tokens"]["dpop"]["nonce_keys_file"],
                    "cannot be used; must be a file with one key per line, each 32 or more random bytes in "
                        + "base64url")
            }
        }
        return policy
    }

    /// Reads a file with one key per line; returns no key if one of them is invalid.
    private static func nonceKeys(from path: String) -> [NonceKey] {
        guard let bytes = try? ConfigurationFile.contents(of: path) else { return [] }
        let lines = bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
        let keys = lines.compactMap { line in
            Base64URL.decode(String(decoding: line, as: UTF8.self)).flatMap { try? NonceKey(validating: $0) }
        }
        return keys.count == lines.count ? keys : []
    }
}
