"""One app through the table, and through what becomes of the gateway's keys."""

import html
import json
import time

from .assertions import Gateway, jws
from .apps import Running
from .key_server import FAILS, HANGS, SIGN_IN_PAGE, KeyServer
from .rows import ADA, ME, TABLE
from .wire import ask

COOLING = 3
"""Seconds that an app lets pass before it fetches again for an unknown key."""
PATIENCE = 30


class Trial:
    """What one app did; `failed` is what it should not have."""

    def __init__(self, app, scratch, folder=None):
        self.gateway, self.key_server = Gateway(app.algorithm), KeyServer()
        self.app, self.scratch, self.folder = app, scratch, folder
        self.passed, self.failed, self.sent = 0, [], set()

    def run(self, until_one_fails=False):
        self.key_server.keys = [self.gateway.es256.jwk(), self.gateway.eddsa.jwk()]
        parts = [self.own_tests, self.table, self.logs_show_no_assertion]
        if self.app.algorithm != "HS256":
            turns = [self.unknown_keys_are_not_asked_for_each_time, self.keys_rotate, self.keys_out_of_reach]
            parts = [self.own_tests, self.no_keys_yet, self.table, *turns, self.logs_show_no_assertion]
        try:
            with Running(self.app, self.gateway, self.key_server, self.scratch, self.folder) as self.running:
                for part in parts:
                    part()
                    if self.failed and until_one_fails:
                        break
        finally:
            self.key_server.close()
        return self

    def own_tests(self):
        if self.app.own_tests:
            told = self.running.own_tests()
            self.note(f"its own tests: {told}", told is None)

    def table(self):
        for row in TABLE:
            if row.only not in (None, self.app.algorithm):
                continue
            token = row.token(self.gateway)
            self.sent.add(token)
            answer = self.ask(row.request, row.send(token))
            shown = row.says in html.unescape(answer.text) and (row.never_says is None or row.never_says not in answer.text)
            malformed = row.or_malformed and answer.status in (400, 0)
            self.note(row.name, malformed or (answer.status == row.status and shown), answer)

    def no_keys_yet(self):
        """Before any key was ever fetched, nobody comes in: not on public pages, not because the answer was no set."""
        for name, broken in [("no answer", HANGS), ("an error", FAILS), ("a page instead", SIGN_IN_PAGE)]:
            self.key_server.broken, asked = broken, self.key_server.asked
            answers, end = [], time.monotonic() + PATIENCE
            # Some look again only after a while; that they looked is what counts.
            while self.key_server.asked == asked and time.monotonic() < end:
                answers.append(self.good(ME))
                time.sleep(0.05)
            self.note_all(f"no keys yet: {name}", 503, answers)
            self.note(f"no keys yet: {name}, on a public page", (answer := self.good(ME(target="/"))).status == 503, answer)
        self.note("no keys yet: a missing one is refused all the same", (answer := self.ask(ME)).status == 403, answer)
        self.key_server.broken = None
        self.note("keys come", *self.comes_to(200, self.gateway.key))

    def unknown_keys_are_not_asked_for_each_time(self):
        began, asked = time.monotonic(), self.key_server.asked
        answers = [self.good(ME, self.gateway.stranger) for _ in range(30)]
        self.note_all("an unknown key, again and again", 403, answers)
        allowed = 1 + (time.monotonic() - began) / COOLING
        asked = self.key_server.asked - asked
        self.note(f"30 unknown keys cost {asked} fetches, of {allowed:.1f}", asked <= allowed)

    def keys_rotate(self):
        old, new = self.gateway.key, self.gateway.next
        self.key_server.keys = [old.jwk(), new.jwk()]
        self.note("a new key is heard of", *self.comes_to(200, new))
        self.note("the old one is still good", (answer := self.good(ME, old)).status == 200, answer)
        self.key_server.keys = [new.jwk()]
        self.note("a withdrawn key is forgotten with the next fetch", *self.comes_to(403, old, self.ask_for_unknown))

    def keys_out_of_reach(self):
        known, unknown = self.gateway.next, self.gateway.stranger
        self.key_server.broken = FAILS
        self.note("out of reach: an unknown key may be new", *self.comes_to(503, unknown))
        self.note("out of reach: a known one is good", (answer := self.good(ME, known)).status == 200, answer)
        self.note("out of reach: a missing one is refused", (answer := self.ask(ME)).status == 403, answer)
        if (kept := self.scratch / "data" / "jwks.json").exists():
            found = json.loads(kept.read_text())
            kept.write_text(json.dumps(found | {"fetched": found["fetched"] - 301}))
            self.note("out of reach: keys end after five minutes", (answer := self.good(ME, known)).status == 503, answer)
        self.key_server.broken = None
        self.note("in reach again: it is not", *self.comes_to(403, unknown))

    def logs_show_no_assertion(self):
        log = self.running.log.read_text(errors="replace")
        # A signature is shown by no error of the reader's; so it tells a whole assertion.
        told = [token for token in self.sent if len(signature := token.rsplit(".", 1)[-1]) > 40 and signature in log]
        self.note("logs show no assertion", not told)

    def ask_for_unknown(self):
        self.good(ME, self.gateway.stranger)

    def comes_to(self, status, key, before=lambda: None):
        """Asks until the answer is that: apps fetch again only after a while."""
        end = time.monotonic() + PATIENCE
        while True:
            before()
            answer = self.good(ME, key)
            if answer.status == status or time.monotonic() > end:
                shown = answer.status != 200 or ADA in answer.text
                return answer.status == status and shown, answer
            time.sleep(0.1)

    def good(self, request, key=None):
        key = key or self.gateway.key
        token = jws(self.gateway.header(key), self.gateway.claims(request), key.sign)
        self.sent.add(token)
        return self.ask(request, [("Counterfoil-Assertion", token)])

    def ask(self, request, headers=()):
        return ask(self.running.port, request, headers)

    def note_all(self, name, status, answers):
        other = next((answer for answer in answers if answer.status != status), None)
        self.note(name, bool(answers) and other is None, other)

    def note(self, name, well, answer=None):
        if well:
            self.passed += 1
        elif (text := f"{name}: {answer.status} {answer.text.strip()[:80]!r}" if answer else name) not in self.failed:
            self.failed.append(text)
