# SPDX-License-Identifier: MIT
"""Canaille as a program: JWT access tokens for users, opaque ones for clients, introspection of both.

    python canaille_server.py PORT RESOURCE...

Prints `ready` when it accepts connections. A token is for the clients that the asking client names as its
audience, so each resource is a client, whose identifier is that of the resource. `/log-in` opens a session of
the user, as a log-in page would.
"""

import datetime
import logging
import sys

APP, OTHER, APP_SECRET = "app", "other-app", "s3cret-of-the-app"
RESOURCE_SECRET = "s3cret-of-the-resource"
CALLBACK = "http://127.0.0.1/callback"
SCOPES = ["openid", "photos.read", "photos.write", "notes.read"]


def create_app(port):
    from canaille import create_app
    from canaille.oidc.jose import make_default_rsa_jwk

    return create_app(
        {
            "SECRET_KEY": "only for this test",
            "SERVER_NAME": f"127.0.0.1:{port}",
            "PREFERRED_URL_SCHEME": "http",
            "CANAILLE": {"LOGGING": {"version": 1}, "JAVASCRIPT": False},
            "CANAILLE_OIDC": {
                "ACTIVE_JWKS": [make_default_rsa_jwk().as_dict(private=True)],
                "TRUSTED_DOMAINS": ["127.0.0.1"],
            },
        }
    )


def create_clients_and_user(backend, models, resources):
    def client(name, secret, audience):
        made = models.Client(
            client_id=name,
            client_name=name,
            client_secret=secret,
            client_uri="http://127.0.0.1",
            contacts=["alice@example.org"],
            redirect_uris=[CALLBACK],
            grant_types=["client_credentials", "password", "authorization_code"],
            response_types=["code", "id_token"],
            scope=SCOPES,
            token_endpoint_auth_method="client_secret_basic",
            client_id_issued_at=datetime.datetime.now(datetime.timezone.utc),
        )
        backend.save(made)
        made.audience = audience or [made]
        backend.save(made)
        return made

    guarded = [client(resource, RESOURCE_SECRET, None) for resource in resources]
    client(APP, APP_SECRET, guarded[:1])
    client(OTHER, APP_SECRET, guarded[1:])
    client("plain-app", APP_SECRET, None)
    user = models.User(user_name="alice", formatted_name="Alice", family_name="A", emails=["alice@example.org"])
    user.password = "s3cret-of-alice"
    backend.save(user)


if __name__ == "__main__":
    port, resources = int(sys.argv[1]), sys.argv[2:]
    app = create_app(port)
    from canaille.app import models
    from canaille.backends import Backend
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with app.app_context():
        create_clients_and_user(Backend.instance, models, resources)
    server = make_server("127.0.0.1", port, app, threaded=True)
    print("ready", flush=True)
    server.serve_forever()
