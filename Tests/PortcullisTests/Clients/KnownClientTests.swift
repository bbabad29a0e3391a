// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisDiscovery
import Testing

@Suite("How known clients read a challenge and a document")
struct KnownClientTests {
    static let location = "https://h/.well-known/oauth-protected-resource/mcp"
    static let plain = #"Bearer resource_metadata="\#(location)", scope="a b""#

    @Test(arguments: KnownClient.allCases)
    func `every client reads the gate's challenges`(client: KnownClient) {
        let reading = client.reading(of: [Self.plain, Self.plain.replacing("Bearer", with: "DPoP")])
        #expect(reading == .init(metadataURL: Self.location, scope: "a b"))
    }

    @Test(
        arguments: [
            // The field, and the clients that do not find the metadata in it.
            (#"DPoP resource_metadata="X""#, [.typeScriptSDK, .csharpSDK, .visualStudioCode, .inspector]),
            (#"bearer resource_metadata="X""#, [.visualStudioCode]),
            (#"Bearer  resource_metadata="X""#, [.typeScriptSDK]),
            (#"Basic realm="a", Bearer resource_metadata="X""#, [.typeScriptSDK]),
            (#"Negotiate abc==, Bearer resource_metadata="X""#, [.typeScriptSDK, .goSDK]),
            (#"Bearer realm="", resource_metadata="X""#, [.goSDK]),
            (#"Bearer realm="a\"b,", resource_metadata="X""#, [.visualStudioCode]),
            ("Bearer resource_metadata=X", [.goSDK, .csharpSDK, .oauth4webapi, .claude]),
            (
                #"Bearer, resource_metadata="X""#,
                [.typeScriptSDK, .goSDK, .csharpSDK, .oauth4webapi, .inspector, .claude]
            ),
            ("Bearer", KnownClient.allCases),
        ] as [(String, [KnownClient])])
    func `odd fields fail in the clients known to misread them`(field: String, locked: [KnownClient]) {
        let line = field.replacing("X", with: Self.location)
        let found = KnownClient.allCases.filter { $0.reading(of: [line]).metadataURL != Self.location }
        #expect(found == locked)
    }

    @Test func `the C# SDK cuts a value at a comma`() {
        let line = #"Bearer resource_metadata="https://h/a,b", scope="c""#
        let reading = KnownClient.csharpSDK.reading(of: [line])
        #expect(reading.metadataURL == #""https://h/a"#)
        #expect(reading.reason != nil)
        #expect(KnownClient.goSDK.reading(of: [line]).metadataURL == "https://h/a,b")
    }

    @Test func `a name with another name as its suffix misleads clients that search for patterns`() {
        let line = #"Bearer x_resource_metadata="https://evil", resource_metadata="https://h""#
        #expect(KnownClient.pythonSDK.reading(of: [line]).metadataURL == "https://evil")
        #expect(KnownClient.typeScriptSDK.reading(of: [line]).metadataURL == "https://evil")
        #expect(KnownClient.inspector.reading(of: [line]).metadataURL == "https://h")
    }

    @Test func `the inspector uses the last value of all schemes`() {
        let line = #"Bearer scope="a", DPoP scope="b""#
        #expect(KnownClient.inspector.reading(of: [line]).scope == "b")
    }

    @Test(
        arguments: [
            ("https://h/mcp", "https://h/mcp", KnownClient.allCases),
            (
                "https://H:443/mcp", "https://h/mcp",
                [
                    .typeScriptSDK, .pythonSDK, .visualStudioCode, .oauth4webapi, .inspector, .claude,
                ]
            ),
            ("https://h/mcp", "https://h/mcp/", [.typeScriptSDK, .pythonSDK, .csharpSDK, .inspector]),
            ("https://h/mcp/", "https://h/mcp", [.pythonSDK, .csharpSDK]),
            ("https://h", "https://h/mcp", [.typeScriptSDK, .pythonSDK, .csharpSDK, .inspector]),
            ("https://h/mcp", "https://h/mcp/tools", [.typeScriptSDK, .pythonSDK, .inspector]),
            ("https://h/mc", "https://h/mcp", []),
            ("https://evil/mcp", "https://h/mcp", []),
            (
                "https://h", "https://h/",
                [
                    .typeScriptSDK, .pythonSDK, .csharpSDK, .visualStudioCode, .oauth4webapi, .inspector,
                    .claude,
                ]
            ),
        ] as [(String, String, [KnownClient])])
    func `each client has its own rule for the resource that a document names`(
        resource: String, requested: String, accepting: [KnownClient]
    ) {
        let found = KnownClient.allCases.filter {
            $0.accepts(resource: resource, for: requested, atRoot: false)
        }
        #expect(found == accepting)
    }

    @Test func `at the root the Go and C# SDKs use only the origin`() {
        for client in [KnownClient.goSDK, .csharpSDK] {
            #expect(client.accepts(resource: "https://h", for: "https://h/mcp", atRoot: true))
            #expect(!client.accepts(resource: "https://h/mcp", for: "https://h/mcp", atRoot: true))
        }
    }
}
