// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting

// What the gate decides, as a table of cases. Their expected values are the files of `Fixtures/admission`,
// one for each case.
//
// To add a case: add a row to one of the lists below. A row has a name, which is also that of its file; a
// closure that changes the declaration of the resource (the default: JWTs of one issuer with given keys, and
// a route that needs `notes:read`); and a closure that sends requests through the scene. Give a name to
// whatever differs from run to run: `mint`, `opaque` and `proof` do so. Run `PORTCULLIS_RECORD_ADMISSION=1
// swift test --filter AdmissionTests`, which writes the files and fails. Read the new file against the
// contract, check that no other file has changed, and run the test again without the variable.
//
// A row runs once for each entry of `AdmissionEntry`, each time with a resource of its own, and all entries
// have to agree. What an explanation is known to say wrongly stands in the files as `mistaken`, with what it
// should say.

/// Every case.
enum AdmissionTable {
    static let rows =
        credentials + tokens + claims + introspection + binding + proofs + certificates + requirements
        + admissions + memory + order
}

extension AdmissionCase {
    /// What an explanation gets wrong: steps that it takes for passed, although the request was refused
    /// before they were reached.
    ///
    /// The proof is looked for, and `Client-Cert` is read, before anything is known of the token.
    func mistakes(in exchange: AdmissionExchange, at index: Int) -> [String: String] {
        let early = [
            "form of the token", "format of the token", "header and claims", "type", "algorithm", "issuer",
            "key", "signature", "introspection", "audience", "times", "claims",
        ]
        let unreached: [String]
        switch exchange.record["refused"]?.string.flatMap(RefusalReason.init(rawValue:)) {
        case .missingProof, .repeatedProof: unreached = early + ["possession"]
        case .malformedClientCertificate: unreached = ["credentials"] + early
        default: unreached = []
        }
        let own = mistakenRequest == nil || mistakenRequest == index ? mistakenSteps : [:]
        return Dictionary(uniqueKeysWithValues: unreached.map { ($0, "notReached") }).merging(own) { $1 }
    }
}
