// SPDX-License-Identifier: MIT

import COpenSSL

/// The named parameters from which OpenSSL creates a key.
struct KeyParameters: ~Copyable {
    private let builder: OpaquePointer
    private var numbers: [OpaquePointer] = []
    private var buffers: [UnsafeMutableRawBufferPointer] = []

    init() throws(JOSEError) {
        guard let builder = OSSL_PARAM_BLD_new() else { throw .cryptographyUnavailable }
        self.builder = builder
    }

    deinit {
        OSSL_PARAM_BLD_free(builder)
        for number in numbers { BN_clear_free(number) }
        for buffer in buffers {
            OPENSSL_cleanse(buffer.baseAddress, buffer.count)
            buffer.deallocate()
        }
    }

    /// Adds an unsigned big-endian number.
    mutating func add(_ name: StaticString, number bytes: [UInt8]) throws(JOSEError) {
        guard let number = BN_bin2bn(bytes, Int32(bytes.count), nil) else { throw .cryptographyUnavailable }
        numbers.append(number)
        guard OSSL_PARAM_BLD_push_BN(builder, Self.key(name), number) == 1 else {
            throw .cryptographyUnavailable
        }
    }

    mutating func add(_ name: StaticString, octets: [UInt8]) throws(JOSEError) {
        let buffer = keep(octets)
        guard OSSL_PARAM_BLD_push_octet_string(builder, Self.key(name), buffer.baseAddress, buffer.count) == 1
        else { throw .cryptographyUnavailable }
    }

    mutating func add(_ name: StaticString, text: String) throws(JOSEError) {
        let buffer = keep(Array(text.utf8))
        // SAFETY: raw bytes are read as characters, with their own length.
        let start = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
        guard OSSL_PARAM_BLD_push_utf8_string(builder, Self.key(name), start, buffer.count) == 1
        else { throw .cryptographyUnavailable }
    }

    /// The parts of a key.
    enum Selection {
        case domain, publicKey, pair

        fileprivate var value: Int32 {
            switch self {
            case .domain: COpenSSL_EVP_PKEY_KEY_PARAMETERS()
            case .publicKey: COpenSSL_EVP_PKEY_PUBLIC_KEY()
            case .pair: COpenSSL_EVP_PKEY_KEYPAIR()
            }
        }
    }

    /// A curve without a point.
    static func makeDomain(_ curve: EllipticCurve) throws(JOSEError) -> OpaquePointer? {
        var parameters = try KeyParameters()
        try parameters.add("group", text: curve.rawValue)
        return try parameters.makeKey(type: "EC", .domain)
    }

    /// Creates a key of the type, or returns `nil` if OpenSSL refuses the parameters.
    func makeKey(type: String, _ selection: Selection) throws(JOSEError) -> OpaquePointer? {
        guard let parameters = OSSL_PARAM_BLD_to_param(builder) else { throw .cryptographyUnavailable }
        defer { OSSL_PARAM_free(parameters) }
        guard let context = EVP_PKEY_CTX_new_from_name(nil, type, nil) else { throw .cryptographyUnavailable }
        defer {
            EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        var key: OpaquePointer?
        guard EVP_PKEY_fromdata_init(context) == 1,
            EVP_PKEY_fromdata(context, &key, selection.value, parameters) == 1
        else { return nil }
        return key
    }

    // SAFETY: OpenSSL keeps the pointers until the key is created; these buffers live as long as this value.
    private mutating func keep(_ bytes: [UInt8]) -> UnsafeMutableRawBufferPointer {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        buffer.copyBytes(from: bytes)
        buffers.append(buffer)
        return buffer
    }

    // SAFETY: OpenSSL keeps the name's address; a literal lives forever and ends with a zero byte.
    private static func key(_ name: StaticString) -> UnsafePointer<CChar> {
        UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
