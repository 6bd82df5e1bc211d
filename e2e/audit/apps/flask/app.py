"""A twin on Flask's own sessions, which live in the browser. Started by `corpus`; CORPUS_FLAWED=1 is the vulnerable one."""

import json
import os
import secrets

from flask import Flask, abort, redirect, request, session

PEOPLE = json.loads(os.environ["CORPUS_PEOPLE"])
FLAWED = os.environ["CORPUS_FLAWED"] == "1"
NOTES = {name: [] for name in PEOPLE}
LIVE = set()

app = Flask(__name__)
app.config.update(
    SECRET_KEY="dev" if FLAWED else secrets.token_hex(32),
    SESSION_COOKIE_SECURE=True,
    SESSION_COOKIE_HTTPONLY=not FLAWED,
    SESSION_COOKIE_SAMESITE="Lax",
)


def user():
    """Who is signed in. The fixed twin keeps on the server which sign-ins are still good."""
    name = session.get("user")
    return name if name in PEOPLE and (FLAWED or session.get("key") in LIVE) else None


def token():
    return session.setdefault("csrf", secrets.token_hex(16))


def checked():
    if not secrets.compare_digest(request.form.get("csrf_token", ""), token()):
        abort(403)


def form(action, inner):
    hidden = f'<input type="hidden" name="csrf_token" value="{token()}">'
    return f'<form method="post" action="{action}">{hidden}{inner}</form>'


@app.get("/")
def home():
    if not user():
        return '<!doctype html><html><body><p>Nobody is signed in. <a href="/login">Sign in</a></p></body></html>'
    notes = "".join(f"<li>{note}</li>" for note in NOTES[user()])
    return (
        f"<!doctype html><html><body><p>Signed in as {user()}.</p><ul>{notes}</ul>"
        + form("/notes", '<input name="text"><button>Add</button>')
        + form("/logout", "<button>Sign out</button>")
        + "</body></html>"
    )


@app.route("/login", methods=["GET", "POST"])
def login():
    if request.method == "GET":
        inner = '<input name="user"><input type="password" name="password"><button>Sign in</button>'
        return "<!doctype html><html><body>" + form("/login", inner) + "</body></html>"
    checked()
    name = request.form.get("user", "")
    if PEOPLE.get(name) != request.form.get("password"):
        abort(401)
    LIVE.discard(session.get("key"))
    session.clear()
    session.update(user=name, key=secrets.token_hex(16))
    token()
    LIVE.add(session["key"])
    return redirect("/")


@app.post("/logout")
def logout():
    checked()
    LIVE.discard(session.get("key"))
    session.clear()
    return redirect("/")


@app.post("/notes")
def notes():
    checked()
    if not user():
        return redirect("/login")
    NOTES[user()].append(request.form.get("text", "").replace("<", "&lt;"))
    del NOTES[user()][:-50]
    return redirect("/")


@app.after_request
def sound(response):
    response.headers.update(json.loads(os.environ["CORPUS_HEADERS"]))
    return response


app.run(port=int(os.environ["CORPUS_PORT"]), threaded=True)
