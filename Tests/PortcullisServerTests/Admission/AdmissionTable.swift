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
// have to agree.

/// Every case.
enum AdmissionTable {
    static let rows =
        credentials + tokens + claims + introspection + binding + proofs + certificates + requirements
        + admissions + memory + order
}
