// SPDX-License-Identifier: MIT

extension RequestHead: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The method alone: the target or a field may hold a token.
    public var description: String { "RequestHead(\(method.name))" }
    /// The method alone.
    public var debugDescription: String { description }
    /// A mirror without children: the contents may hold a token.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}

extension RequestFields: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The number of lines, without their contents.
    public var description: String { "RequestFields(\(head.slots.count))" }
    /// The number of lines.
    public var debugDescription: String { description }
    /// A mirror without children: the contents may hold a token.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
