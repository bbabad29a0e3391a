// SPDX-License-Identifier: MIT

/// The script of the demo's page: the steps, and how they are shown.
enum PageScript {
    static let text = #"""
        const { origin, issuer } = document.body.dataset;
        const redirect = location.origin + "/";
        const kept = JSON.parse(sessionStorage.getItem("demo") ?? "null");
        // What the client knows; kept while the browser is at the consent page.
        const state = kept?.issuer === issuer ? kept : { issuer, current: 0, reached: 0, results: {} };
        let key = null;

        const save = () => sessionStorage.setItem("demo", JSON.stringify(state));
        const path = (url) => url.slice(new URL(url).origin.length);
        const host = (url) => new URL(url).host;
        const form = (members) => new URLSearchParams(members).toString();
        const bytes = (text) => new TextEncoder().encode(text);
        const base64url = (buffer) =>
            btoa(String.fromCharCode(...new Uint8Array(buffer)))
                .replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
        const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
        const sha256 = async (text) => base64url(await crypto.subtle.digest("SHA-256", bytes(text)));
        const decoded = (part) =>
            JSON.parse(new TextDecoder().decode(
                Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0))));

        // Messages.

        function message(method, url, fields = {}, body = "") {
            const all = { Host: host(url), ...fields, ...(body ? { "Content-Length": bytes(body).length } : {}) };
            const lines = Object.entries({ ...all, Connection: "close" }).map(([name, value]) => `${name}: ${value}`);
            return [`${method} ${path(url)} HTTP/1.1`, ...lines, "", body].join("\r\n");
        }

        async function send(request, to = "resource") {
            const answer = await fetch("demo/exchange", { method: "POST", body: JSON.stringify({ to, request }) });
            if (!answer.ok) throw new Error(await answer.text());
            const { response, trace } = await answer.json();
            if (!response) throw new Error("The server did not answer.");
            const [head, ...rest] = response.split("\r\n\r\n");
            const [first, ...lines] = head.split("\r\n");
            const fields = lines.map((line) => [line.split(":")[0], line.slice(line.indexOf(":") + 2)]);
            return {
                request, response, trace, status: Number(first.split(" ")[1]), body: rest.join("\r\n\r\n"),
                challenge: fields.find(([name]) => name.toLowerCase() === "www-authenticate")?.[1] ?? "",
            };
        }

        const shown = ({ request, response, trace, status }, parts, title) =>
            ({ request, response, trace, status, parts, title });

        const part = (name, text, meaning) => ({ name, text, meaning });

        /** The parameters of a challenge, each with its text as it was sent. */
        const parameters = (challenge) =>
            Object.fromEntries([...challenge.matchAll(/([a-z_]+)="([^"]*)"/g)]
                .map(([text, name, value]) => [name, { text, value }]));

        const meanings = {
            resource_metadata: "where the resource describes itself (RFC 9728 section 5.1)",
            scope: "what this request needs (RFC 6750 section 3)",
            error: "why the request was refused (RFC 6750 section 3.1)",
            error_description: "the same for people; it never repeats the token",
            algs: "the algorithms of proofs (RFC 9449 section 7.1)",
            iss: "who issued it: the authorization server, byte for byte",
            sub: "for whom: the user, or the client itself",
            aud: "for which resource. Another resource refuses it (RFC 9068 section 4)",
            client_id: "to which client",
            scope_claim: "what the client may do",
            exp: "until when, in seconds since 1970",
            iat: "since when",
            jti: "its name, for logs",
            cnf: "the key that it is bound to: without a proof by that key it is useless (RFC 9449 section 6)",
            resource: "the identifier: the audience of its tokens",
            authorization_servers: "who issues tokens for it",
            scopes_supported: "the scopes that there are",
            bearer_methods_supported: "where the token goes: into the Authorization field",
            dpop_signing_alg_values_supported: "proofs are accepted, with these algorithms",
            issuer: "its name, which has to be the one that the resource named",
            authorization_endpoint: "where the browser goes to ask the user",
            token_endpoint: "where the client gets tokens",
            registration_endpoint: "where a client that nobody knows registers",
            jwks_uri: "the keys with which the resource checks tokens",
            code_challenge_methods_supported: "PKCE: a stolen code is useless (RFC 7636)",
            token_endpoint_auth_method: "none: a page can keep no secret",
            redirect_uris: "where the answer may go, and nowhere else",
            access_token: "the token; here a JWT, which clients do not have to read",
            token_type: "how it is used",
            expires_in: "for how many seconds",
            refresh_token: "for the next token, without asking again",
        };

        const challengeParts = (challenge) =>
            Object.entries(parameters(challenge)).filter(([name]) => meanings[name])
                .map(([name, { text }]) => ({ name, text, meaning: meanings[name] }));

        const documentParts = (body, names) => {
            const json = JSON.parse(body);
            return names.filter((name) => name in json)
                .map((name) => {
                    const value = JSON.stringify(json[name]);
                    // Of a long value only the name is marked.
                    return { name, text: `"${name}":${value.length > 120 ? "" : value}`, meaning: meanings[name] };
                })
                .sort((a, b) => body.indexOf(a.text) - body.indexOf(b.text));
        };

        /** The claims of a token, which the bytes do not show. */
        const claimParts = (token) =>
            Object.entries(decoded(token.split(".")[1])).map(([name, value]) => ({
                name: `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
                meaning: meanings[name === "scope" ? "scope_claim" : name] ?? "",
            }));

        // Asking the user, in a page of the authorization server.

        async function ask(scope) {
            state.verifier = random();
            state.expected = random();
            save();
            location.assign(state.server.authorization_endpoint + "?" + form({
                response_type: "code", client_id: state.client, redirect_uri: redirect, scope, state: state.expected,
                code_challenge: await sha256(state.verifier), code_challenge_method: "S256", resource: state.resource,
            }));
            return new Promise(() => {});
        }

        async function redeem() {
            const body = form({
                grant_type: "authorization_code", code: state.code, redirect_uri: redirect, client_id: state.client,
                code_verifier: state.verifier, resource: state.resource,
            });
            const url = state.server.token_endpoint;
            const answer = await send(
                message("POST", url, { "Content-Type": "application/x-www-form-urlencoded" }, body), "issuer");
            state.token = JSON.parse(answer.body).access_token;
            return answer;
        }

        /** A proof that the sender of one request has the key. RFC 9449 section 4.2. */
        async function proof(method, url, token) {
            key ??= await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign"]);
            const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", key.publicKey);
            const claims = { jti: random(), htm: method, htu: url, iat: Math.floor(Date.now() / 1000) };
            if (token) claims.ath = await sha256(token);
            const input = [{ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } }, claims]
                .map((part) => base64url(bytes(JSON.stringify(part)))).join(".");
            const algorithm = { name: "ECDSA", hash: "SHA-256" };
            return input + "." + base64url(await crypto.subtle.sign(algorithm, key.privateKey, bytes(input)));
        }

        const proofParts = (text) => {
            const [header, claims] = text.split(".").slice(0, 2).map(decoded);
            const meaning = {
                htm: "the method that the proof is for", htu: "the URL that it is for", iat: "when it was made",
                jti: "its name: it works once", ath: "the hash of the token that it goes with",
            };
            return [
                part("DPoP", "DPoP: ", `a JWT of the type ${header.typ}, signed by the key in it`),
                ...Object.entries(claims)
                    .map(([name, value]) => ({ name: `${name}: ${value}`, meaning: meaning[name] })),
            ];
        };

        // The steps.

        const photo = origin + "/photos/7";
        const notes = origin + "/notes";

        const steps = [
            {
                title: "A call without a token",
                lead: "The client knows one URL, and calls it.",
                action: "Send the request",
                async run() {
                    const answer = await send(message("GET", photo));
                    const challenge = answer.challenge;
                    state.metadata = parameters(challenge).resource_metadata.value;
                    return {
                        text: "The gate refuses, and says how to go on: the challenge names the document that describes "
                            + "the resource.",
                        exchanges: [shown(answer, [
                            part("401", "401 Unauthorized", "no token: not an error yet, so the challenge names none"),
                            part("Bearer", "WWW-Authenticate: Bearer", "how a token is sent (RFC 6750)"),
                            ...challengeParts(challenge),
                        ])],
                    };
                },
            },
            {
                title: "The resource's document",
                lead: "The client reads the document that the challenge named. It needs no token, and any web page may "
                    + "read it.",
                action: "Read the document",
                async run() {
                    const answer = await send(message("GET", state.metadata, { Accept: "application/json" }));
                    const json = JSON.parse(answer.body);
                    state.resource = json.resource;
                    state.issuerURL = json.authorization_servers[0];
                    return {
                        text: "The resource is the one that was called: otherwise the client would stop here. Next it "
                            + "asks one of the authorization servers.",
                        exchanges: [shown(answer, documentParts(answer.body,
                            ["resource", "authorization_servers", "scopes_supported", "bearer_methods_supported"]))],
                    };
                },
            },
            {
                title: "The authorization server's document",
                lead: "The authorization server describes itself too, at a well-known path (RFC 8414).",
                action: "Read the document",
                async run() {
                    const url = state.issuerURL + "/.well-known/oauth-authorization-server";
                    const answer = await send(message("GET", url, { Accept: "application/json" }), "issuer");
                    state.server = JSON.parse(answer.body);
                    return {
                        text: "Now the client knows every address that it needs. Nobody has configured any of them.",
                        exchanges: [shown(answer, documentParts(answer.body, [
                            "issuer", "registration_endpoint", "authorization_endpoint", "token_endpoint", "jwks_uri",
                            "code_challenge_methods_supported",
                        ]))],
                    };
                },
            },
            {
                title: "Registration",
                lead: "The authorization server has never seen this client. It registers itself (RFC 7591).",
                action: "Register",
                async run() {
                    const body = JSON.stringify({
                        client_name: "The demo page", redirect_uris: [redirect], grant_types: ["authorization_code"],
                        token_endpoint_auth_method: "none",
                    });
                    const url = state.server.registration_endpoint;
                    const fields = { "Content-Type": "application/json" };
                    const answer = await send(message("POST", url, fields, body), "issuer");
                    state.client = JSON.parse(answer.body).client_id;
                    return {
                        text: "The client has a name now, and no secret: its redirect URI and PKCE protect it.",
                        exchanges: [shown(answer, documentParts(answer.body,
                            ["client_id", "redirect_uris", "token_endpoint_auth_method"]))],
                    };
                },
            },
            {
                title: "Consent",
                lead: "Only the user can let the client in. The browser goes to the authorization server, which "
                    + "asks: allow there, and it sends you back here.",
                action: "Go to the consent page",
                run: () => ask("photos.read"),
                returned: (answer) => consent(answer),
            },
            {
                title: "The token",
                lead: "The client exchanges the code for a token. The code verifier proves that it is the one that asked.",
                action: "Get the token",
                async run() {
                    const answer = await redeem();
                    return {
                        text: "The token is for one resource, one scope and five minutes. These are its claims:",
                        exchanges: [shown(answer, [
                            ...documentParts(answer.body, ["access_token", "token_type", "expires_in"]),
                            ...claimParts(state.token),
                        ])],
                    };
                },
            },
            {
                title: "The call",
                lead: "The same request as at the beginning, with the token.",
                action: "Call with the token",
                async run() {
                    const answer = await send(message("GET", photo, { Authorization: `Bearer ${state.token}` }));
                    return {
                        text: "Admitted. Every check below has its clause; the first that fails would have ended it.",
                        exchanges: [shown(answer, [
                            part("Authorization", "Authorization: Bearer", "the only place where this resource takes a token"),
                            part("200", "200 OK", "the handler ran, and knew the client"),
                        ])],
                    };
                },
            },
            {
                title: "A call that needs more",
                lead: "Deleting a photo needs another scope than looking at it.",
                action: "Delete the photo",
                async run() {
                    const answer = await send(message("DELETE", photo, { Authorization: `Bearer ${state.token}` }));
                    const challenge = answer.challenge;
                    state.wanted = parameters(challenge).scope.value;
                    return {
                        text: "The token is good, and not enough. The challenge names the scope that would be.",
                        exchanges: [shown(answer, [
                            part("403", "403 Forbidden", "not 401: the client keeps its token"),
                            ...challengeParts(challenge),
                        ])],
                    };
                },
            },
            {
                title: "Step-up",
                lead: "The client asks for the missing scope besides the one that it has. That is a new question to the user.",
                action: "Go to the consent page",
                run: () => ask("photos.read " + state.wanted),
                returned: (answer) => consent(answer),
            },
            {
                title: "The call, again",
                lead: "A new token with both scopes, and the same call.",
                action: "Get the token, and delete the photo",
                async run() {
                    const token = await redeem();
                    const answer = await send(message("DELETE", photo, { Authorization: `Bearer ${state.token}` }));
                    return {
                        text: "Done: the photo could be deleted. (The demo keeps it.)",
                        exchanges: [
                            shown(token, [
                                ...documentParts(token.body, ["token_type"]),
                                part("scope", `"scope":"photos.read ${state.wanted}"`, meanings.scope_claim),
                            ], "The token"),
                            shown(answer, [part("204", "204 No Content", "the handler ran")], "The call"),
                        ],
                    };
                },
            },
            {
                title: "A token that is bound to a key",
                lead: "A thief can use a stolen bearer token. With DPoP (RFC 9449) the client makes a key, which never "
                    + "leaves this page, and has the token bound to it. This one is for the notes, and for the client "
                    + "itself, so that nobody is asked.",
                action: "Make a key, and get a bound token",
                async run() {
                    const body = JSON.stringify({
                        client_name: "The demo page, for itself", grant_types: ["client_credentials"],
                    });
                    const registered = await send(message("POST", state.server.registration_endpoint,
                        { "Content-Type": "application/json" }, body), "issuer");
                    const client = JSON.parse(registered.body);
                    const url = state.server.token_endpoint;
                    const dpop = await proof("POST", url);
                    const answer = await send(message("POST", url, {
                        Authorization: "Basic " + btoa(`${client.client_id}:${client.client_secret}`), DPoP: dpop,
                        "Content-Type": "application/x-www-form-urlencoded",
                    }, form({ grant_type: "client_credentials", scope: "notes.read", resource: notes })), "issuer");
                    state.bound = JSON.parse(answer.body).access_token;
                    return {
                        text: "The token names the key's thumbprint in cnf. Its type is DPoP.",
                        exchanges: [shown(answer, [
                            ...proofParts(dpop), ...documentParts(answer.body, ["token_type"]),
                            ...claimParts(state.bound).filter(({ name }) => name.startsWith("cnf")),
                        ])],
                    };
                },
            },
            {
                title: "A DPoP-bound call",
                lead: "Each call has a new proof, for its method, its URL and its token. Then what a thief could do: "
                    + "the same token without a proof.",
                action: "Call with a proof, then without",
                async run() {
                    const dpop = await proof("GET", notes, state.bound);
                    const fields = { Authorization: `DPoP ${state.bound}`, DPoP: dpop };
                    const answer = await send(message("GET", notes, fields));
                    const stolen = await send(message("GET", notes, { Authorization: `Bearer ${state.bound}` }));
                    const challenge = stolen.challenge;
                    return {
                        text: "The client gets in. The thief does not.",
                        exchanges: [
                            shown(answer, [
                                part("DPoP, the scheme", "Authorization: DPoP", "a bound token is sent in this scheme"),
                                ...proofParts(dpop),
                            ], "The client"),
                            shown(stolen, [
                                part("401", "401 Unauthorized", "a bound token is refused as a bearer token"),
                                ...challengeParts(challenge),
                            ], "The thief"),
                        ],
                    };
                },
            },
        ];

        /** What the authorization server has put into the URL of this page. */
        function consent(answer) {
            const problem = answer.get("error") ? `The user said no: ${answer.get("error")}. Ask again.`
                : answer.get("state") !== state.expected ? "The answer is for another question (state). Ask again."
                : answer.get("iss") !== issuer ? "The answer is from another server (iss). Ask again."
                : null;
            if (problem) throw new Error(problem);
            state.code = answer.get("code");
            const parts = {
                code: "one use, one minute, this client: the client gets the token for it",
                state: "the question that this answers, so that nobody can slip in another answer",
                iss: "who answers (RFC 9207)",
            };
            return {
                text: "You are back. The authorization server has sent the browser to this URL, with its answer:",
                exchanges: [{
                    response: `${redirect}?${answer}`,
                    parts: Object.entries(parts)
                        .map(([name, meaning]) => ({ name, text: form({ [name]: answer.get(name) }), meaning })),
                }],
            };
        }

        // The page.

        function h(tag, attributes, ...children) {
            const element = document.createElement(tag);
            for (const [name, value] of Object.entries(attributes ?? {})) {
                if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
                else if (value === true) element.setAttribute(name, "");
                else if (value !== false && value != null) element.setAttribute(name, value);
            }
            element.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
            return element;
        }

        /** Bytes with the named parts marked, each with the number that it has in the list. */
        function marked(text, parts) {
            const clean = text.replaceAll("\r\n", "\n");
            const found = parts
                .map(({ text }, index) => ({ number: index + 1, start: text ? clean.indexOf(text) : -1, text }))
                .filter(({ start }) => start >= 0).sort((a, b) => a.start - b.start);
            const pieces = [];
            let at = 0;
            for (const { number, start, text: part } of found) {
                if (start < at) continue;
                pieces.push(clean.slice(at, start), h("mark", null, part, h("sup", null, String(number))));
                at = start + part.length;
            }
            return [...pieces, clean.slice(at).replace(/\n+$/, "")];
        }

        const words = {
            passed: ["✓ passed", "good"], remembered: ["✓ known", "good"], failed: ["✗ refused", "bad"],
            notReached: ["– not reached", ""],
        };

        function trace(steps) {
            const rows = steps.map(({ name, clause, outcome, expected, got }) => {
                const [word, kind] = words[outcome] ?? [outcome, ""];
                const detail = [expected && `expects ${expected}`, got && `got ${got}`].filter(Boolean).join("; ");
                return h("li", null,
                    h("span", { class: `outcome ${kind}` }, word),
                    h("span", null, name, " ", h("span", { class: "clause" }, clause)),
                    detail && h("span", { class: "detail" }, detail));
            });
            const failed = steps.find(({ outcome }) => outcome === "failed");
            return h("details", { class: "trace", open: true },
                h("summary", null,
                    "The admission: " + (failed ? `refused at “${failed.name}”` : `${rows.length} checks`)),
                h("ol", null, rows));
        }

        function exchange({ title, request, response, status, parts, trace: admission }) {
            const list = parts.map(({ name, meaning, text }, index) => [
                h("dt", null, name, text && h("sup", null, String(index + 1))), h("dd", null, meaning),
            ]);
            const verdict = status ? `Status ${status}` : "What it says";
            return h("section", { class: "part" },
                title && h("h3", { class: "whose" }, title),
                h("div", { class: "exchange" },
                    h("div", null,
                        h("h3", { class: `small ${!status ? "" : status < 400 ? "good" : "bad"}` }, verdict),
                        h("dl", null, list)),
                    h("div", null,
                        request && h("h3", { class: "small" }, "Request, as sent"),
                        request && h("pre", null, marked(request, parts)),
                        h("h3", { class: "small" }, request ? "Response, as received" : "The URL"),
                        h("pre", null, marked(response, parts)))),
                admission && trace(admission));
        }

        const main = document.getElementById("step");
        const status = document.getElementById("status");

        function show(index, focus = true) {
            state.current = index;
            save();
            const step = steps[index];
            const result = state.results[index];
            const last = index === steps.length - 1;
            const act = h("button", { id: "act", type: "button", class: result ? "second" : "", onclick: perform },
                result ? "Once more" : step.action);
            const goOn = () => last ? restart() : show(index + 1);
            const label = last ? "Start again" : `Next: ${steps[index + 1].title}`;
            main.replaceChildren(
                h("p", { class: "count" }, `Step ${index + 1} of ${steps.length}`),
                h("h2", { id: "title", tabindex: "-1" }, step.title),
                h("p", null, step.lead),
                h("div", { class: "actions" },
                    ...(result ? [h("button", { id: "next", type: "button", onclick: goOn }, label)] : []), act),
                h("p", { id: "problem", class: "bad", role: "alert" }),
                ...(result ? [
                    h("p", { id: "result" }, result.text), ...result.exchanges.map(exchange),
                    h("div", { class: "actions" }, h("button", { type: "button", onclick: goOn }, label)),
                ] : []));
            document.getElementById("steps").replaceChildren(...steps.map(({ title }, number) => h("li", null,
                h("button", {
                    type: "button", class: state.results[number] ? "done" : "", disabled: number > state.reached,
                    "aria-current": number === index ? "step" : null, onclick: () => show(number),
                }, h("span", { class: "number", "aria-hidden": "true" }, String(number + 1)),
                    h("span", { class: "label" }, title)))));
            if (focus) document.getElementById("title").focus();
        }

        async function perform() {
            const index = state.current;
            const button = document.getElementById("act");
            button.disabled = true;
            status.textContent = "Working…";
            try {
                finish(index, await steps[index].run());
            } catch (error) {
                fail(error);
            }
        }

        function finish(index, result) {
            state.results[index] = result;
            state.reached = Math.max(state.reached, Math.min(index + 1, steps.length - 1));
            show(index);
            const statuses = result.exchanges.map(({ status }) => status).filter(Boolean);
            status.textContent = `${statuses.length ? `Status ${statuses.join(", then ")}. ` : ""}${result.text}`;
        }

        function fail(error) {
            document.getElementById("act").disabled = false;
            document.getElementById("problem").replaceChildren(
                `${error.message} Try again, or start again: the demo may have been restarted. `,
                h("button", { type: "button", onclick: restart }, "Start again"));
            status.textContent = "";
        }

        function restart() {
            sessionStorage.removeItem("demo");
            location.assign(redirect);
        }

        const answer = new URLSearchParams(location.search);
        show(state.current, false);
        if (answer.has("state") && steps[state.current].returned) {
            history.replaceState(null, "", "/");
            try {
                finish(state.current, steps[state.current].returned(answer));
            } catch (error) {
                fail(error);
            }
        }

        """#
}
