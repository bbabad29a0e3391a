// SPDX-License-Identifier: MIT

/// Checks `*( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] ) CR`, a byte at a time.
///
/// RFC 9112 §7.1.1.
struct ChunkExtensionScanner: Sendable {
    private enum State: Sendable {
        case beforeSemicolon, beforeName, name, afterName, beforeValue, token, quoted, escaped, afterQuoted
    }

    private var state = State.beforeSemicolon
    private var hasBlank = false

    /// Checks the next byte.
    ///
    /// - Returns: Whether it was the CR that ends the line.
    mutating func take(_ byte: UInt8) throws(MalformedMessage) -> Bool {
        switch state {
        case .beforeName, .beforeValue: try begin(byte)
        case .quoted:
            guard CharacterClass.isFieldValueCharacter(byte) else { throw .invalidChunk }
            state = byte == 0x22 ? .afterQuoted : byte == 0x5C ? .escaped : .quoted
        case .escaped:
            guard CharacterClass.isFieldValueCharacter(byte) else { throw .invalidChunk }
            state = .quoted
        case .name, .token:
            guard !CharacterClass.isTokenCharacter(byte) else { return false }
            return try separate(byte)
        case .beforeSemicolon, .afterName, .afterQuoted: return try separate(byte)
        }
        return false
    }

    private mutating func begin(_ byte: UInt8) throws(MalformedMessage) {
        if FieldLine.isBlank(byte) { return }
        if state == .beforeValue, byte == 0x22 {
            state = .quoted
            return
        }
        guard CharacterClass.isTokenCharacter(byte) else { throw .invalidChunk }
        state = state == .beforeName ? .name : .token
    }

    /// Checks a byte after a name, a value or the chunk size.
    private mutating func separate(_ byte: UInt8) throws(MalformedMessage) -> Bool {
        switch byte {
        case 0x20, 0x09:
            // RFC 9112 §7.1.1: bad white space only before a separator.
            state = state == .name || state == .afterName ? .afterName : .beforeSemicolon
            hasBlank = true
            return false
        case 0x3B:
            state = .beforeName
        case 0x3D:
            guard state == .name || state == .afterName else { throw .invalidChunk }
            state = .beforeValue
        case 0x0D:
            guard !hasBlank else { throw .invalidChunk }
            return true
        default: throw .invalidChunk
        }
        hasBlank = false
        return false
    }
}
