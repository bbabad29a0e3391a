// SPDX-License-Identifier: MIT

// What it takes to run the library from a file: read it, make resources and routes of it, run until told to stop.
// All that happens elsewhere than in this folder is there for any program.

import PortcullisTransport

StandardDescriptors.fill()

// The demo is served where there are no words, and not where they can't be read.
guard let words = ProgramArguments.read() else {
    StandardError.write("example-server: \(ProgramArguments.unreadable)\n")
    exit(with: .misuse)
}

switch Invocation(words) {
case .demo(let address):
    exitAfter { await runDemo(address) }
case .serve(let file, let address):
    exitAfter { await serve(file, address) }
case .check(let file):
    exit(with: check(file))
case .help:
    StandardOutput.write(Invocation.usage)
case .version:
    StandardOutput.write("example-server 0.1.0\n")
case .misuse(let sentence):
    StandardError.write("example-server: \(sentence)\n\(Invocation.usage)")
    exit(with: .misuse)
}
