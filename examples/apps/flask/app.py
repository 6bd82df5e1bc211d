"""A notice board behind the gateway, in Flask. Run it with `gunicorn app:app`."""

from flask import Flask, g, redirect, render_template_string, request

import counterfoil

app = Flask(__name__)
notes = {}


@app.before_request
def who_is_it():
    try:
        g.person = counterfoil.verify(request.environ).get("sub")
    except counterfoil.Bypassed as error:
        app.logger.warning("refused: %s", error)
        return "bypassed\n", 403
    except counterfoil.Unavailable as error:
        app.logger.error("keys: %s", error)
        return "the gateway's keys are unavailable\n", 503


@app.get("/")
def public():
    return render_template_string("<h1>Everybody may read this.</h1><p>You are {{ g.person or 'nobody' }}.</p>")


@app.get("/me")
def me():
    if g.person is None:
        return "nobody is signed in\n", 401
    page = "<h1>You are {{ g.person }}.</h1><p>Your note: {{ note }}</p><form method=post action=/note><input name=text></form>"
    return render_template_string(page, note=notes.get(g.person, ""))


@app.post("/note")
def note():
    if g.person is None:
        return "nobody is signed in\n", 401
    notes[g.person] = request.form.get("text", "")[:200]
    return redirect("/me", 303)
