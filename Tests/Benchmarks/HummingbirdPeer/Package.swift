// swift-tools-version: 6.2
// SPDX-License-Identifier: MIT

import PackageDescription

// The peer of the benchmark suite: only the suite builds it, the package above never does.
let package = Package(
    name: "hummingbird-peer",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        .executableTarget(
            name: "hummingbird-peer",
            dependencies: [
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "JWTKit", package: "jwt-kit"),
            ],
            path: "Sources"
        )
    ],
    swiftLanguageModes: [.v6]
)
