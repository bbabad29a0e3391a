// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

extension ResourceSettings {
    /// What is demanded of tokens, with the keys that the file names and the store that processes share.
    ///
    /// Holds its thread while it reads.
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
                    "cannot be used; must be a file with keys, one a line, each 32 or more random bytes in base64url"
                )
            }
        }
        return policy
    }

    /// The keys of a file, one a line; none if one of them is unfit.
    private static func nonceKeys(from path: String) -> [NonceKey] {
        guard let bytes = try? ConfigurationFile.contents(of: path) else { return [] }
        let lines = bytes.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D })
        let keys = lines.compactMap { line in
            Base64URL.decode(String(decoding: line, as: UTF8.self)).flatMap { try? NonceKey(validating: $0) }
        }
        return keys.count == lines.count ? keys : []
    }
}
