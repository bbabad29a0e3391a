// SPDX-License-Identifier: MIT

/// The parts of another server's response that are sent as they came.
package final class RelayedHead: Sendable {
    /// The declared length of the content, also of a response to HEAD; `nil` if it is not declared.
    package let contentLength: Int?
    /// The whole `Date` line; `nil` if there is none.
    ///
    /// RFC 9110 §6.6.1.
    package let dateLine: [UInt8]?
    /// The field lines whose values are not UTF-8.
    package let rawLines: [UInt8]
    /// The whole head of a response after which both sides speak another protocol; `nil` for all others.
    ///
    /// RFC 9110 §7.8.
    package let upgradeHead: [UInt8]?

    package init(
        contentLength: Int?, dateLine: [UInt8]?, rawLines: [UInt8] = [], upgradeHead: [UInt8]? = nil
    ) {
        self.contentLength = contentLength
        self.dateLine = dateLine
        self.rawLines = rawLines
        self.upgradeHead = upgradeHead
    }
}
