// SPDX-License-Identifier: MIT

/// The markup of the demo's page; its script adds the steps.
enum PageMarkup {
    /// - Parameters:
    ///   - origin: The origin of the resources.
    ///   - issuer: The issuer identifier of the authorization server.
    static func text(origin: String, issuer: String) -> String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Portcullis, step by step</title>
        <link rel="stylesheet" href="demo.css">
        <script type="module" src="demo.js"></script>
        </head>
        <body data-origin="\(origin)" data-issuer="\(issuer)">
        <a class="skip" href="#step">To the current step</a>
        <header>
        <p id="name">Portcullis</p>
        <h1>How a client gets in</h1>
        <p>This page is public. The photos and the notes of this server are not. Follow a client that knows
        nothing but a URL: each step sends a request, live, and shows its bytes.</p>
        </header>
        <div class="frame">
        <nav aria-label="Steps"><ol id="steps"></ol></nav>
        <main id="step" tabindex="-1" aria-labelledby="title">
        <noscript><p>The steps need JavaScript. The program has printed most of them as commands for curl.</p>
        </noscript>
        </main>
        </div>
        <p id="status" class="hidden" role="status"></p>
        <footer><p>Served by the demo itself, from this machine: nothing leaves it.
        The authorization server is <code>\(issuer)</code>.</p></footer>
        </body>
        </html>

        """
    }
}
