// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE
import PortcullisTesting
import PortcullisTransport

// Tests a gate that runs elsewhere with `GateConformance`:
//
//     gate-conformance ISSUER RESOURCE SCOPE
//
// Prints the key set of the issuer as one line of JSON, for the gate's configuration. Each line of the input is
// the URL of a route of the resource that requires the scope and takes DPoP; for each, the checks that do not
// hold are printed, one per line, and then `N checks, N failed`.

func say(_ line: String) { StandardDescriptors.writeAll(line + "\n", to: 1) }

let words = CommandLine.arguments
guard words.count == 4 else {
    fatalError("The arguments are an issuer, a resource and a scope.")
}
let issuer = TestIssuer(words[1])
let resource = try ResourceIdentifier(validating: words[2])
say(String(decoding: issuer.keys.publicJSON.serialized(), as: UTF8.self))
while let url = readLine() {
    var gate = GateConformance(of: resource, at: url, signedBy: issuer, requiring: words[3])
    gate.testsProofs = true
    let failures = await gate.failures()
    for failure in failures { say("\(failure)") }
    say("\(gate.checks.count) checks, \(failures.count) failed")
}
