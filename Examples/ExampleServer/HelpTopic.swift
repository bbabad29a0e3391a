// SPDX-License-Identifier: MIT

import PortcullisConfiguration

/// The topics of `--help TOPIC`.
enum HelpTopic: String, CaseIterable {
    case completions, config, check, demo, guarding = "guard", listener, signals, status, systemd

    /// What `--help` prints.
    static let usage = """
        usage: example-server [--host HOST] [--port PORT]                 run the demo, without a file
               example-server --config FILE [--host HOST] [--port PORT]   serve the configuration in FILE
               example-server --check FILE                                print all problems of FILE
               example-server --guard URL [--resource URL] [--port PORT] [--issuer-port PORT]
                                                                          guard the server at URL
               example-server --help [TOPIC] | --version | --completions SHELL
        Port 0 selects a free port.
        Topics: \(allCases.map(\.rawValue).joined(separator: ", ")).

        """

    /// What `--completions` prints.
    static func script(for shell: ShellCompletions.Shell) -> String {
        let words = [
            "--completions": ShellCompletions.Shell.allCases.map(\.rawValue),
            "--help": allCases.map(\.rawValue),
        ]
        return ShellCompletions(of: "example-server", usage: usage, words: words).script(for: shell)
    }

    var text: String {
        switch self {
        case .completions:
            """
            --completions SHELL prints the script with which bash, zsh or fish completes this command line.

              bash   eval "$(example-server --completions bash)" in ~/.bashrc
              zsh    example-server --completions zsh > ~/.zfunc/_example-server, with ~/.zfunc in fpath
              fish   example-server --completions fish > ~/.config/fish/completions/example-server.fish

            """
        case .config:
            """
            --config FILE serves the resources and routes that a JSON file declares. A small one:

              { "resources": [ {
                  "metadata": { "resource": "https://api.example.com/photos",
                                "authorization_servers": ["https://login.example.com"] },
                  "routes": [ { "path": "/photos/{id}", "respond": "principal" } ] } ] }

            File names in it are relative to its folder. All keys: Examples/ExampleServer/README.md.

            """
        case .check:
            """
            --check FILE reads the file and the files that it names, and prints each problem to standard error:
            a JSON path, a colon, what is wrong and what would be right. It serves nothing, and opens no
            connection. Status 0: the file is valid, perhaps with warnings; 1: it is not.

            """
        case .demo:
            """
            Without --config and --check the program runs two resources on port 8080, or that of --port, and an
            authorization server on port 8081, and prints commands to try them. --port 0 selects free ports.

            """
        case .guarding:
            """
            --guard URL passes requests on to the server at URL, if they have a token of a demo authorization
            server, which the program runs too, and prints what to paste into a client. The resource is
            --resource URL, or the whole origin where the program listens. --port is 8080 and --issuer-port 8081
            unless given; 0 selects a free port. Both listen on loopback only. URL is http:, https: or unix: and
            a path; a path in it comes before the path of each request.

            """
        case .listener:
            """
            --host and --port replace server.host and server.port of the file. HOST is an address, a name, or
            unix: and a path; on the command line the path is relative to the working directory, in the file to
            the file's folder. When the program accepts connections it prints "listening on" and the address,
            and with an admin listener "admin on" and its address. Logs go to standard error.

            """
        case .signals:
            """
            SIGTERM, SIGINT: no new connections; requests in flight may take server.shutdown_grace_seconds.
            SIGHUP: reads the file and the certificates again, and opens the access log again. A file with
            problems changes nothing.

            """
        case .status:
            """
            0  after SIGTERM or SIGINT; --check of a valid file; --help, --version
            1  the file has problems, or its listener cannot be bound
            2  the command line is invalid

            """
        case .systemd:
            """
            The program takes over the sockets of a socket unit; the one named "admin" becomes the admin
            listener. With Type=notify-reload (systemd 253 or later) "systemctl reload" sends SIGHUP. Before
            that, use Type=notify and ExecReload=/bin/kill -HUP $MAINPID.

            """
        }
    }
}
