// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisConfiguration
import PortcullisJOSE
import PortcullisStatusList
import Testing

@Suite("Configuration file: status lists of issuers")
struct StatusListFileTests {
    private static func entry(_ members: String) -> String {
        SampleFile.with(
            authorizationServers: "[{\"issuer\": \"https://as.example.com\", \"status_list\": {\(members)}}]",
            resource: SampleFile.resource())
    }

    private static func policy(_ members: String) throws -> StatusListPolicy {
        let file = try ConfigurationFile(parsing: Array(entry(members).utf8))
        _ = try file.makeResources(relativeTo: "c.json", onEvent: { _ in })
        return file.authorizationServers[0].statusLists
    }

    @Test func `the defaults honour lists, with an inflater`() throws {
        let policy = try Self.policy("")
        #expect(policy.use == .honour && policy.inflater is ZlibInflater)
        #expect(policy.additionalOrigins == [] && policy.validValues == [0])
        #expect(policy.maxResponseByteCount == 1_048_576 && policy.maxListByteCount == 16_777_216)
        #expect(policy.gracePeriod == .seconds(300) && policy.maxRedirectCount == 0 && !policy.failsOpen)
        let plain = SampleFile.with(
            authorizationServers: #"[{"issuer": "https://as.example.com"}]"#, resource: SampleFile.resource())
        let file = try ConfigurationFile(parsing: Array(plain.utf8))
        #expect(file.authorizationServers[0].statusLists.inflater is ZlibInflater)
    }

    @Test func `every key is read and passed on`() throws {
        let policy = try Self.policy(
            """
            "use": "required", "origins": ["https://status.example.com"], "valid_values": [0, 3],
            "max_response_bytes": 2048, "max_list_bytes": 4096, "grace_seconds": 1.5, "redirects": 3,
            "fail_open": true
            """)
        #expect(policy.use == .required && policy.inflater is ZlibInflater)
        #expect(policy.additionalOrigins == ["https://status.example.com"] && policy.validValues == [0, 3])
        #expect(policy.maxResponseByteCount == 2048 && policy.maxListByteCount == 4096)
        #expect(policy.gracePeriod == .seconds(1.5) && policy.maxRedirectCount == 3 && policy.failsOpen)
        #expect(try Self.policy(#""use": "off""#).use == .off)
    }

    @Test(arguments: [
        (#""use": "on""#, #"use: must be one of "off", "honour", "required""#),
        (
            #""origins": ["http://a.example"]"#,
            "origins[0]: must be https:// and a host, with a port if it is not 443, and nothing else"
        ),
        (
            #""valid_values": [0, 1]"#,
            "valid_values: must include 0 (VALID), and neither 1 (INVALID) nor 2 (SUSPENDED)"
        ),
        (#""valid_values": [0, 256]"#, "valid_values[1]: must be a whole number from 0 to 255"),
        (#""valid_values": 0"#, "valid_values: must be a list of whole numbers"),
        (#""redirects": 4"#, "redirects: must be a whole number from 0 to 3"),
        (#""grace_seconds": -1"#, "grace_seconds: must be a number of seconds from 0 to 86400"),
    ])
    func `a wrong value is reported`(members: String, problem: String) {
        #expect(
            SampleFile.problems(Self.entry(members)) == ["$.authorization_servers[0].status_list." + problem])
    }

    @Test func `an http origin on loopback needs its permission`() throws {
        let members = #""allow_insecure_loopback": true, "status_list": {"origins": ["http://127.0.0.1:9"]}"#
        let text = SampleFile.with(
            authorizationServers: "[{\"issuer\": \"http://127.0.0.1:8\", \(members)}]",
            resource: SampleFile.resource())
        #expect(!SampleFile.problems(text).contains { $0.contains("origins") })
    }
}
