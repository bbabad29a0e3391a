// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import Testing

@Suite("RFC 6750 §3, RFC 9068 §4, RFC 7662 §2, RFC 9449 §7 One decision by every entry to the gate")
struct AdmissionTests {
    @Test(arguments: AdmissionTable.rows)
    func `every entry to the gate answers as recorded`(row: AdmissionCase) async throws {
        var exchanges: [AdmissionEntry: [AdmissionExchange]] = [:]
        for entry in AdmissionEntry.allCases {
            let scene = try AdmissionScene(row, entry)
            try await row.play(scene)
            exchanges[entry] = scene.exchanges
        }
        let agreed = exchanges[.embedded] ?? []
        #expect(!agreed.isEmpty)
        for entry in AdmissionEntry.allCases {
            let expected = agreed.map { entry.isRoute ? $0.asOfRoute : $0.record }
            let found = (exchanges[entry] ?? []).map(\.record)
            // A server fetches keys when it starts, not when a request needs them.
            let compared = { entry.isServer ? Self.withoutFetches($0) : $0 }
            let difference = Self.record(found.map(compared))
                .difference(from: Self.record(expected.map(compared)))
            #expect(difference == "", "\(row.name): \(entry.rawValue) differs from embedded")
        }
        let silent = try AdmissionScene(row, .embedded, describingRefusals: false)
        try await row.play(silent)
        let difference = Self.record(silent.exchanges.map(\.record))
            .difference(from: Self.record(agreed.map(\.withoutFinding)))
        #expect(difference == "", "\(row.name): more than the finding differs without an observer")
        try compare(row, agreed, exchanges[.eventLoop] ?? [], exchanges[.explanation] ?? [])
    }

    private func compare(
        _ row: AdmissionCase, _ agreed: [AdmissionExchange], _ loop: [AdmissionExchange],
        _ explained: [AdmissionExchange]
    ) throws {
        var object: JSONObject = ["requests": .array(agreed.map { .object($0.record) })]
        object["waits on an event loop"] = .array(
            loop.map { .array($0.waits.map(JSONValue.string)) })
        object["explanations"] = .array(explained.map(\.explained))
        #expect(
            explained.allSatisfy { $0.isConsistent }, "\(row.name): the explanation does not fit the decision"
        )
        let record = AdmissionRecord(object)
        if AdmissionRecord.isRecording {
            try record.write(row.name)
            Issue.record("\(row.name) was recorded and not compared.")
            return
        }
        let difference = record.difference(from: try AdmissionRecord(row.name))
        #expect(difference == "", "\(row.name) differs from its file")
    }

    private static func withoutFetches(_ record: JSONObject) -> JSONObject {
        var record = record
        let calls = record["calls"]?.strings ?? []
        record["calls"] = .array(calls.filter { !$0.hasPrefix("GET ") }.map(JSONValue.string))
        return record
    }

    private static func record(_ records: [JSONObject]) -> AdmissionRecord {
        AdmissionRecord(["requests": .array(records.map(JSONValue.object))])
    }

    @Test func `every refusal reason has a case`() throws {
        var reasons: Set<String> = []
        for row in AdmissionTable.rows { reasons.formUnion(try AdmissionRecord(row.name).reasons) }
        #expect(Set(RefusalReason.allCases.map(\.rawValue)).subtracting(reasons) == [])
    }

    @Test func `every case has one name and one file, and every file has its case`() {
        let names = AdmissionTable.rows.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(AdmissionRecord.names == Set(names))
    }
}
