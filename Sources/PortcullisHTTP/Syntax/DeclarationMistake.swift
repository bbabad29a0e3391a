// SPDX-License-Identifier: MIT

/// Ends the program because of a mistake in its own code; prints a message and the source location.
///
/// For mistakes in declarations and literals, which show at every start; not for what a client sends.
/// Release builds print the message too, unlike `preconditionFailure` and `precondition`. The compiler
/// passes no source location to an initializer that takes a literal, so its message quotes the literal.
package func endForMistake(_ sentence: String, file: StaticString = #fileID, line: UInt = #line) -> Never {
    fatalError(sentence, file: file, line: line)
}

/// Ends the program unless a condition on its own code is true.
///
/// See ``endForMistake(_:file:line:)``.
@inline(__always)
package func endUnless(
    _ holds: Bool, _ sentence: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) {
    if !holds { endForMistake(sentence(), file: file, line: line) }
}
