// SPDX-License-Identifier: MIT

import Portcullis
import PortcullisHTTP

extension KnownClient {
    /// Whether the client accepts a document that names this resource, for a requested URL.
    ///
    /// - Parameter atRoot: Whether the document was found at the well-known path without the resource's path.
    package func accepts(resource: String, for requested: String, atRoot: Bool) -> Bool {
        guard let resourceURL = try? HTTPURL(resource), let url = try? HTTPURL(requested) else {
            return false
        }
        switch self {
        case .typeScriptSDK, .inspector:
            return resourceURL.hasOrigin(of: url)
                && url.hrefPath.utf8.count >= resourceURL.hrefPath.utf8.count
                && resourceURL.isAbove(url)
        case .pythonSDK:
            return resourceURL.hasOrigin(of: url) && resourceURL.isAbove(url)
        case .goSDK:
            return resource.utf8.elementsEqual((atRoot ? url.origin(of: requested) : requested).utf8)
        case .csharpSDK:
            let names = atRoot ? [url.origin(of: requested)] : [requested, url.origin(of: requested)]
            return names.contains { Self.equalButForSlash($0, resource) }
        case .visualStudioCode, .oauth4webapi, .claude:
            return resourceURL.hasOrigin(of: url) && resourceURL.hrefPath == url.hrefPath
                && resourceURL.query == url.query
        }
    }

    private static func equalButForSlash(_ first: String, _ second: String) -> Bool {
        func bare(_ text: String) -> String {
            text.utf8.last == 0x2F ? String(decoding: text.utf8.dropLast(), as: UTF8.self) : text
        }
        return ASCII.equalIgnoringCase(bare(first), bare(second))
    }
}

extension HTTPURL {
    /// The path as in browsers: never empty.
    fileprivate var hrefPath: String { path.isEmpty ? "/" : path }

    /// Whether this URL's path is a prefix of the other's, by whole segments, ignoring final slashes.
    fileprivate func isAbove(_ other: HTTPURL) -> Bool {
        func closed(_ path: String) -> String { path.utf8.last == 0x2F ? path : path + "/" }
        return closed(other.hrefPath).utf8.starts(with: closed(hrefPath).utf8)
    }
}
