// SPDX-License-Identifier: MIT

extension Request: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The method alone: everything else from the client may contain a token.
    public var description: String { "Request(\(method.name))" }
    /// The method alone.
    public var debugDescription: String { description }
    /// A mirror without children: the contents may include a token.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension RequestBody: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// A fixed text: a form may contain a token.
    public var description: String { "RequestBody(redacted)" }
    /// A fixed text.
    public var debugDescription: String { description }
    /// A mirror without children: the contents may include a token.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
