"""A notice board behind the gateway, in Django. Run it with `gunicorn app:application`."""

import logging

import counterfoil
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import path
from django.utils.html import format_html
from django.views.decorators.http import require_GET, require_POST

settings.configure(
    ALLOWED_HOSTS=[origin.split("://")[1].rsplit(":", 1)[0] for origin in counterfoil.ORIGINS],
    MIDDLEWARE=["app.CounterfoilMiddleware"],  # cross-site writes are refused by the gateway
    ROOT_URLCONF="app",
)
log = logging.getLogger("counterfoil")
notes = {}


class CounterfoilMiddleware:
    """First in the list: nothing runs before it is known who asks."""

    def __init__(self, answer):
        self.answer = answer

    def __call__(self, request):
        try:
            request.person = counterfoil.verify(request.META).get("sub")
        except counterfoil.Bypassed as error:
            log.warning("refused: %s", error)
            return HttpResponse("bypassed\n", status=403)
        except counterfoil.Unavailable as error:
            log.error("keys: %s", error)
            return HttpResponse("the gateway's keys are unavailable\n", status=503)
        return self.answer(request)


@require_GET
def public(request):
    return HttpResponse(format_html("<h1>Everybody may read this.</h1><p>You are {}.</p>", request.person or "nobody"))


@require_GET
def me(request):
    if request.person is None:
        return HttpResponse("nobody is signed in\n", status=401)
    page = "<h1>You are {}.</h1><p>Your note: {}</p><form method=post action=/note><input name=text></form>"
    return HttpResponse(format_html(page, request.person, notes.get(request.person, "")))


@require_POST
def note(request):
    if request.person is None:
        return HttpResponse("nobody is signed in\n", status=401)
    notes[request.person] = request.POST.get("text", "")[:200]
    return HttpResponseRedirect("/me", status=303)


urlpatterns = [path("", public), path("me", me), path("note", note)]
application = get_wsgi_application()
