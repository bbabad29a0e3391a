// SPDX-License-Identifier: MIT

import PortcullisTransport
import Testing

@Suite("Work in parts")
struct DividedWorkTests {
    @Test(arguments: [0, 1, 199, 399, 400, 401, 1999, 2000, 5001], [1, 2, 3, 8, 64])
    func `the results have the order of the list`(length: Int, count: Int) {
        let list = Array(0..<length)
        let parts = DividedWork.map(list, among: count) { part in part.map { ($0, part.startIndex) } }
        let joined = parts.flatMap { part in part.map { $0.0 } }
        #expect(joined == list)
        #expect(parts.count <= max(1, min(count, DividedWork.maxPartCount)))
        // The index of an element is that of the whole list.
        let starts = parts.compactMap(\.first).map { $0.0 == $0.1 }
        #expect(!starts.contains(false))
        let isDivided = count > 1 && length >= 2 * DividedWork.leastPartLength
        #expect((parts.count > 1) == isDivided)
    }
}
