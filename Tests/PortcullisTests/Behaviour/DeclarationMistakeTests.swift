// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import Testing

// What release builds print is checked by Tests/Mistakes/check.
#if os(Linux) || os(macOS)
    @Suite("A mistake in a declaration ends the program with a sentence and its place")
    struct DeclarationMistakeTests {
        @Test func `a resource names its parameter, and the file and line of its declaration`() async {
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

        @Test func `a literal is quoted`() async {
            let result = await #expect(
                processExitsWith: .failure, observing: [\.standardErrorContent]
            ) {
                _ = "notes read" as Scope
            }
            let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
            #expect(text.contains("\"notes read\""))
        }

        @Test func `values from outside are refused without an end`() {
            // Not literals, which have initializers of their own.
            #expect(["G T", "", "PURGE"].map { Method($0)?.name } == [nil, nil, "PURGE"])
            #expect([99, 600, 404].map { Status($0)?.code } == [nil, nil, 404])
            #expect(["X Notes", "X-Notes"].map { FieldName($0)?.spelling } == [nil, "X-Notes"])
        }
    }
#endif
