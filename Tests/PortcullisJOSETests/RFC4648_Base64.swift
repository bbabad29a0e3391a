// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

@Suite("RFC 4648 §5 Base 64 Encoding with URL and Filename Safe Alphabet")
struct RFC4648_5_Base64URL {
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"), ("fooba", "Zm9vYmE"),
        ("foobar", "Zm9vYmFy"),
    ])
    func `the vectors of §10, without padding`(plain: String, coded: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == coded)
        #expect(Base64URL.decode(coded) == Array(plain.utf8))
    }

    @Test func `every byte round-trips`() {
        for count in 0..<70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 67 + count * 13) }
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
        #expect(Base64URL.encode([0xFB, 0xFF, 0xFE]) == "-__-")
    }

    @Test(arguments: [
        "Z", "Zm9vY", "Zm9v Zm9v", "Zm9v\n", "\nZm9v", "Zg=", "Zg==", "Zm8=", "Zm9=", "Z+9v", "Z/9v", "Zé",
        "Zm9\u{0}", "====", "=", "Zm.v",
    ])
    func `padding, other characters and impossible lengths are refused`(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test func `exactly one spelling of the last character is canonical`() {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
        // RFC 4648 §3.5: two characters carry 8 bits of 12, three carry 16 of 18.
        #expect(alphabet.filter { Base64URL.decode("Z\($0)") != nil } == ["A", "Q", "g", "w"])
        #expect(alphabet.filter { Base64URL.decode("ZZ\($0)") != nil }.count == 16)
        #expect(alphabet.filter { Base64URL.decode("ZZZ\($0)") != nil }.count == 64)
    }

    @Test func `only the 64 characters of the alphabet are accepted`() {
        let accepted = (UInt8.min...UInt8.max).filter { Base64URL.decode([$0, 0x41, 0x41, 0x41]) != nil }
        #expect(accepted.count == 64)
        #expect(!accepted.contains(UInt8(ascii: "+")) && !accepted.contains(UInt8(ascii: "/")))
    }
}

@Suite("RFC 4648 §4 Base 64 Encoding")
struct RFC4648_4_Base64 {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `the vectors of §10`(plain: String, coded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == coded)
        #expect(Base64.decode(coded) == Array(plain.utf8))
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zm8", "Zm9v=", "Zm9v====", "====", "=", "==", "===", "Z===", "Zh==", "Zm9=", "Zg==Zg==",
        "Zm9v\n", "Z-9v",
        "Z_9v", "Zg= =", "Zm9v Zm9v", "Z=g=",
    ])
    func `missing, superfluous and non-canonical padding is refused`(text: String) {
        #expect(Base64.decode(text) == nil)
    }
}
