// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

@Suite("RFC 7797 §3, §6, §7 An unencoded payload is refused")
struct RFC7797_3_Unencoded {
    private func refusal(_ text: String) -> String? {
        do throws(JOSEError) {
            _ = try CompactJWS(text: text)
            return nil
        } catch {
            return error.name
        }
    }

    @Test func `§4.2: the published token is refused, detached and with its payload`() throws {
        let token = try Fixture.text("rfc7797/4.2-detached.txt")
        #expect(refusal(token) == "wrongPartCount")
        let parts = token.split(separator: ".", omittingEmptySubsequences: false)
        #expect(refusal("\(parts[0]).$.02.\(parts[2])") == "wrongPartCount")
        #expect(refusal("\(parts[0]).JC4wMg.\(parts[2])") == "unsupportedExtension")
    }

    @Test func `§4: the published control has a MAC, which no key here verifies`() throws {
        let token = try CompactJWS(text: Fixture.text("rfc7797/4-control.txt"))
        #expect(token.header.algorithm == nil)
        let key = try Fixture.key("rfc7515/A.3/key.json")
        #expect(throws: JOSEError.algorithmMismatch) { try token.verify(with: key, algorithm: .es256) }
    }

    @Test(
        arguments: [
            ["b64": false], ["b64": true], ["b64": false, "crit": ["b64"]], ["b64": true, "crit": ["b64"]],
            ["b64": "false"], ["b64": .null], ["crit": ["b64"]],
        ] as [JSONObject])
    func `§3, §6: b64 is refused with any value, with crit and without, signed by us or not`(
        header: JSONObject
    ) throws {
        let key = try PrivateJWK.generate(.es256)
        #expect(
            refusal(try key.sign(header: header, payload: Array("{}".utf8), algorithm: .es256))
                == "unsupportedExtension")
    }
}
