// SPDX-License-Identifier: MIT

import PortcullisServer
import Testing

@Suite("Sentences that many subjects have in common")
struct RepeatedSentencesTests {
    @Test func `the first subjects are named and the others counted`() {
        var said = RepeatedSentences()
        let named = (0..<50).filter { _ in said.admits("a") }.count
        #expect(named == RepeatedSentences.maxNamedCount)
        let others = (0..<RepeatedSentences.maxNamedCount).filter { _ in said.admits("b") }.count
        #expect(others == RepeatedSentences.maxNamedCount)
        #expect(said.omitted.map(\.sentence) == ["a"])
        #expect(said.omitted.map(\.count) == [50 - RepeatedSentences.maxNamedCount])
    }
}
