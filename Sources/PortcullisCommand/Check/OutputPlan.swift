// SPDX-License-Identifier: MIT

import PortcullisConfiguration

/// The formats of the report, each with the place that it goes to.
package struct OutputPlan: Sendable {
    private struct Output: Sendable {
        let format: ReportFormat
        /// The file, or `nil` for standard output.
        let path: String?
    }

    private let outputs: [Output]
    private let hasTable: Bool

    /// Reads `--format` and the `--output` behind each, in order; `--json` is a format for standard output.
    ///
    /// - Throws: ``Misuse`` for an unknown format, an `--output` without its format, and two formats for
    ///   standard output.
    package init(_ words: CommandLineWords) throws(Misuse) {
        var outputs: [Output] = words.has("--json") ? [Output(format: .json, path: nil)] : []
        var isOpen = false
        for (option, value) in words.sequence where ["--format", "--output"].contains(option) {
            if option == "--format" {
                guard let format = ReportFormat(rawValue: value) else {
                    let names = ReportFormat.allCases.map(\.rawValue)
                    throw Misuse(
                        "--format needs one of \(names.joined(separator: ", ")), not \"\(value)\""
                            + Spelling.hint(for: value, among: names))
                }
                outputs.append(Output(format: format, path: nil))
                isOpen = true
            } else {
                guard isOpen, let last = outputs.popLast() else {
                    throw Misuse("--output needs a --format before it")
                }
                outputs.append(Output(format: last.format, path: value))
                isOpen = false
            }
        }
        guard outputs.count(where: { $0.path == nil }) <= 1 else {
            throw Misuse("only one format can go to standard output; give the others an --output")
        }
        hasTable = words.value(of: "--targets") != nil
        self.outputs = outputs.isEmpty ? [Output(format: .text, path: nil)] : outputs
    }

    /// Writes the reports in all formats, and returns the worst outcome.
    ///
    /// A file that cannot be written is an error on standard error, and the outcome is trouble unless a
    /// finding has failed.
    package func write(_ reports: [CheckReport], at time: ReportTime, _ console: Console) -> Outcome {
        var isWritten = true
        for output in outputs {
            guard let path = output.path else {
                write(output.format, reports, at: time, console)
                continue
            }
            do throws(OutputFile.Unwritable) {
                let file = try OutputFile(path)
                output.format.write(reports, at: time, hasColours: false, hasTable: hasTable) { piece in
                    file.write(Self.printable(piece, output.format))
                }
                try file.close()
            } catch {
                console.writeError("portcullis: the file \(path) \(error.message)\n")
                isWritten = false
            }
        }
        let worst = reports.worst
        return isWritten || worst == .failure ? worst : .trouble
    }

    private func write(
        _ format: ReportFormat, _ reports: [CheckReport], at time: ReportTime, _ console: Console
    ) {
        // The colours of the text are the only control characters; its parts are escaped already.
        let hasColours = format == .text && console.hasColours
        format.write(reports, at: time, hasColours: hasColours, hasTable: hasTable) { piece in
            console.writePainted(hasColours ? piece : Self.printable(piece, format))
        }
    }

    private static func printable(_ text: String, _ format: ReportFormat) -> String {
        switch format {
        case .json, .sarif: TerminalText.printableJSON(text)
        case .text, .junit, .github, .html: TerminalText.printableLines(text)
        }
    }
}
