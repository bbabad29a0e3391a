// SPDX-License-Identifier: MIT

extension Request: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The method and nothing else: whatever a client sends may hold a token.
    public var description: String { "Request(\(method.name))" }
    /// The method and nothing else.
    public var debugDescription: String { description }
    /// Nothing of what it holds.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension RequestBody: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Nothing of what it holds: a form may hold a token.
    public var description: String { "RequestBody(redacted)" }
    /// Nothing of what it holds.
    public var debugDescription: String { description }
    /// Nothing of what it holds.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
