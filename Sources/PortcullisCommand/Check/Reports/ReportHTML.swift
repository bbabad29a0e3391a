// SPDX-License-Identifier: MIT

import PortcullisConfiguration

/// Writes reports as one HTML page without scripts and outside assets, which can be printed.
package enum ReportHTML {
    private typealias Markup = MarkupText

    /// One document.
    package static func text(_ reports: [CheckReport], at time: ReportTime) -> String {
        var text = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>portcullis check: \(reports.count) \(reports.count == 1 ? "resource" : "resources")</title>
            <style>\(style)</style>
            </head>
            <body>
            <header><h1>portcullis check</h1><p>\(time.text)Z</p></header>
            <main>

            """
        text += summary(reports)
        for (index, report) in reports.enumerated() { text += section(report, index) }
        return text + "</main>\n</body>\n</html>\n"
    }

    /// Contrasts are at least 4.5 to 1, and words tell the levels apart too.
    ///
    /// WCAG 2.2 §1.4.1, §1.4.3.
    private static let style = """

        body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:64rem;padding:1rem;color:#1a1a1a;background:#fff}
        h1,h2,h3{line-height:1.2}h2{overflow-wrap:anywhere;border-top:2px solid #555;padding-top:1rem}
        table{border-collapse:collapse;width:100%}caption{text-align:left;font-weight:bold}
        th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #ccc;overflow-wrap:anywhere}
        .level{font-weight:bold;display:inline-block;min-width:3.5rem}
        .fail{color:#a40000}.warn{color:#7a4a00}.note{color:#004a8f}.pass{color:#0b5d1e}
        .finding{border-left:4px solid currentColor;padding-left:.75rem;margin:1rem 0}.finding>*{color:#1a1a1a}
        .finding>p>.fail{color:#a40000}.finding>p>.warn{color:#7a4a00}.finding>p>.note{color:#004a8f}
        dt{font-weight:bold}dd{margin:0 0 .25rem 1rem;overflow-wrap:anywhere}code{font-family:ui-monospace,monospace}
        a{color:#004a8f}a:focus,summary:focus{outline:3px solid #004a8f}
        @media print{body{max-width:none}.finding,tr{break-inside:avoid}a{color:inherit}}

        """

    private static func summary(_ reports: [CheckReport]) -> String {
        var text = "<table>\n<caption>Results</caption>\n<thead><tr>"
        for head in ["Subject", "Result", "Failures", "Warnings", "Notes"] {
            text += "<th scope=\"col\">\(head)</th>"
        }
        text += "</tr></thead>\n<tbody>\n"
        for (index, report) in SummaryTable.sorted(Array(reports.enumerated()), by: \.element) {
            let counts = [Finding.Level.fail, .warn, .note].map { "<td>\(report.count(of: $0))</td>" }
            text += "<tr><th scope=\"row\"><a href=\"#r\(index)\">\(shown(report.subject))</a></th>"
            text += "<td>\(report.outcome.word)</td>\(counts.joined())</tr>\n"
        }
        return text + "</tbody>\n</table>\n"
    }

    private static func section(_ report: CheckReport, _ index: Int) -> String {
        var text =
            "<section aria-labelledby=\"r\(index)\">\n<h2 id=\"r\(index)\">\(shown(report.subject))</h2>\n"
        if let trouble = report.trouble {
            text += "<p><span class=\"level fail\">Unchecked</span> \(shown(trouble))</p>\n"
        }
        for finding in report.findings.sorted(by: { $0.level.gravity > $1.level.gravity })
        where finding.level != .pass {
            text += article(finding)
        }
        let passes = report.findings.filter { $0.level == .pass }
        if !passes.isEmpty {
            text += "<details><summary>\(passes.count) passed</summary>\n<ul>\n"
            for finding in passes {
                text += "<li><span class=\"level pass\">pass</span> \(shown(finding.text))</li>\n"
            }
            text += "</ul>\n</details>\n"
        }
        return text + "</section>\n"
    }

    private static func article(_ finding: Finding) -> String {
        let level = finding.level.rawValue
        let rule = finding.rule
        var rows = [
            ("A client", shown(rule.consequence)), ("Mend", shown(rule.remedy)),
            ("Clause", "<a href=\"\(Markup.escaped(rule.url))\">\(shown(rule.clause))</a>"),
        ]
        if let exchange = finding.exchange {
            rows.insert(("Sent", "<code>\(shown(exchange.sent))</code>"), at: 0)
            rows.insert(("Received", "<code>\(shown(exchange.received))</code>"), at: 1)
        }
        if let reason = finding.suppression { rows.append(("Suppressed", shown(reason))) }
        var text = "<article class=\"finding \(level)\">\n<p><span class=\"level \(level)\">\(level)</span> "
        text += "\(shown(finding.text)) <code>\(shown(finding.code))</code></p>\n<dl>\n"
        for (name, value) in rows { text += "<dt>\(name)</dt><dd>\(value)</dd>\n" }
        return text + "</dl>\n</article>\n"
    }

    private static func shown(_ text: String) -> String { Markup.escaped(TerminalText.printable(text)) }
}
