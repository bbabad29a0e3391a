// SPDX-License-Identifier: MIT

import PortcullisServer
import Testing

@Suite("Path patterns")
struct PathPatternTests {
    private func malformation(_ text: String) -> PathPattern.Malformation? {
        do throws(PathPattern.Malformation) {
            _ = try PathPattern(text)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "/", "/a", "/a/", "/{id}", "/a/{id}/b/{rest...}", "/{_x1}", "/%7Ea", "/a%20b", "/%C3%A9", "/a.b/...",
        "/.a", "/a:b@c;d=e,f!$&'()*+", "/{a...}",
    ])
    func `is a pattern`(text: String) {
        #expect(malformation(text) == nil)
    }

    @Test(
        arguments: [
            ("", .noSlash), ("a", .noSlash), ("//", .emptySegment), ("//a", .emptySegment),
            ("/a//b", .emptySegment), ("/./a", .dotSegment), ("/a/..", .dotSegment),
            ("/a{b}", .partialSegment),
            ("/{a}b", .partialSegment), ("/{a", .partialSegment), ("/a}", .partialSegment),
            ("/{", .partialSegment),
            ("/{}", .name), ("/{...}", .name), ("/{a b}", .name), ("/{1a}", .name), ("/{a-b}", .name),
            ("/{a.b}", .name), ("/{é}", .name), ("/{{a}}", .name), ("/{a....}", .name),
            ("/{a...}/b", .restBeforeEnd), ("/{a}/{a}", .repeatedName), ("/{a}/{a...}", .repeatedName),
            ("/é", .character), ("/a b", .character), ("/a?b", .character), ("/a#b", .character),
            ("/a\\b", .character), ("/%", .percentEncoding), ("/%2", .percentEncoding),
            ("/%zz", .percentEncoding),
            ("/a%2Fb", .unreachable), ("/%2f", .unreachable), ("/%5c", .unreachable), ("/%00", .unreachable),
            ("/%2e%2E", .unreachable), ("/..;a", .unreachable), ("/%ff", .unreachable),
        ] as [(String, PathPattern.Malformation)])
    func `is refused, with the reason`(text: String, expected: PathPattern.Malformation) {
        #expect(malformation(text) == expected)
    }

    @Test func `literals are compared as in requests`() throws {
        #expect(try PathPattern("/%7ea/%c3%a9").segments == PathPattern("/~a/%C3%A9").segments)
    }
}
