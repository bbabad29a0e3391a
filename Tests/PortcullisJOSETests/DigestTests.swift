// SPDX-License-Identifier: MIT

import PortcullisJOSE
import Testing

@Suite("FIPS 180-4 §6 Secure hash algorithms")
struct FIPS180_4_6_Digests {
    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    @Test func `the hashes of abc and of the empty message`() {
        let abc = Array("abc".utf8)
        #expect(
            hexadecimal(Digest.sha256(abc).bytes)
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            hexadecimal(Digest.sha256([]).bytes)
                == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(Digest.hash(abc, with: .sha256) == Digest.sha256(abc).bytes)
        #expect(
            hexadecimal(Digest.hash(abc, with: .sha384)).hasPrefix("cb00753f45a35e8bb5a03d699ac65007272c32ab")
        )
        #expect(
            hexadecimal(Digest.hash(abc, with: .sha512)).hasPrefix("ddaf35a193617abacc417349ae20413112e6fa4e")
        )
    }

    @Test func `a digest is a value of 32 bytes`() {
        let digest = Digest.sha256([1, 2, 3])
        #expect(SHA256Digest(digest.bytes) == digest)
        #expect(SHA256Digest(digest.bytes)?.hashValue == digest.hashValue)
        #expect(digest != Digest.sha256([1, 2, 4]))
        #expect(SHA256Digest([1]) == nil)
        #expect(SHA256Digest(digest.bytes + [0]) == nil)
        #expect(digest.base64URL.utf8.count == 43)
    }

    @Test func `the ath of RFC 9449 §7.1 is reproduced`() {
        let token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
        #expect(Digest.sha256(Array(token.utf8)).base64URL == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo")
    }

    @Test func `constant-time comparison compares correctly`() {
        #expect(ConstantTime.equals([1, 2, 3], [1, 2, 3]))
        #expect(ConstantTime.equals([], []))
        #expect(!ConstantTime.equals([1, 2, 3], [1, 2, 4]))
        #expect(!ConstantTime.equals([1, 2, 3], [1, 2]))
    }

    @Test func `random bytes do not repeat`() {
        #expect(SecureRandom.bytes(0) == [])
        #expect(Set((0..<100).map { _ in SecureRandom.bytes(16) }).count == 100)
    }
}
