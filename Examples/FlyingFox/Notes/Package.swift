// swift-tools-version: 6.2
// SPDX-License-Identifier: MIT

import PackageDescription

let package = Package(
    name: "flyingfox-example",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "portcullis", path: "../../.."),
        .package(url: "https://github.com/swhitty/FlyingFox.git", exact: "0.27.1"),
    ],
    targets: [
        .target(
            name: "FlyingFoxNotes",
            dependencies: [
                .product(name: "Portcullis", package: "portcullis"),
                .product(name: "FlyingFox", package: "FlyingFox"),
                .product(name: "FlyingSocks", package: "FlyingFox"),
            ],
            path: "Sources"
        ),
        .testTarget(
            name: "FlyingFoxNotesTests",
            dependencies: [
                "FlyingFoxNotes",
                .product(name: "FlyingFox", package: "FlyingFox"),
                .product(name: "Portcullis", package: "portcullis"),
                .product(name: "PortcullisTesting", package: "portcullis"),
            ],
            path: "Tests"
        ),
    ],
    swiftLanguageModes: [.v6]
)
