// SPDX-License-Identifier: MIT

import COpenSSL

/// The fingerprint of RSA keys made by Infineon's RSALib, whose modulus can be factored.
///
/// Every prime of that library is a power of 65537 modulo the product of the first small primes, and so is the modulus.
/// A modulus of another origin matches by chance once in 2^27.
///
/// CVE-2017-15361.
enum ROCAFingerprint {
    /// Small primes, and for each the remainders that powers of 65537 leave: bit `r` is set for remainder `r`, low word first.
    ///
    /// The list of the public detector, without the primes by which every remainder but 0 is such a power.
    private static let remainders: [(prime: UInt, mask: [UInt64])] = [
        (11, [0x402]),
        (13, [0x161A]),
        (17, [0x1A316]),
        (19, [0x30AF2]),
        (37, [0x400_0402]),
        (53, [0x12_DD70_3303_AED2]),
        (61, [0x1434_0266_1990_0B0A]),
        (71, [0x1647_2971_6B1D_977E, 0x1]),
        (73, [0x811A_4800_4962_078A, 0x147]),
        (79, [0x4010_4040_0064_0502, 0xB]),
        (97, [0x6000_0018_0000_0002, 0x1_0000_0000]),
        (103, [0xBD96_4257_768F_E396, 0x16_380E_9115]),
        (107, [0x6333_97BE_6A89_7E1A, 0x278_16EA_9821]),
        (109, [0xB003_685C_BE71_92BA, 0x1752_639F_4E85]),
        (127, [0xA04C_8143_0A19_0536, 0x6CA0_9850_C281_3205]),
        (151, [0x1A24_1200_3D18_030A, 0xBC00_4824_58DA_C35B, 0x50_C018]),
        (157, [0x071B_D5BA_CA0B_7E1A, 0xD76A_F638_2646_1899, 0x161F_B414]),
    ]

    /// Whether an unsigned big-endian modulus has the fingerprint.
    static func matches(_ modulus: [UInt8]) throws(JOSEError) -> Bool {
        guard let number = BN_bin2bn(modulus, Int32(modulus.count), nil) else {
            throw .cryptographyUnavailable
        }
        defer { BN_free(number) }
        return remainders.allSatisfy { entry in
            // BN_mod_word reports a failure as the largest number, which is no remainder.
            let remainder = BN_mod_word(number, entry.prime)
            guard remainder < entry.prime else { return false }
            return entry.mask[Int(remainder / 64)] >> (remainder % 64) & 1 == 1
        }
    }
}
