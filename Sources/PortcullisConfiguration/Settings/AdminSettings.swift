// SPDX-License-Identifier: MIT

/// The `admin` object: the address of the listener for health checks and metrics.
package struct AdminSettings: Sendable, Hashable {
    package var host = "127.0.0.1"
    package var port = 9090

    init(_ reader: ObjectReader) {
        host = reader.string("host") ?? host
        port = reader.integer("port", in: 0...65_535) ?? port
        reader.finish()
    }
}
