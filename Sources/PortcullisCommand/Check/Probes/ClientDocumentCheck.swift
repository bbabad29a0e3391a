// SPDX-License-Identifier: MIT

package import Portcullis
import PortcullisDiscovery
import PortcullisHTTP

/// Checks a client ID metadata document in a file or at a URL.
package struct ClientDocumentCheck: Sendable {
    /// The maximum length of a document, in bytes.
    package static let maximumByteCount = 65_536

    private let fetcher: any Fetcher
    private let allowsLoopback: Bool

    /// Creates a check.
    ///
    /// - Parameters:
    ///   - fetcher: Fetches the document of a URL.
    ///   - allowsLoopback: Whether `http` URLs on loopback are fetched.
    package init(fetcher: any Fetcher, allowsLoopback: Bool) {
        self.fetcher = fetcher
        self.allowsLoopback = allowsLoopback
    }

    /// Checks the document at a URL, or in a file if the text is no http or https URL.
    ///
    /// Waits at most 5 seconds for a response.
    package func report(on place: String) async -> CheckReport {
        var report = CheckReport(subject: place)
        guard place.hasPrefix("https://") || place.hasPrefix("http://") else {
            report.anchor = SourceAnchor(file: place, line: 1)
            do throws(InputFile.Unreadable) {
                let bytes = try InputFile.contents(of: place, maxByteCount: Self.maximumByteCount)
                ClientDocumentLint.check(bytes, at: nil, &report)
            } catch {
                report.trouble = "The file \(place) \(error.message)."
            }
            return report
        }
        guard IssuerURL.isFetchable(place, allowingInsecureLoopback: allowsLoopback) else {
            report.trouble = "http is allowed on loopback only, and only with --allow-private."
            return report
        }
        await check(place, &report)
        return report
    }

    private func check(_ url: String, _ report: inout CheckReport) async {
        let response: FetchResponse
        do throws(FetchError) {
            response = try await fetcher.fetch(
                FetchRequest(
                    url: url, fields: [.accept: "application/json"],
                    maxResponseByteCount: Self.maximumByteCount))
        } catch {
            report.trouble = DiscoveryError.noResponse(error).description
            return
        }
        report.exchange = Exchange(.get, url, response)
        guard response.status == .ok else {
            report.note(.fail, "client.fetch", "The URL is answered \(response.status.code) and not 200.")
            return
        }
        if response.isJSON {
            report.note(.pass, "client.fetch", "The URL is answered 200 as application/json.")
        } else {
            report.note(.fail, "client.fetch", "The media type is not application/json.")
        }
        ClientDocumentLint.check(response.body, at: url, &report)
    }
}
