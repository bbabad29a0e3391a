// SPDX-License-Identifier: MIT

import PortcullisHTTP
import PortcullisTransport
import Testing

@Suite("An error of the client says phase and cause")
struct HTTPClientErrorTests {
    @Test(
        arguments: [
            (.resolveFailed(-2), "the host name was not found"),
            (.resolveFailed(-3), "the host name could not be looked up: the name server did not answer"),
            (.connectFailed(111), "the connection was refused"),
            (.connectFailed(113), "there is no route to the host"),
            (.connectFailed(110), "timed out while connecting"),
            (.timeout(.waiting), "timed out while waiting for a free connection"),
            (.timeout(.preparing), "timed out while looking up the host name"),
            (.timeout(.connecting), "timed out while connecting"),
            (.timeout(.tunnelling), "timed out while waiting for the proxy to connect"),
            (.timeout(.handshaking), "timed out while negotiating TLS"),
            (.timeout(.answering), "timed out while waiting for the answer"),
            (
                .tls(.certificateRefused(.expired)),
                "TLS: the certificate, or one of its chain, has expired (OpenSSL: certificate has expired)"
            ),
            (
                .tls(.certificateRefused(.unknownIssuer)),
                "TLS: the certificate is not issued by a trusted authority (OpenSSL: unable to get local "
                    + "issuer certificate)"
            ),
            (
                .tls(.certificateRefused(.selfSigned)),
                "TLS: the certificate signs itself and is not trusted (OpenSSL: self-signed certificate)"
            ),
            (
                .tls(.certificateRefused(.wrongName)),
                "TLS: the certificate is for another name (OpenSSL: hostname mismatch)"
            ),
            (
                .tls(.certificateRefused(.notYetValid)),
                "TLS: the certificate, or one of its chain, is not valid yet (OpenSSL: certificate is not yet "
                    + "valid)"
            ),
            (
                .tls(.certificateRefused(.other(26))),
                "TLS: the certificate was refused (OpenSSL: unsuitable certificate purpose)"
            ),
            (.tls(.protocolFailure(267)), "TLS: the server does not speak TLS at this port"),
            (.tls(.versionRefused), "TLS: the server offers no version from TLS 1.2 on"),
            (
                .tls(.alert(40)),
                "TLS: the server refused the connection with the alert 40 (handshake failure)"
            ),
            (.tls(.truncated), "TLS: the connection ended without the closure alert of TLS"),
            (.responseTooLarge, "the answer is larger than the limit"),
            (
                .malformedResponse(.headerBlockTooLarge),
                "the answer is not valid HTTP: the header block is too large"
            ),
            (.closed, "the connection was closed before the answer was complete"),
            (.proxy(.status(407)), "the proxy wants other credentials (status 407)"),
            (.proxy(.status(502)), "the proxy did not connect to the server (status 502)"),
            (.proxy(.connectFailed(111)), "the proxy cannot be reached: the connection was refused"),
            (.proxy(.closed), "the proxy closed the connection before it answered CONNECT"),
        ] as [(HTTPClientError, String)])
    func `in words`(error: HTTPClientError, words: String) {
        #expect(error.description == words)
    }
}
