// swift-tools-version: 6.2
// SPDX-License-Identifier: MIT

import PackageDescription

let package = Package(
    name: "hummingbird-example",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "portcullis", path: "../../.."),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", exact: "2.28.1"),
        .package(url: "https://github.com/apple/swift-http-types.git", exact: "1.8.0"),
    ],
    targets: [
        .target(
            name: "HummingbirdNotes",
            dependencies: [
                .product(name: "Portcullis", package: "portcullis"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            path: "Sources"
        ),
        .testTarget(
            name: "HummingbirdNotesTests",
            dependencies: [
                "HummingbirdNotes",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Portcullis", package: "portcullis"),
                .product(name: "PortcullisTesting", package: "portcullis"),
            ],
            path: "Tests"
        ),
    ],
    swiftLanguageModes: [.v6]
)
