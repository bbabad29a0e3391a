// SPDX-License-Identifier: MIT

import Foundation
import PortcullisJOSE
import Testing

@Suite("RFC 7519 §2 NumericDate as a Date")
struct NumericDateViews {
    @Test(arguments: [0, 1_800_000_000, -1, 253_402_300_799, 1_800_000_000.5])
    func `both views name the same moment`(seconds: Double) throws {
        let moment = try #require(NumericDate(seconds: seconds))
        #expect(moment.date.timeIntervalSince1970 == seconds)
        #expect(NumericDate(moment.date) == moment)
    }

    @Test(arguments: [Double.infinity, -.infinity, .nan])
    func `a date that is not finite has no NumericDate`(seconds: Double) {
        #expect(NumericDate(Date(timeIntervalSince1970: seconds)) == nil)
    }
}
