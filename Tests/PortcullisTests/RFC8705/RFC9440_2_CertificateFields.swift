// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisTesting
import Testing

/// The forms in which proxies send the certificate of their client.
@Suite("RFC 9440 §2 The field with the client's certificate")
struct RFC9440_2_CertificateFields {
    static let field = ClientCertificateField("X-SSL-Client-Cert", .pem)
    /// The certificate `30 03 02 01 07`, as nginx escapes it.
    static let escaped = "-----BEGIN%20CERTIFICATE-----%0AMAMCAQc%3D%0A-----END%20CERTIFICATE-----%0A"
    let scene = Scene()

    private func refusal(_ fields: (String, String)..., token: String? = nil) async -> Refusal? {
        let token =
            token
            ?? scene.issuer.mint(
                audience: Scene.identifier, certificate: RFC8705_3_CertificateBinding.der)
        return await scene.resource.refusal(
            of: .get("/notes", bearer: token, fields: fields),
            in: AuthorizationContext(clientCertificate: .field(Self.field)))
    }

    @Test(arguments: [
        escaped, escaped.replacing("%0A", with: "%0D%0A"), escaped.replacing("%3D", with: "="),
        String(escaped.dropLast(3)), "-----BEGIN CERTIFICATE-----%0AMAMC%0AAQc=%0A-----END CERTIFICATE-----",
    ])
    func `a certificate in escaped PEM is read`(value: String) async {
        #expect(await refusal(("x-ssl-client-cert", value)) == nil)
    }

    @Test func `another certificate, none, and the standard's field are refused`() async {
        let other = Self.escaped.replacing("MAMCAQc", with: "MAMCAQg")
        #expect(await refusal(("X-SSL-Client-Cert", other))?.reason == .clientCertificateMismatch)
        #expect(await refusal()?.reason == .missingClientCertificate)
        #expect(await refusal(("X-SSL-Client-Cert", ""))?.reason == .missingClientCertificate)
        #expect(await refusal(("Client-Cert", ":MAMCAQc=:"))?.reason == .missingClientCertificate)
    }

    @Test(arguments: [
        ":MAMCAQc=:", "MAMCAQc=", "-----BEGIN%20CERTIFICATE-----%0A-----END%20CERTIFICATE-----",
        "-----BEGIN%20CERTIFICATE-----MAMCAQc%3D-----END%20CERTIFICATE-----",
        "-----BEGIN%20PUBLIC%20KEY-----%0AMAMCAQc%3D%0A-----END%20PUBLIC%20KEY-----",
        "-----BEGIN%20CERTIFICATE-----%0AMAMC*Qc%3D%0A-----END%20CERTIFICATE-----", "%", "%2", "%zz",
        escaped + escaped,
        escaped + "x", "x" + escaped,
    ])
    func `anything else is refused, whether the token needs it or not`(value: String) async {
        let plain = scene.issuer.mint(audience: Scene.identifier)
        let refusal = await refusal(("X-SSL-Client-Cert", value), token: plain)
        #expect(refusal?.reason == .malformedClientCertificate)
        #expect(refusal?.head.fields.values(of: .vary) == ["X-SSL-Client-Cert"])
    }

    @Test func `two fields are refused`() async {
        #expect(
            await refusal(("X-SSL-Client-Cert", Self.escaped), ("X-SSL-Client-Cert", Self.escaped))?.reason
                == .malformedClientCertificate)
    }

    @Test func `answers vary by the field`() {
        let context = AuthorizationContext(clientCertificate: .field(Self.field))
        let fields = scene.resource.additionalFields(for: .get("/notes"), status: .ok, in: context)
        #expect(fields.values(of: .vary) == ["X-SSL-Client-Cert"])
    }
}
