// SPDX-License-Identifier: MIT

extension RequestHead: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The method and nothing else: a target or a field may hold a token.
    public var description: String { "RequestHead(\(method.name))" }
    /// The method and nothing else.
    public var debugDescription: String { description }
    /// Nothing of what it holds.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension RequestFields: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// How many lines there are, and nothing of what they hold.
    public var description: String { "RequestFields(\(head.slots.count))" }
    /// How many lines there are.
    public var debugDescription: String { description }
    /// Nothing of what it holds.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
