// SPDX-License-Identifier: MIT

import Testing

@Suite("Documents: adapters for other servers")
struct AdapterLengthTests {
    @Test(arguments: ["hummingbird-adapter", "flyingfox-adapter"])
    func `an adapter has at most 50 lines without comments`(name: String) throws {
        let adapter = try #require(snippets()[name])
        let lines = adapter.split(separator: "\n", omittingEmptySubsequences: false)
        let code = lines.filter { !$0.drop { $0 == " " }.hasPrefix("//") }
        #expect(code.count <= 50)
        #expect(code.count > 20)
    }
}
