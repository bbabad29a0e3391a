// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisJOSE

/// `portcullis check`: does what a client does with a resource that it has never seen, and says what is wrong there.
package enum CheckCommand: Subcommand {
    package static let name = "check"
    package static let summary = "says whether clients can discover how a resource is protected"
    package static let usage = """
        usage: portcullis check --file FILE

          --file FILE   lint a metadata document; nothing is fetched

        Exit status: 0 pass, 1 fail, 2 could not check.

        """

    /// The largest document that is read.
    static let maxByteCount = 1_048_576

    package static func work(for words: [String]) throws(Misuse) -> Work {
        let words = try CommandLineWords(words, flags: [], options: ["--file"])
        guard let path = words.value(of: "--file"), words.operands.isEmpty else {
            throw Misuse("check needs a file")
        }
        return { console in
            do throws(InputFile.Unreadable) {
                return lint(try InputFile.contents(of: path, maxByteCount: maxByteCount), console)
            } catch {
                console.writeError("\(path) \(error.message)\n")
                return .trouble
            }
        }
    }

    private static func lint(_ bytes: [UInt8], _ console: Console) -> Outcome {
        guard let json = try? JSONValue.parse(bytes) else {
            console.write("fail: The document is strict JSON (RFC 9728 §3.2).\n")
            return .failure
        }
        do throws(ConfigurationError) {
            let metadata = try ProtectedResourceMetadata(json: json)
            for warning in metadata.findings(at: "$").warnings { console.write("warn: \(warning)\n") }
            return .success
        } catch {
            for problem in error.problems { console.write("fail: \(problem)\n") }
            return .failure
        }
    }
}
