// SPDX-License-Identifier: MIT

package import PortcullisHTTP

/// What a handler that relays to another server may do with the client's connection.
package protocol ExchangeControl: Sendable {
    /// Whether the connection uses TLS.
    var isEncrypted: Bool { get }

    /// The field in which this server's proxies send client certificates; `nil` if they send none.
    ///
    /// RFC 9440 §2.
    var certificateFieldName: FieldName? { get }

    /// Sends an interim response; nothing to a client of HTTP/1.0, or after the final head.
    ///
    /// RFC 9110 §15.2.
    func sendInterim(_ status: Status, _ fields: Fields)

    /// Everything that the client sends from now on, without framing.
    ///
    /// RFC 9110 §7.8.
    func beginTunnel() async -> RequestBody
}
