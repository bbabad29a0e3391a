// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisStatusList
import PortcullisTesting
import Testing

@Suite("draft-ietf-oauth-status-list §4 Arrays")
struct StatusList_4_Arrays {
    private static func inflate(
        _ text: String, maxByteCount: Int = 16_777_216
    ) throws -> [UInt8] {
        let bytes = try #require(Base64URL.decode(text))
        return try ZlibInflater().inflate(bytes, maxByteCount: maxByteCount)
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }

    @Test(arguments: StatusListVectors.arrays.indices)
    func `TSL-20 entries begin at the least significant bit`(place: Int) throws {
        let vector = StatusListVectors.arrays[place]
        let bytes = try Self.inflate(vector.lst)
        #expect(Self.hex(bytes) == vector.hex)
        let list = StatusList(width: try #require(.init(rawValue: vector.bits)), bytes: bytes)
        #expect(list.count == vector.entries.count)
        #expect((0..<list.count).map { list[$0] } == vector.entries)
        #expect(list[list.count] == nil)
        #expect(list[-1] == nil)
        #expect(list[.max] == nil)
    }

    @Test func `TSL-20 the draft's long list`() throws {
        let bytes = try Self.inflate(StatusListVectors.long)
        #expect(Self.hex(Digest.sha256(bytes).bytes) == StatusListVectors.longHash)
        let list = StatusList(width: .one, bytes: bytes)
        #expect(list.count == 1 << 20)
        #expect(Set((0..<list.count).filter { list[$0] == 1 }) == StatusListVectors.longPlaces)
    }

    @Test(arguments: StatusListVectors.malformed.keys.sorted())
    func `TSL-18 a stream that is not one zlib stream is a failure`(name: String) throws {
        let text = try #require(StatusListVectors.malformed[name])
        #expect(throws: StatusListInflationError.malformed) { try Self.inflate(text) }
    }

    @Test func `TSL-18 every cut of a stream is a failure`() throws {
        let whole = try #require(Base64URL.decode(StatusListVectors.long))
        for count in 0..<whole.count {
            #expect(throws: StatusListInflationError.malformed) {
                try ZlibInflater().inflate(Array(whole.prefix(count)), maxByteCount: 1 << 20)
            }
        }
    }

    @Test func `TSL-19 a stream that inflates beyond the bound is a failure`() throws {
        #expect(try Self.inflate(StatusListVectors.bomb, maxByteCount: 1_048_576).count == 1_048_576)
        #expect(throws: StatusListInflationError.tooLarge) {
            try Self.inflate(StatusListVectors.bomb, maxByteCount: 1_048_575)
        }
        #expect(throws: StatusListInflationError.tooLarge) {
            try Self.inflate(StatusListVectors.long, maxByteCount: 131_071)
        }
    }

    @Test func `TSL-19 a bomb of 64 MiB is a failure of its list`() async {
        let scene = StatusListScene()
        scene.lists.fault = .bomb(byteCount: 67_108_864)
        let refusal = await scene.refusal(of: scene.token(at: 1))
        #expect(refusal?.reason == .statusListUnavailable)
        #expect(scene.faults == [.unusableStatusList(.tooLarge)])
    }

    @Test func `TSL-19 a list of 2^27 entries is usable`() async throws {
        let scene = StatusListScene(bits: 1) { $0.statusLists.maxListByteCount = 16_777_216 }
        // The kit's zeros are a multiple of 258, and one.
        scene.lists.fault = .bomb(byteCount: 16_776_950)
        #expect(await scene.reason(scene.token(at: 134_215_599)) == nil)
        scene.lists.fault = .bomb(byteCount: 16_777_217)
        await scene.pass(.seconds(301))
        #expect(scene.faults == [.unusableStatusList(.tooLarge)])
    }

    @Test func `TSL-19 a response beyond the bound is a failure of its list`() async {
        let scene = StatusListScene { $0.statusLists.maxResponseByteCount = 2048 }
        scene.lists.fault = .array(Array(repeating: 7, count: 4096))
        #expect(await scene.reason(scene.token(at: 1)) == .statusListUnavailable)
        #expect(scene.faults == [.noResponse(.tooLarge)])
        #expect(scene.lists.requests.map(\.maxResponseByteCount) == [2048])
    }
}
