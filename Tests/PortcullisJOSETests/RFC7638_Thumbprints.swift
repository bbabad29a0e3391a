// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

@Suite("RFC 7638 §3 JSON Web Key (JWK) Thumbprint")
struct RFC7638_3_Thumbprint {
    @Test(arguments: ["rfc7638/3.1", "rfc8037/A.3", "rfc9449/6.1"])
    func `published thumbprints are reproduced`(folder: String) throws {
        #expect(try Fixture.key("\(folder)/key.json").thumbprint == Fixture.text("\(folder)/thumbprint.txt"))
    }

    @Test func `optional members, member order and private members do not count`() throws {
        let json = try Fixture.object("rfc7515/A.3/key.json")
        let bare = try JWK(json.with("d", nil))
        var reversed = JSONObject()
        for member in json.members.reversed() { reversed[member.name] = member.value }
        #expect(try JWK(json).thumbprint == bare.thumbprint)
        #expect(try JWK(reversed.with("kid", "x").with("alg", "ES256")).thumbprint == bare.thumbprint)
    }

    @Test func `a leading zero of the modulus does not count`() throws {
        let plain = try Fixture.key("keys/accepted/rsa-2048-bits.json")
        let padded = try Fixture.key("keys/accepted/rsa-modulus-with-leading-zero.json")
        #expect(plain.thumbprint == padded.thumbprint)
    }

    @Test func `the key of the worked examples has its published thumbprint`() throws {
        #expect(
            try Fixture.key("jose/examples/dpop-key.json").thumbprint
                == "oFdFQlJmzN7y52mcmkCFWLbmuf6upOSjbo3d-f_NjaU")
    }
}
