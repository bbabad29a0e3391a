// swift-tools-version: 6.2
// SPDX-License-Identifier: MIT

import PackageDescription

// Compiles files that import this package together with packages that use the same names. `Tests/run --all`
// builds it.
let package = Package(
    name: "Imports",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "portcullis", path: "../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client.git", exact: "1.37.0"),
        .package(url: "https://github.com/vapor/jwt-kit.git", exact: "5.7.1"),
        .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.60.0"),
    ],
    targets: [
        .target(
            name: "Imports",
            dependencies: [
                .product(name: "Portcullis", package: "portcullis"),
                .product(name: "PortcullisServer", package: "portcullis"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
            ])
    ],
    swiftLanguageModes: [.v6]
)
