"""A twin on Django's sessions and its CSRF middleware. Started by `corpus`; CORPUS_FLAWED=1 is the vulnerable one."""

import json
import os
import secrets
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token, rotate_token
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

PEOPLE = json.loads(os.environ["CORPUS_PEOPLE"])
HEADERS = json.loads(os.environ["CORPUS_HEADERS"])
FLAWED = os.environ["CORPUS_FLAWED"] == "1"
NOTES = {name: [] for name in PEOPLE}

settings.configure(
    ALLOWED_HOSTS=["*"],
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 10_000}}},
    MIDDLEWARE=[
        "__main__.sound",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
    ],
    ROOT_URLCONF="__main__",
    SECRET_KEY=secrets.token_hex(32),
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_AGE=86_400,
    SESSION_ENGINE="django.contrib.sessions.backends.cache",
    CSRF_COOKIE_SECURE=True,
    CSRF_COOKIE_HTTPONLY=True,
)
django.setup()


def sound(answer):
    """Every header a page should have."""

    def with_headers(request):
        response = answer(request)
        for name, value in HEADERS.items():
            response[name] = value
        return response

    return with_headers


def exempt(view):
    return csrf_exempt(view) if FLAWED else view


def form(request, action, inner):
    hidden = f'<input type="hidden" name="csrfmiddlewaretoken" value="{get_token(request)}">'
    return f'<form method="post" action="{action}">{hidden}{inner}</form>'


def page(inner, status=200):
    return HttpResponse(f"<!doctype html><html><body>{inner}</body></html>", status=status)


def home(request):
    user = request.session.get("user")
    if not user:
        return page('<p>Nobody is signed in. <a href="/accounts/login/">Sign in</a></p>')
    notes = "".join(f"<li>{note}</li>" for note in NOTES[user])
    return page(
        f"<p>Hello {user}, welcome back.</p><ul>{notes}</ul>"
        + form(request, "/notes/", '<input name="text"><button>Add</button>')
        + form(request, "/accounts/logout/", "<button>Log out</button>")
    )


def login(request):
    if request.method != "POST":
        request.session["seen"] = True
        return page(form(request, "/accounts/login/", '<input name="username"><input type="password" name="password"><button>In</button>'))
    user = request.POST.get("username", "")
    if PEOPLE.get(user) != request.POST.get("password"):
        return page("<p>Wrong name or password.</p>", 401)
    if not FLAWED:
        request.session.flush()
    request.session["user"] = user
    rotate_token(request)
    return HttpResponseRedirect("/accounts/profile/")


@exempt
def logout(request):
    if request.method == "POST" or FLAWED:
        request.session.flush()
        rotate_token(request)
    return HttpResponseRedirect("/accounts/profile/")


@exempt
def notes(request):
    user = request.session.get("user")
    if user and request.method == "POST":
        NOTES[user].append(request.POST.get("text", "").replace("<", "&lt;"))
        del NOTES[user][:-50]
    return HttpResponseRedirect("/accounts/profile/")


urlpatterns = [
    path("accounts/profile/", home),
    path("accounts/login/", login),
    path("accounts/logout/", logout),
    path("notes/", notes),
]


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


make_server("127.0.0.1", int(os.environ["CORPUS_PORT"]), get_wsgi_application(), Server, Quiet).serve_forever()
