// SPDX-License-Identifier: MIT

extension ConfigurationFile {
    /// Warns of secret files that other users of the machine can read or change.
    ///
    /// Checks the mode of private keys, nonce keys and passwords. Follows symbolic links; ignores access
    /// control lists.
    ///
    /// - Parameter file: The path of the configuration file, against which file names are resolved.
    package func warningsOfOpenSecrets(relativeTo file: String) -> [Finding] {
        secretFiles.compactMap { path, name in
            let resolved = Self.resolve(name, relativeTo: file)
            guard Self.isOpenToOthers(resolved) else { return nil }
            return Finding(
                .warning, path.text,
                "holds a secret, but users other than its owner can read or change "
                    + "\(TerminalText.printable(resolved)); set its mode to 600")
        }
    }

    /// Every file that a secret is read from, with the path of the key that names it.
    private var secretFiles: [(path: JSONPath, name: String)] {
        var files: [(JSONPath, String)] = []
        if let tls = server.tls { files.append((.root["server"]["tls"]["private_key"], tls.privateKey)) }
        if let name = store?.passwordFile { files.append((.root["store"]["password_file"], name)) }
        if let name = store?.clientPrivateKey { files.append((.root["store"]["client_private_key"], name)) }
        for server in authorizationServers {
            guard let introspection = server.introspection else { continue }
            let path = JSONPath(text: introspection.path)
            switch introspection.authentication {
            case .privateKeyJWT(_, let name): files.append((path["private_key"], name))
            case .tlsClientAuth(_, _, let key): files.append((path["client_private_key"], key))
            case .clientSecretBasic, .clientSecretPost, .bearer: break
            }
        }
        // By index: the copy of a resource costs a retain for each of its parts.
        for index in resources.indices {
            if let name = resources[index].tokens.dpop.nonceKeysFile {
                let path = JSONPath(text: resources[index].path)["tokens"]["dpop"]["nonce_keys_file"]
                files.append((path, name))
            }
            if let signing = resources[index].publishing.signing {
                files.append((JSONPath(text: signing.path)["private_key"], signing.privateKey))
            }
        }
        for proxy in (publicRoutes.proxied + resources.flatMap(\.routes.proxied)).compactMap(\.proxy) {
            guard let assertion = proxy.assertion else { continue }
            files.append(
                (JSONPath(text: proxy.path)["identity_assertion"]["private_key"], assertion.privateKey))
        }
        return files
    }
}
