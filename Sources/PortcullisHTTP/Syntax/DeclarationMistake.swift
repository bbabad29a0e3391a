// SPDX-License-Identifier: MIT

/// Ends the program because of a mistake in its own code, with a sentence and the place of the mistake on the standard error.
///
/// For declarations and literals, which are wrong each time the program starts or never; for nothing that a client can cause. Release
/// builds print the sentence too, which `preconditionFailure` and `precondition` leave out there. An initializer that takes a literal
/// is given no place by the compiler, so that its sentence quotes the literal.
package func endForMistake(_ sentence: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
    fatalError(sentence, file: file, line: line)
}

/// Ends the program unless its own code meets a condition.
///
/// See ``endForMistake(_:file:line:)``.
@inline(__always)
package func endUnless(
    _ holds: Bool, _ sentence: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    if !holds { endForMistake(sentence(), file: file, line: line) }
}
