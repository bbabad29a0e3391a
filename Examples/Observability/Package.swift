// swift-tools-version: 6.2
// SPDX-License-Identifier: MIT

import PackageDescription

let package = Package(
    name: "observability-example",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "portcullis", path: "../.."),
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", exact: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", exact: "2.13.0"),
    ],
    targets: [
        .target(
            name: "Observed",
            dependencies: [
                .product(name: "PortcullisServer", package: "portcullis"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]
        ),
        .executableTarget(name: "Program", dependencies: ["Observed"]),
        .testTarget(
            name: "ObservedTests",
            dependencies: [
                "Observed",
                .product(name: "PortcullisTesting", package: "portcullis"),
                .product(name: "InMemoryLogging", package: "swift-log"),
                .product(name: "MetricsTestKit", package: "swift-metrics"),
            ],
            path: "Tests"
        ),
    ],
    swiftLanguageModes: [.v6]
)
