// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP
import PortcullisJOSE
import PortcullisTesting

// The gate's decisions, as a table of cases. The files of `Fixtures/admission` hold the expected values, one
// for each case.
//
// To add a case: add a row to one of the lists below. A row has a name, which is also its file's name; a
// closure that changes the declaration of the resource (the default: JWTs of one issuer with given keys, and
// a route that needs `notes:read`); and a closure that sends requests through the scene. Give a name to each
// value that differs from run to run: `mint`, `opaque` and `proof` do so. Run
// `PORTCULLIS_RECORD_ADMISSION=1 swift test --filter AdmissionTests`, which writes the files and fails. Check
// the new file against the contract, check that no other file has changed, and run the test again without the
// variable.
//
// A row runs once for each `AdmissionEntry`, each time with a new resource, and all entries have to agree.

/// Every case.
enum AdmissionTable {
    static let rows =
        credentials + tokens + claims + introspection + binding + proofs + certificates + requirements
        + admissions + memory + order + optional + operations + claimConditions + decisions + challengeScopes
        + statuses
}
