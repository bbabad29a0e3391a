// SPDX-License-Identifier: MIT

import PortcullisTransport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

// A write to a closed pipe fails with EPIPE instead of ending the program.
signal(SIGPIPE, SIG_IGN)
StandardDescriptors.fill()

let console = Console.standard
guard let words = ProgramArguments.read() else {
    console.writeError("portcullis: \(ProgramArguments.unreadable)\n")
    exit(Outcome.trouble.rawValue)
}
let outcome = await CommandLineTool.run(words, console: console)
// A pipeline that checks only the status must see that the report is incomplete.
guard console.hasWrittenAll else {
    console.writeError("portcullis: the output could not be written\n")
    exit(Outcome.trouble.rawValue)
}
exit(outcome.rawValue)
