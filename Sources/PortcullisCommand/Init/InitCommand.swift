// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisDiscovery
import PortcullisJOSE

/// `portcullis init`: writes a configuration that fits an authorization server and its tokens.
package enum InitCommand: Subcommand {
    package static let name = "init"
    package static let summary = "writes a configuration for an authorization server and its tokens"
    package static let usage = """
        usage: portcullis init ISSUER RESOURCE [--token -]

        Fetches the metadata and the keys of the authorization server ISSUER, and writes a configuration
        that guards RESOURCE, the URL of your API, to standard output. Standard error explains each
        setting that accepts more than the default.

        With --token - it reads an access token from standard input, and finds the settings that this
        token needs. The token is sent nowhere. If no setting is sound it says why, and writes nothing.
        Give a token that was issued for this API, and read the explanations: they depend on the token.

        """

    package static func work(for words: [String]) throws(Misuse) -> Work {
        let words = try CommandLineWords(words, flags: [], options: ["--token"])
        guard words.operands.count == 2 else {
            // Not echoed: it may be a token.
            throw Misuse("two arguments are needed: the issuer, and the URL of the resource")
        }
        let issuer = words.operands[0]
        if let objection = IssuerURL.objection(to: issuer) {
            throw Misuse("the issuer \(issuer) \(objection)")
        }
        let resource: ResourceIdentifier
        do throws(ConfigurationError) {
            resource = try ResourceIdentifier(validating: words.operands[1])
        } catch {
            throw Misuse("the resource: \(error.description)")
        }
        var token: String?
        if let named = words.value(of: "--token") {
            // On a command line, other users of the machine could read it.
            guard named == "-" else { throw Misuse("--token must be -; the token comes from standard input") }
            let text = readLine() ?? ""
            token = text.split(separator: " ").last.map(String.init)
            guard token != nil else { throw Misuse("standard input has no token") }
        }
        return { [token] console in await run(issuer, resource, token, console) }
    }

    private static func run(
        _ issuer: String, _ resource: ResourceIdentifier, _ token: String?, _ console: Console
    ) async -> Outcome {
        var configuration = ProtectedResourceDiscovery.Configuration()
        configuration.allowsInsecureLoopback = true
        // The operator has named the issuer, so its address may be private.
        let discovery = ProtectedResourceDiscovery(
            fetcher: HTTPClientFetcher(), configuration: configuration)
        let server: DiscoveredAuthorizationServer
        do throws(DiscoveryError) {
            server = try await discovery.authorizationServer(issuer)
            console.writeError("The metadata of \(issuer) is at \(server.location).\n")
            if server.jwksURI != nil { _ = try await discovery.keys(of: server) }
        } catch {
            console.writeError("portcullis: the authorization server cannot be used: \(error)\n")
            return .trouble
        }
        var draft = FileDraft(guarding: resource, trusting: server)
        let result = await draft.fit(token)
        console.writeError(draft.notes.map { $0 + "\n" }.joined())
        switch result {
        case .fits:
            console.writeJSON(JSONText.indented(.object(draft.file)) + "\n")
            return .success
        case .unsound(let why):
            console.writeError("No sound configuration accepts this token. \(why)\n")
            return .failure
        case .unreadable(let why):
            console.writeError("portcullis: \(why)\n")
            return .trouble
        }
    }
}
