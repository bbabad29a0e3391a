// SPDX-License-Identifier: MIT

/// The style sheet of the demo's page.
enum PageStyle {
    static let text = """
        :root {
            color-scheme: light dark;
            --ground: #fbfaf7; --paper: #ffffff; --ink: #1d1b18; --quiet: #5c574f; --line: #dcd5c8;
            --sheet: #f3efe7; --accent: #7a3b12; --on-accent: #ffffff; --good: #1b6537; --bad: #9c1c17;
            --mark: #ffe6a3; --on-mark: #1d1b18;
            --mono: ui-monospace, "SF Mono", "Cascadia Code", "DejaVu Sans Mono", Menlo, Consolas, monospace;
        }
        @media (prefers-color-scheme: dark) {
            :root {
                --ground: #151412; --paper: #1c1a18; --ink: #ece7de; --quiet: #b3aca0; --line: #3b372f;
                --sheet: #24211d; --accent: #f2ad77; --on-accent: #151412; --good: #86d8a1; --bad: #ffa196;
                --mark: #584511; --on-mark: #fff2cd;
            }
        }
        * { box-sizing: border-box; }
        body {
            margin: 0 auto; padding: 1.5rem clamp(1rem, 4vw, 3rem) 3rem; max-width: 84rem;
            background: var(--ground); color: var(--ink);
            font: 1rem/1.55 system-ui, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
        }
        h1, h2, h3 { line-height: 1.2; margin: 0 0 .5rem; text-wrap: balance; }
        h1 { font-size: clamp(1.7rem, 5vw, 2.6rem); letter-spacing: -.02em; }
        h2 { font-size: 1.5rem; }
        h2:focus, main:focus { outline: none; }
        h3 { font-size: 1.1rem; margin-top: 1rem; }
        h3.small {
            margin: 1.25rem 0 .5rem; font-size: .8rem; letter-spacing: .06em; text-transform: uppercase;
            color: var(--quiet);
        }
        p { margin: 0 0 .75rem; max-width: 44rem; }
        code, pre, mark { font-family: var(--mono); font-size: .875em; }
        a { color: var(--accent); }
        header { margin-bottom: 2rem; }
        #name { color: var(--accent); font-weight: 650; letter-spacing: .02em; margin: 0 0 .25rem; }
        footer { margin-top: 2.5rem; color: var(--quiet); font-size: .875rem; }
        .skip { position: absolute; left: -99rem; }
        .skip:focus { left: 1rem; top: .5rem; background: var(--paper); padding: .5rem; }
        .hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
        :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }

        .frame { display: grid; grid-template-columns: 15rem minmax(0, 1fr); gap: 2.5rem; }
        nav { position: sticky; top: 1.5rem; align-self: start; }
        nav ol { list-style: none; margin: 0; padding: 0; }
        nav button {
            display: grid; grid-template-columns: 1.75rem 1fr; gap: .6rem; align-items: center; width: 100%;
            padding: .3rem .4rem; border: 0; border-radius: .5rem; background: none; color: var(--quiet);
            font: inherit; font-size: .9375rem; line-height: 1.3; text-align: left; cursor: pointer;
        }
        nav button:disabled { cursor: default; }
        nav button:not(:disabled):hover { background: var(--sheet); color: var(--ink); }
        nav .number {
            display: grid; place-items: center; width: 1.75rem; height: 1.75rem; border-radius: 50%;
            border: 1px solid var(--line); font-size: .8125rem; font-variant-numeric: tabular-nums;
        }
        nav .done .number { border-color: var(--good); color: var(--good); }
        nav [aria-current] { color: var(--ink); font-weight: 600; }
        nav [aria-current] .number {
            background: var(--accent); border-color: var(--accent); color: var(--on-accent);
        }

        .count { color: var(--quiet); font-size: .875rem; margin-bottom: .25rem; }
        .actions { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; }
        .actions button {
            padding: .6rem 1.1rem; border-radius: .5rem; border: 1px solid var(--accent); cursor: pointer;
            background: var(--accent); color: var(--on-accent); font: inherit; font-weight: 600;
        }
        .actions button.second { background: transparent; color: var(--accent); }
        .actions button:disabled { opacity: .55; cursor: progress; }

        .exchange {
            display: grid; grid-template-columns: minmax(0, 5fr) minmax(0, 6fr); gap: 0 2rem; margin-top: 1rem;
        }
        .exchange > :first-child { position: sticky; top: 1rem; align-self: start; }
        pre {
            margin: 0; padding: .8rem 1rem; background: var(--sheet); border: 1px solid var(--line);
            border-radius: .5rem; white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.5;
        }
        pre .first { font-weight: 650; }
        mark { background: var(--mark); color: var(--on-mark); border-radius: .2rem; padding: 0 .15em; }
        pre mark { font-size: 1em; }
        mark sup, dt sup { font-size: .75em; line-height: 0; font-weight: 700; margin-left: .15em; }
        dl { margin: 0; }
        dt { font: 600 .875em/1.5 var(--mono); margin-top: .7rem; overflow-wrap: anywhere; }
        dd { margin: 0; font-size: .9375rem; color: var(--quiet); overflow-wrap: anywhere; }
        .part + .part { margin-top: 2rem; padding-top: .75rem; border-top: 1px solid var(--line); }
        .good, h3.good { color: var(--good); } .bad, h3.bad { color: var(--bad); }

        .trace {
            margin-top: 1.5rem; border: 1px solid var(--line); border-radius: .5rem; background: var(--paper);
        }
        .trace summary { padding: .7rem 1rem; cursor: pointer; font-weight: 600; }
        .trace ol { margin: 0; padding: 0 1rem .6rem; list-style: none; }
        .trace li {
            display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); gap: .1rem .75rem; padding: .45rem 0;
        }
        .trace li + li { border-top: 1px solid var(--line); }
        .trace .outcome { font-weight: 650; font-size: .875rem; }
        .trace .detail { grid-column: 2; color: var(--quiet); font-size: .875rem; overflow-wrap: anywhere; }
        .trace .clause { color: var(--quiet); font-size: .8125rem; font-weight: 400; }

        @media (max-width: 62rem) {
            .exchange { grid-template-columns: minmax(0, 1fr); }
            .exchange > :first-child { position: static; }
        }
        @media (max-width: 48rem) {
            .frame { grid-template-columns: minmax(0, 1fr); gap: 1.25rem; }
            nav { position: static; }
            nav ol { display: flex; flex-wrap: wrap; gap: .25rem; }
            nav button { display: block; width: auto; padding: .3rem; }
            nav .label {
                position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
            }
            nav .number { width: 2.1rem; height: 2.1rem; }
            .actions button { width: 100%; }
            .trace li { grid-template-columns: minmax(0, 1fr); }
            .trace .detail { grid-column: 1; }
        }
        @media (prefers-reduced-motion: no-preference) {
            html { scroll-behavior: smooth; }
        }

        """
}
