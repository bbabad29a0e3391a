// SPDX-License-Identifier: MIT

// Runs the library from a file: reads it, creates resources and routes, and serves until a signal.
// Everything outside this folder is library API for any program.

import PortcullisTransport

StandardDescriptors.fill()

// Only an empty command line starts the demo; an unreadable one is an error.
guard let words = ProgramArguments.read() else {
    StandardError.write("example-server: \(ProgramArguments.unreadable)\n")
    exit(with: .misuse)
}

switch Invocation(words) {
case .demo(let address):
    exitAfter { await runDemo(address) }
case .serve(let file, let address):
    exitAfter { await serve(file, address) }
case .guarding(let words):
    exitAfter { await runGuard(words) }
case .check(let file):
    check(file)
case .help(let topic):
    StandardOutput.write(topic?.text ?? HelpTopic.usage)
case .version:
    StandardOutput.write(ProductVersion.lines(of: "example-server"))
case .completions(let shell):
    StandardOutput.write(HelpTopic.script(for: shell))
case .misuse(let sentence):
    StandardError.write("example-server: \(sentence)\n\(HelpTopic.usage)")
    exit(with: .misuse)
}
