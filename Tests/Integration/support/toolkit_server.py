# SPDX-License-Identifier: MIT
"""Django OAuth Toolkit as a program: opaque tokens, introspection (RFC 7662), revocation (RFC 7009).

    python toolkit_server.py PORT FOLDER

Prints `ready` when it accepts connections. The clients are `app` and `resource-server`, with the secrets
below.
"""

import socketserver
import sys
import wsgiref.simple_server

import django
from django.conf import settings

APP, APP_SECRET = "app", "s3cret-of-the-app"
RESOURCE_SERVER, RESOURCE_SERVER_SECRET = "resource-server", "s3cret: of+the resource/server%"


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_):
        pass


def configure(folder):
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/toolkit.db"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "oauth2_provider"],
        MIDDLEWARE=[],
        OAUTH2_PROVIDER={
            "SCOPES": {"photos.read": "See", "photos.write": "Change", "notes.read": "Read"},
            "ALLOWED_SCHEMES": ["http", "https"],
        },
        PASSWORD_HASHERS=["django.contrib.auth.hashers.PBKDF2PasswordHasher"],
        ROOT_URLCONF=__name__,
        SECRET_KEY="only for this test",
        USE_TZ=True,
    )
    django.setup()


def create_clients():
    from django.core.management import call_command
    from oauth2_provider.models import get_application_model

    call_command("migrate", verbosity=0)
    for name, secret in ((APP, APP_SECRET), (RESOURCE_SERVER, RESOURCE_SERVER_SECRET)):
        get_application_model().objects.create(
            name=name,
            client_id=name,
            client_secret=secret,
            client_type="confidential",
            authorization_grant_type="client-credentials",
        )


if __name__ == "__main__":
    port, folder = int(sys.argv[1]), sys.argv[2]
    configure(folder)
    create_clients()

    from django.core.wsgi import get_wsgi_application
    from django.urls import include, path

    urlpatterns = [path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]
    with Server(("127.0.0.1", port), Handler) as server:
        server.set_app(get_wsgi_application())
        print("ready", flush=True)
        server.serve_forever()
