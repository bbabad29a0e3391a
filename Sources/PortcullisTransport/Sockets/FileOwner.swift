// SPDX-License-Identifier: MIT

#if canImport(Glibc)
    internal import Glibc
#else
    internal import Darwin
#endif

#if canImport(Glibc)
    private typealias SystemGroup = Glibc.group
#else
    private typealias SystemGroup = Darwin.group
#endif

/// The user and the group that own a file.
public struct FileOwner: Sendable, Hashable {
    /// The user's number; `nil` leaves the user as it is.
    public var userID: UInt32?
    /// The group's number; `nil` leaves the group as it is.
    public var groupID: UInt32?

    /// Names an owner by numbers.
    public init(userID: UInt32? = nil, groupID: UInt32? = nil) {
        self.userID = userID
        self.groupID = groupID
    }

    /// The reason that a text names no owner.
    @nonexhaustive
    public enum UnknownOwner: Error, Sendable, Hashable {
        /// The text is not `user:group`, `user` or `:group`.
        case malformed
        /// The system has no such user.
        case user
        /// The system has no such group.
        case group
    }

    /// Looks up `user:group`, `user` or `:group`; each is a name or a number.
    ///
    /// Blocks its thread while the system looks up the names, which may be in a directory on the network.
    public init(named text: String) throws(UnknownOwner) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), parts != [""], parts != ["", ""], !text.utf8.contains(0) else {
            throw .malformed
        }
        self.init()
        if !parts[0].isEmpty {
            guard let user = UInt32(parts[0]) ?? Self.user(parts[0]) else { throw .user }
            userID = user
        }
        if parts.count == 2, !parts[1].isEmpty {
            guard let group = UInt32(parts[1]) ?? Self.group(parts[1]) else { throw .group }
            groupID = group
        }
    }

    /// The largest entry of the system's tables that is read.
    private static let maximumEntryByteCount = 1 << 20

    private static func user(_ name: String) -> UInt32? {
        var entry = passwd()
        var result: UnsafeMutablePointer<passwd>?
        return look { getpwnam_r(name, &entry, $0, $1, &result) }
            && result != nil ? UInt32(entry.pw_uid) : nil
    }

    private static func group(_ name: String) -> UInt32? {
        var entry = SystemGroup()
        var result: UnsafeMutablePointer<SystemGroup>?
        return look { getgrnam_r(name, &entry, $0, $1, &result) }
            && result != nil ? UInt32(entry.gr_gid) : nil
    }

    /// Calls a function with a buffer, and again with a larger one while it is too small.
    private static func look(_ call: (UnsafeMutablePointer<CChar>, Int) -> Int32) -> Bool {
        var count = 4096
        while count <= maximumEntryByteCount {
            // SAFETY: the system writes at most `count` bytes, and only numbers are read from the entry later.
            let code = withUnsafeTemporaryAllocation(of: CChar.self, capacity: count) { buffer in
                buffer.baseAddress.map { call($0, count) } ?? ERANGE
            }
            if code != ERANGE { return code == 0 }
            count *= 4
        }
        return false
    }
}
