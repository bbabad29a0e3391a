// SPDX-License-Identifier: MIT

import PortcullisServer
import Testing

@Suite("RFC 6750 §5.3 A printed request contains no secret")
struct RequestDescriptionTests {
    @Test func `neither the request nor its parts print a secret`() async throws {
        let prints = Logbook()
        try await withServer(
            .init(),
            {
                $0.post("/{name}") { request in
                    var dumped = ""
                    dump(request, to: &dumped)
                    for text in ["\(request)", String(reflecting: request), dumped, "\(request.body)"] {
                        prints.add(text)
                    }
                    return .ok
                }
            }
        ) { (server) async throws in
            let reply = try await server.exchange(
                "POST /name?access_token=s3cr3t HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer s3cr3t\r\n"
                    + "Content-Length: 19\r\n\r\naccess_token=s3cr3t")
            #expect(reply.status == 200)
        }
        let bytes = Array("s3cr3t".utf8).map(String.init).joined(separator: ", ")
        #expect(prints.sentences.count == 4)
        for text in prints.sentences { #expect(!text.contains("s3cr3t") && !text.contains(bytes)) }
    }
}
