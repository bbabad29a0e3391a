// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisStatusList

extension StatusListPolicy {
    /// Reads the object `status_list` of an issuer.
    init(_ reader: ObjectReader, allowingInsecureLoopback: Bool) {
        self.init(reader.word("use", Use.self) ?? .honour, inflatingWith: ZlibInflater())
        additionalOrigins = reader.strings("origins", of: "origins") ?? []
        for (index, origin) in additionalOrigins.enumerated()
        where !Self.isOrigin(origin, allowingInsecureLoopback: allowingInsecureLoopback) {
            reader.findings.error(
                reader.path["origins"][index],
                "must be https:// and a host, with a port if it is not 443, and nothing else")
        }
        validValues = Self.readValues(reader)
        maxResponseByteCount =
            reader.integer("max_response_bytes", in: 1_024...67_108_864) ?? maxResponseByteCount
        maxListByteCount = reader.integer("max_list_bytes", in: 1...67_108_864) ?? maxListByteCount
        gracePeriod = reader.seconds("grace_seconds", in: 0...86_400) ?? gracePeriod
        maxRedirectCount = reader.integer("redirects", in: 0...3) ?? maxRedirectCount
        failsOpen = reader.bool("fail_open") ?? failsOpen
        reader.finish()
    }

    private static func readValues(_ reader: ObjectReader) -> Set<UInt8> {
        guard let elements = reader.integers("valid_values", in: 0...255) else { return [0] }
        let values = Set(elements.map { UInt8($0) })
        if !values.contains(0) || values.contains(1) || values.contains(2) {
            reader.error("valid_values", "must include 0 (VALID), and neither 1 (INVALID) nor 2 (SUSPENDED)")
            return [0]
        }
        return values
    }
}
