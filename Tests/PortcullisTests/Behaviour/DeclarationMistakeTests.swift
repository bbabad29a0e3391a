// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import Testing

// Tests/Mistakes/check checks what release builds print.
#if os(Linux) || os(macOS)
    @Suite("A mistake in a declaration ends the program with a message and its place")
    struct DeclarationMistakeTests {
        @Test func `a resource's message names its parameter, and the file and line of its declaration`()
            async
        {
            let result = await #expect(
                processExitsWith: .failure, observing: [\.standardErrorContent]
            ) {
                _ = ProtectedResource(
                    "https://api.example.com/notes", trusting: .jwt(issuer: "http://login.example.com"))
            }
            let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(text.contains("trusting[0].issuer: An issuer is an https URL"))
            #expect(text.contains("DeclarationMistakeTests.swift:"))
            #expect(!text.contains("$."))
        }

        @Test func `the message quotes a literal`() async {
            let result = await #expect(
                processExitsWith: .failure, observing: [\.standardErrorContent]
            ) {
                _ = "notes read" as Scope
            }
            let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(text.contains("\"notes read\""))
        }

        @Test func `operations and conditions that no request meets end the program`() async {
            let hidden = await #expect(
                processExitsWith: .failure, observing: [\.standardErrorContent]
            ) {
                _ = AccessRequirement.anyValidToken.distinguishing(
                    RequestOperation(["Mcp-Method": "a"]),
                    RequestOperation(["Mcp-Method": "a", "Mcp-Name": "b"]))
            }
            let text = String(decoding: hidden?.standardErrorContent ?? [], as: UTF8.self)
            #expect(text.contains("Operation 1 is never reached"))
            #expect(text.contains("DeclarationMistakeTests.swift:"))
            await #expect(processExitsWith: .failure) { _ = RequestOperation([:]) }
            await #expect(processExitsWith: .failure) { _ = RequestOperation(["a": "b", "A": "b"]) }
            await #expect(processExitsWith: .failure) { _ = RequestOperation(["a": " b"]) }
            await #expect(processExitsWith: .failure) { _ = ClaimCondition("/a", equals: .null) }
            await #expect(processExitsWith: .failure) {
                _ = AccessRequirement.anyValidToken.holding(
                    [ClaimCondition](repeating: ClaimCondition("/a", equals: 1), count: 17))
            }
            await #expect(processExitsWith: .failure) {
                _ = ExternalDecision(timeout: .seconds(61)) { _ in .permit }
            }
        }

        @Test func `invalid values at run time throw, and do not end the program`() {
            // Not literals, which have their own initializers.
            #expect(["G T", "", "PURGE"].map { Method($0)?.name } == [nil, nil, "PURGE"])
            #expect([99, 600, 404].map { Status($0)?.code } == [nil, nil, 404])
            #expect(["X Notes", "X-Notes"].map { FieldName($0)?.spelling } == [nil, "X-Notes"])
        }
    }
#endif
