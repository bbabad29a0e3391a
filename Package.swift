// swift-tools-version: 6.2
// SPDX-License-Identifier: MIT

import PackageDescription

let settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(of name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.init(stringLiteral: name)] + dependencies,
        swiftSettings: settings
    )
}

/// A program that teaches, which sees what an author sees: public declarations only.
func example(
    _ name: String, in folder: String, _ dependencies: [Target.Dependency] = [], beside files: [String] = []
) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["PortcullisServer", "PortcullisTesting"] + dependencies,
        path: "Examples/\(folder)",
        exclude: ["README.md", "transcript.txt"] + files,
        packageAccess: false,
        swiftSettings: settings
    )
}

let package = Package(
    name: "portcullis",
    platforms: [.macOS(.v15)],
    products: [
        // The gate and the modules of its signatures. For names that it does not re-export, such as JWK, an
        // app imports their module.
        .library(
            name: "Portcullis",
            targets: ["Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisTransport"]
        ),
        // The client's side of RFC 9728, and the check of a deployment.
        .library(name: "PortcullisDiscovery", targets: ["PortcullisDiscovery"]),
        .library(name: "PortcullisServer", targets: ["PortcullisServer"]),
        .library(name: "PortcullisTesting", targets: ["PortcullisTesting"]),
        .library(name: "PortcullisRedis", targets: ["PortcullisRedis"]),
        // Inflates status lists with zlib.
        .library(name: "PortcullisStatusList", targets: ["PortcullisStatusList"]),
        .executable(name: "example-server", targets: ["ExampleServer"]),
        .executable(name: "portcullis", targets: ["PortcullisCommand"]),
    ],
    targets: [
        .systemLibrary(
            name: "COpenSSL",
            pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]
        ),
        .systemLibrary(
            name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"]), .brew(["zlib"])]),
        .systemLibrary(name: "CPlatform"),
        library("PortcullisHTTP", []),
        library("PortcullisJOSE", ["COpenSSL"]),
        library("PortcullisTransport", ["PortcullisHTTP", "COpenSSL", "CPlatform"]),
        library("Portcullis", ["PortcullisHTTP", "PortcullisJOSE", "PortcullisTransport"]),
        library(
            "PortcullisDiscovery", ["Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisTransport"]
        ),
        library(
            "PortcullisServer",
            [
                "Portcullis", "PortcullisDiscovery", "PortcullisHTTP", "PortcullisJOSE",
                "PortcullisTransport", "CPlatform",
            ]
        ),
        library(
            "PortcullisTesting",
            [
                "Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisServer",
                "PortcullisTransport",
            ]
        ),
        library("PortcullisStatusList", ["Portcullis", "CZlib"]),
        library("PortcullisRedis", ["Portcullis", "PortcullisJOSE", "PortcullisTransport"]),
        library(
            "PortcullisConfiguration",
            [
                "Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisRedis", "PortcullisServer",
                "PortcullisStatusList", "PortcullisTransport",
            ]
        ),
        .executableTarget(
            name: "PortcullisCommand",
            dependencies: [
                "Portcullis", "PortcullisConfiguration", "PortcullisDiscovery", "PortcullisHTTP",
                "PortcullisJOSE", "PortcullisServer", "PortcullisTesting", "PortcullisTransport",
            ],
            swiftSettings: settings
        ),
        .executableTarget(
            name: "ExampleServer",
            dependencies: [
                "Portcullis", "PortcullisConfiguration", "PortcullisHTTP", "PortcullisJOSE",
                "PortcullisRedis", "PortcullisServer", "PortcullisTesting", "PortcullisTransport",
            ],
            path: "Examples/ExampleServer",
            exclude: ["README.md"],
            swiftSettings: settings
        ),
        example("scoped-routes", in: "1-ScopedRoutes"),
        example("two-resources", in: "2-TwoResources"),
        example("opaque-tokens", in: "3-OpaqueTokens"),
        example("dpop-only", in: "4-DPoPOnly", beside: ["proof.sh"]),
        .testTarget(
            name: "TestingAnAPI",
            dependencies: ["PortcullisServer", "PortcullisTesting"],
            path: "Examples/5-TestingAnAPI",
            exclude: ["README.md", "transcript.txt"],
            packageAccess: false,
            swiftSettings: settings
        ),
        example("mcp-server", in: "6-MCPServer"),
        example("behind-nginx", in: "7-BehindNginx", beside: ["certificates.sh", "nginx.conf"]),
        example("several-machines", in: "8-SeveralMachines", ["PortcullisRedis"]),
        .executableTarget(
            name: "verification-benchmark",
            dependencies: [
                "COpenSSL", "Portcullis", "PortcullisJOSE", "PortcullisTesting", "PortcullisTransport",
            ],
            path: "Tests/Benchmarks/Verification", swiftSettings: settings
        ),
        .executableTarget(
            name: "GateCost",
            dependencies: [
                "COpenSSL", "Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisStatusList",
                "PortcullisTesting",
            ],
            path: "Tests/Benchmarks/GateCost",
            swiftSettings: settings
        ),
        .executableTarget(
            name: "swap-server",
            dependencies: ["Portcullis", "PortcullisJOSE", "PortcullisServer", "PortcullisTesting"],
            path: "Tests/Benchmarks/Swaps", swiftSettings: settings
        ),
        .executableTarget(
            name: "benchmark-mint", dependencies: ["Portcullis", "PortcullisJOSE"],
            path: "Tests/Benchmarks/Mint", swiftSettings: settings
        ),
        .executableTarget(
            name: "token-verdicts", dependencies: ["Portcullis", "PortcullisJOSE", "PortcullisTesting"],
            path: "Tests/Differential/Verdicts", swiftSettings: settings
        ),
        .executableTarget(
            name: "gate-conformance",
            dependencies: ["Portcullis", "PortcullisJOSE", "PortcullisTesting", "PortcullisTransport"],
            path: "Tests/Conformance/Gate", swiftSettings: settings
        ),
        .executableTarget(
            name: "declaration-mistakes", dependencies: ["Portcullis", "PortcullisServer"],
            path: "Tests/Mistakes", exclude: ["check"], swiftSettings: settings
        ),
        tests(of: "PortcullisHTTP"),
        tests(of: "PortcullisJOSE"),
        tests(of: "PortcullisTransport", ["PortcullisHTTP", "CPlatform"]),
        tests(
            of: "Portcullis",
            [
                "PortcullisDiscovery", "PortcullisHTTP", "PortcullisJOSE", "PortcullisServer",
                "PortcullisStatusList", "PortcullisTesting", "PortcullisTransport",
            ]
        ),
        tests(
            of: "PortcullisServer",
            [
                "Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisStatusList", "PortcullisTesting",
                "PortcullisTransport",
            ]
        ),
        tests(
            of: "PortcullisTesting",
            [
                "Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisServer", "PortcullisStatusList",
                "PortcullisTransport",
            ]
        ),
        tests(
            of: "PortcullisRedis",
            ["Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisTesting", "PortcullisTransport"]
        ),
        tests(
            of: "PortcullisConfiguration",
            [
                "Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisRedis", "PortcullisServer",
                "PortcullisStatusList", "PortcullisTesting", "PortcullisTransport",
            ]
        ),
        tests(
            of: "PortcullisCommand",
            [
                "Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisServer", "PortcullisTesting",
                "PortcullisTransport",
            ]
        ),
        .testTarget(
            name: "DocumentsTests",
            dependencies: [
                "Portcullis", "PortcullisConfiguration", "PortcullisDiscovery", "PortcullisHTTP",
                "PortcullisJOSE", "PortcullisRedis", "PortcullisServer", "PortcullisStatusList",
                "PortcullisTesting",
            ],
            swiftSettings: settings
        ),
        .testTarget(name: "HouseRulesTests", swiftSettings: settings),
    ],
    swiftLanguageModes: [.v6]
)
