// SPDX-License-Identifier: MIT

import Foundation
import Portcullis
import PortcullisHTTP
public import PortcullisJOSE
import PortcullisTesting
import Synchronization
import Testing

/// Files under `Fixtures`.
enum Fixture {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appending(path: "Fixtures")

    static func bytes(_ path: String) throws -> [UInt8] {
        Array(try Data(contentsOf: root.appending(path: path)))
    }

    static func text(_ path: String) throws -> String {
        String(decoding: try bytes(path), as: UTF8.self)
    }

    /// The names of the files of a folder, without `.json`.
    static func names(in folder: String) -> [String] {
        let files = try? FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path)
        return (files ?? []).filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted()
    }
}

/// A resource, its issuer and their clock.
struct Scene {
    static let identifier = "https://api.example.com/notes"
    static let metadataURL = "https://api.example.com/.well-known/oauth-protected-resource/notes"

    let clock = ManualClock()
    let issuer: TestIssuer
    let resource: ProtectedResource

    init(tokens: TokenPolicy = .default, issuer name: String = "https://as.example.com") {
        let issuer = TestIssuer(name, time: clock.time)
        self.issuer = issuer
        resource = ProtectedResource(
            "https://api.example.com/notes", trusting: issuer.trusted, scopes: ["notes:read", "notes:write"],
            tokens: tokens, time: clock.time)
    }

    func mint(
        scope: String? = "notes:read", claims: JSONObject = [:], omitting: [String] = [],
        header: JSONObject = [:]
    ) -> String {
        issuer.mint(
            audience: Self.identifier, scope: scope, claims: claims, omitting: omitting, header: header)
    }

    func refusal(of token: String, requiring requirement: AccessRequirement = .anyValidToken) async
        -> Refusal?
    {
        await resource.refusal(of: .get("/notes", bearer: token), requiring: requirement)
    }

    /// Asserts that a token is refused as invalid: status, challenge text and reason.
    func expectInvalid(
        _ token: String, _ reason: RefusalReason, _ text: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async {
        let refusal = await refusal(of: token)
        #expect(refusal?.reason == reason, sourceLocation: sourceLocation)
        #expect(refusal?.status == .unauthorized, sourceLocation: sourceLocation)
        #expect(
            refusal?.challenges.map(\.description) == [
                #"Bearer resource_metadata="\#(Self.metadataURL)", error="invalid_token", "#
                    + #"error_description="\#(text)""#
            ], sourceLocation: sourceLocation)
    }
}

extension ProtectedResource {
    func refusal(
        of head: RequestHead, requiring requirement: AccessRequirement = .anyValidToken,
        in context: AuthorizationContext = AuthorizationContext()
    ) async -> Refusal? {
        do throws(Refusal) {
            _ = try await authorize(head, requiring: requirement, in: context)
            return nil
        } catch {
            return error
        }
    }
}

/// The public texts.
enum PublicText {
    static let malformed = "The access token is malformed"
    static let unacceptable = "The access token is not acceptable"
    static let identity = "An ID token is not an access token"
    static let audience = "The access token is not intended for this resource"
    static let expired = "The access token expired"
    static let early = "The access token is not valid yet"
    static let revoked = "The access token is revoked"
    static let inactive = "The access token is not active"
    static let unproven = "The access token is bound to a key that was not proven"
}

extension ResponseHead {
    /// The status and the field lines, as sent.
    var lines: [String] {
        ["HTTP/1.1 \(status.description)"] + fields.map { "\($0.name.spelling): \($0.value)" }
    }
}

/// The errors of a configuration; empty if it is valid.
func problems(of make: () throws(ConfigurationError) -> Void) -> [ConfigurationError.Problem] {
    do throws(ConfigurationError) {
        try make()
        return []
    } catch {
        return error.problems
    }
}

/// The two forms in which servers write scopes in another claim.
enum JSONClaim {
    case text, list

    var json: JSONValue {
        switch self {
        case .text: "notes:read other"
        case .list: ["other", "notes:read"]
        }
    }
}

extension JSONValue: ExpressibleByFloatLiteral {
    /// Makes a number.
    public init(floatLiteral value: Double) {
        self = JSONNumber(value).map(JSONValue.number) ?? .null
    }
}

/// The events that a resource reported.
final class EventLog: Sendable {
    private let events = Mutex<[ResourceEvent]>([])

    var all: [ResourceEvent] { events.withLock { $0 } }

    func append(_ event: ResourceEvent) {
        events.withLock { $0.append(event) }
    }
}

/// Yields to other tasks until a condition is true, for at most twenty seconds.
func settle(until condition: () -> Bool) async {
    let end = ContinuousClock.now + .seconds(20)
    while !condition(), ContinuousClock.now < end { await Task.yield() }
}

/// A gate at which many tasks wait until it opens, once.
final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }
}

extension ProtectedResource {
    /// The progress of an admission that is advanced once; without `withTime`, a signature check needs time.
    func progress(
        _ head: RequestHead, requiring requirement: AccessRequirement = .anyValidToken,
        in context: AuthorizationContext = AuthorizationContext(), withTime hasTime: Bool = false
    ) -> Admission.Progress {
        var admission = Admission(to: self)
        if hasTime { admission.supply(.signatureTime) }
        return admission.advance(head, requiring: requirement, in: context)
    }
}
