// SPDX-License-Identifier: MIT

internal import PortcullisHTTP

extension Server {
    /// Replaces the certificate and the authorities of clients for connections that begin after this returns.
    ///
    /// Open connections keep theirs; earlier sessions are not resumed. May be called from any task. Waits only
    /// for a turn of each event loop.
    ///
    /// Traps if the server was made without TLS: what a port speaks does not change while it is open.
    public func replaceTLS(
        _ tls: TLS, file: StaticString = #fileID, line: UInt = #line
    ) async {
        endUnless(
            usesTLS, "A server that was made without TLS can't be given a certificate.", file: file,
            line: line)
        for warning in tls.warnings { configuration.log(.warning(warning)) }
        await deployment.replace(tls: tls)
    }

    /// Whether clients have to speak TLS.
    public var usesTLS: Bool { configuration.tls != nil }
}
