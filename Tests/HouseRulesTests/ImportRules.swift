// SPDX-License-Identifier: MIT

import Testing

/// Which target may import which module: the layers, and the two gateways to the system.
@Suite("House rules: imports")
struct ImportRules {
    let repository = Repository()

    /// Modules of the system that any target may import: `COpenSSL` and Foundation have rules of their own.
    static let system: Set<String> = ["CPlatform", "Darwin", "Dispatch", "Glibc", "Musl"]

    static let allowed: [String: Set<String>] = [
        "PortcullisHTTP": [],
        "PortcullisJOSE": ["COpenSSL"],
        "PortcullisTransport": system.union(["COpenSSL", "PortcullisHTTP"]),
        "Portcullis": ["PortcullisHTTP", "PortcullisJOSE", "PortcullisTransport"],
        "PortcullisDiscovery": ["Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisTransport"],
        "PortcullisServer": system.union([
            "Portcullis", "PortcullisDiscovery", "PortcullisHTTP", "PortcullisJOSE", "PortcullisTransport",
        ]),
        "PortcullisTesting": [
            "Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisServer", "PortcullisTransport",
        ],
        "PortcullisConfiguration": [
            "Portcullis", "PortcullisHTTP", "PortcullisJOSE", "PortcullisRedis", "PortcullisServer",
            "PortcullisStatusList", "PortcullisTransport",
        ],
        "PortcullisRedis": ["Portcullis", "PortcullisJOSE", "PortcullisTransport"],
        "PortcullisStatusList": ["CZlib", "Portcullis"],
        "PortcullisCommand": system.union([
            "Portcullis", "PortcullisConfiguration", "PortcullisDiscovery", "PortcullisHTTP",
            "PortcullisJOSE", "PortcullisServer", "PortcullisTesting", "PortcullisTransport",
        ]),
    ]

    /// Files that accept `Codable` values from an app, and files with views as Foundation types.
    static func mayUseFoundation(_ file: SourceFile) -> Bool {
        ["+Codable.swift", "+Foundation.swift"].contains { file.name.hasSuffix($0) }
    }

    static func breaches(in file: SourceFile) -> [String] {
        file.imports.compactMap { module, line in
            let place = file.at(line)
            switch module {
            case "Synchronization":
                return nil
            case "Foundation":
                // Where FoundationEssentials does not exist, on macOS, Foundation replaces it.
                let isFallback = line > 0 && file.lines[line - 1] == "#else"
                return isFallback && mayUseFoundation(file)
                    ? nil : "\(place) imports Foundation"
            case "FoundationEssentials":
                return mayUseFoundation(file)
                    ? nil
                    : "\(place) imports FoundationEssentials outside *+Codable.swift and *+Foundation.swift"
            case "COpenSSL" where file.target == "PortcullisJOSE":
                return file.name.hasSuffix("+OpenSSL.swift")
                    ? nil : "\(place) imports COpenSSL outside *+OpenSSL.swift"
            case "COpenSSL" where file.target == "PortcullisTransport":
                return file.folder.hasPrefix("TLS") ? nil : "\(place) imports COpenSSL outside TLS/"
            case "PortcullisTransport" where file.target == "Portcullis":
                // Outside its Fetcher, the gate uses only the transport's clock.
                let others = ["HTTPClient", "EventLoop", "SocketAddress", "TLSContext"]
                let isForTime = !file.code.contains { line in others.contains { line.holds($0) } }
                return ["Fetching", "AuthorizationServer", "IssuerConnection", "Issuers"].contains(
                    file.folder.prefix { $0 != "/" }) || isForTime
                    ? nil : "\(place) imports the transport for something other than its Fetcher and the time"
            case "Glibc" where file.name.hasSuffix("+Reading.swift"),
                "Darwin" where file.name.hasSuffix("+Reading.swift"):
                // The configuration target reads files without Foundation.
                return file.target == "PortcullisConfiguration" ? nil : "\(place) imports \(module)"
            default:
                let permitted = allowed[file.target]?.contains(module) ?? false
                return permitted ? nil : "\(place) imports \(module)"
            }
        }
    }

    @Test func `each target imports only the layers below it`() {
        let files = repository.swiftFiles(below: "Sources")
        #expect(files.count > 8)
        #expect(files.flatMap(Self.breaches) == [])
    }

    @Test func `every folder of Sources is a target with import rules, or holds C headers only`() {
        let targets = Set(repository.files(below: "Sources").map(\.target))
        let known = Set(Self.allowed.keys).union(["COpenSSL", "CPlatform", "CZlib"])
        #expect(targets.subtracting(known) == [])
        let cTargets = repository.files(below: "Sources").filter {
            ["COpenSSL", "CPlatform", "CZlib"].contains($0.target)
        }
        #expect(
            cTargets.filter { !$0.name.hasSuffix(".h") && $0.name != "module.modulemap" }.map(\.path) == [])
    }

    @Test func `the examples import neither Foundation nor the system's OpenSSL`() {
        let breaches = repository.swiftFiles(below: "Examples").flatMap { file in
            file.imports.filter { ["COpenSSL", "Foundation", "FoundationEssentials"].contains($0.module) }
                .map { "\(file.at($0.line)) imports \($0.module)" }
        }
        #expect(breaches == [])
    }

    @Test func `nothing is imported for testing, and only Exports.swift re-exports`() {
        let files = repository.swiftFiles(below: "Sources", "Tests", "Examples")
        let breaches = files.flatMap { file in
            file.code.enumerated().compactMap { index, line in
                let words = line.split(separator: " ")
                // One file of a library may re-export the modules that the library's declarations name.
                let isReexport = words.contains("@_exported") && file.name != "Exports.swift"
                return words.contains("@testable") || isReexport ? file.at(index) : nil
            }
        }
        #expect(breaches == [])
    }

    @Test(arguments: [
        ("Sources/PortcullisHTTP/Wire/A.swift", "import Foundation"),
        ("Sources/PortcullisHTTP/Wire/A.swift", "internal import Dispatch"),
        ("Sources/PortcullisJOSE/Keys/A.swift", "import COpenSSL"),
        ("Sources/PortcullisJOSE/Keys/A.swift", "public import struct PortcullisHTTP.Fields"),
        ("Sources/PortcullisTransport/Loop/A.swift", "private import COpenSSL"),
        ("Sources/Portcullis/Publish/A.swift", "import PortcullisTransport\nlet client: HTTPClient"),
        ("Sources/Portcullis/Publish/A.swift", "import FoundationEssentials"),
        ("Sources/PortcullisJOSE/Token/A+Foundation.swift", "public import Foundation"),
        ("Sources/PortcullisTesting/A.swift", "@preconcurrency import Testing"),
        ("Sources/PortcullisServer/A.swift", "    import PortcullisTesting"),
    ])
    func `the rule detects a breach`(path: String, line: String) {
        #expect(Self.breaches(in: SourceFile(path: path, text: "\n" + line + "\n")).count == 1)
    }

    @Test(arguments: [
        ("Sources/PortcullisJOSE/Keys/Key+OpenSSL.swift", "internal import COpenSSL"),
        ("Sources/PortcullisTransport/TLS/Session.swift", "import COpenSSL"),
        ("Sources/Portcullis/Fetching/HTTPFetcher.swift", "internal import PortcullisTransport"),
        ("Sources/PortcullisServer/Response+Codable.swift", "public import FoundationEssentials"),
        ("Sources/PortcullisServer/Response+Codable.swift", "#else\nimport Foundation"),
        ("Sources/PortcullisJOSE/Token/Date+Foundation.swift", "public import FoundationEssentials"),
        ("Sources/PortcullisJOSE/Token/Date+Foundation.swift", "#else\npublic import Foundation"),
        ("Sources/PortcullisHTTP/Wire/A.swift", "import Synchronization"),
        ("Sources/PortcullisHTTP/Wire/A.swift", "// does not import Foundation"),
    ])
    func `the rule accepts the agreed places`(path: String, line: String) {
        #expect(Self.breaches(in: SourceFile(path: path, text: "\n" + line + "\n")) == [])
    }
}
