# SPDX-License-Identifier: MIT
"""django-allauth as a program: an OpenID Connect provider with opaque or JWT access tokens.

    python allauth_server.py PORT FOLDER jwt|opaque

Prints `ready` when it accepts connections. The clients are `app` and `resource-server`, with the secrets below;
`/log-in` opens a session of the user, as a log-in page would.
"""

import socketserver
import subprocess
import sys
import wsgiref.simple_server

import django
from django.conf import settings

APP, APP_SECRET = "app", "s3cret-of-the-app"
RESOURCE_SERVER, RESOURCE_SERVER_SECRET = "resource-server", "s3cret-of-the-resource-server"
CALLBACK = "http://127.0.0.1/callback"
SCOPES = ["openid", "photos.read", "photos.write", "notes.read"]


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_):
        pass


def configure(folder, token_format):
    key = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True, text=True).stdout
    settings.configure(
        ALLOWED_HOSTS=["127.0.0.1"],
        AUTHENTICATION_BACKENDS=["django.contrib.auth.backends.ModelBackend"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{folder}/allauth.db"}},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        IDP_OIDC_ACCESS_TOKEN_FORMAT=token_format,
        IDP_OIDC_INTROSPECTION_CROSS_CLIENT_ALLOWED=True,
        IDP_OIDC_INTROSPECTION_ENABLED=True,
        IDP_OIDC_PRIVATE_KEY=key,
        IDP_OIDC_RATE_LIMITS=False,
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "allauth",
            "allauth.account",
            "allauth.idp",
            "allauth.idp.oidc",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            "allauth.account.middleware.AccountMiddleware",
        ],
        ROOT_URLCONF=__name__,
        SECRET_KEY="only for this test",
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
            }
        ],
        USE_TZ=True,
    )
    django.setup()


def create_clients_and_user():
    from allauth.idp.oidc.models import Client
    from django.contrib.auth import get_user_model
    from django.contrib.auth.hashers import make_password
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    get_user_model().objects.create_user("alice", password="s3cret-of-alice")
    for name, secret in ((APP, APP_SECRET), (RESOURCE_SERVER, RESOURCE_SERVER_SECRET)):
        Client.objects.create(
            id=name,
            name=name,
            secret=make_password(secret),
            scopes="\n".join(SCOPES),
            grant_types="client_credentials\nauthorization_code",
            redirect_uris=CALLBACK,
            skip_consent=True,
        )


def log_in(request):
    from django.contrib.auth import get_user_model, login
    from django.http import HttpResponse

    login(request, get_user_model().objects.get(username="alice"), "django.contrib.auth.backends.ModelBackend")
    return HttpResponse("logged in")


if __name__ == "__main__":
    port, folder, token_format = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    configure(folder, token_format)
    create_clients_and_user()
    from django.core.wsgi import get_wsgi_application
    from django.urls import include, path

    urlpatterns = [
        path("log-in", log_in),
        path("accounts/", include("allauth.account.urls")),
        path("", include("allauth.idp.urls")),
    ]
    with Server(("127.0.0.1", port), Handler) as server:
        server.set_app(get_wsgi_application())
        print("ready", flush=True)
        server.serve_forever()
