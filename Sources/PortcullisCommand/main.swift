// SPDX-License-Identifier: MIT

import PortcullisTransport

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

// Writing to a reader that has gone is an error of the write, not the end of the program.
signal(SIGPIPE, SIG_IGN)
StandardDescriptors.fill()

let console = Console.standard
guard let words = ProgramArguments.read() else {
    console.writeError("portcullis: \(ProgramArguments.unreadable)\n")
    exit(Outcome.trouble.rawValue)
}
let outcome = await CommandLineTool.run(words, console: console)
// A report that nobody can read is no report, for a pipeline that looks at the status alone.
guard console.hasWrittenAll else {
    console.writeError("portcullis: the output could not be written\n")
    exit(Outcome.trouble.rawValue)
}
exit(outcome.rawValue)
