"""The apps behind the real gateway: the proxy's part is played here, the assertions are its own."""

import re
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .apps import Missing, Running, stop
from .assertions import APP, HOST
from .wire import Request, ask

PASSWORD = "a-password-for-this-test-alone"
ELSEWHERE = "wiki.example.com"
ME, PUBLIC, POST = Request(), Request(target="/"), Request(method="POST", target="/note", body=b"text=tea")
# Longer than an assertion lives and clocks may differ, by a second.
OLD = 66


class RealGateway:
    """A gateway with two apps and one account, until the end of the block."""

    def __init__(self, binary, folder, algorithm):
        self.binary, self.folder, self.cookies = Path(binary).resolve(), folder, {}
        self.public, self.decision, self.health = free_ports(3)
        rules = '[[apps.{0}.rules]]\npath = "/"\naccess = "public"\n[[apps.{0}.rules]]\npath = "/*"\naccess = "signed-in"\n'
        apps = "".join(
            f'[apps.{name}]\norigins = ["https://{host}"]\nproxy = "nginx"\nassertion = "{algorithm.lower()}"\n{rules.format(name)}'
            for name, host in [(APP, HOST), ("wiki", ELSEWHERE)]
        )
        listeners = f'public = "127.0.0.1:{self.public}"\ndecision = "127.0.0.1:{self.decision}"\nhealth = "127.0.0.1:{self.health}"\n'
        self.config = folder / "counterfoil.toml"
        self.config.write_text(f'data = "data"\n[listen]\n{listeners}{apps}')
        self.url = f"http://127.0.0.1:{self.public}/.well-known/counterfoil/jwks.json"
        self.log = folder / "log"

    def __enter__(self):
        add = [self.binary, "user", "add", "ada", "--password-stdin", "--config", self.config]
        subprocess.run(add, input=f"{PASSWORD}\n".encode(), check=True, capture_output=True)
        with self.log.open("wb") as log:
            serve = [self.binary, "serve", "--config", self.config]
            self.process = subprocess.Popen(serve, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + 60
        while ask(self.health, Request(target="/readyz")).status != 200:
            if time.monotonic() > end or self.process.poll() is not None:
                self.__exit__()
                raise Missing(f"the gateway does not start:\n{self.log.read_text()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        stop(self.process)

    def shared_keys(self):
        ask_for = [self.binary, "config", "shared-key", APP, "--config", self.config, "--print"]
        return subprocess.run(ask_for, check=True, capture_output=True, text=True).stdout.strip()

    def sign_in(self):
        form = Request("POST", "/.session/login", HOST, f"username=ada&password={PASSWORD}&next=/me".encode())
        answer = ask(self.public, form, [("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "127.0.0.1"), *SAME_ORIGIN])
        self.keep(answer)
        return answer.status == 303

    def decide(self, request, cookies=True, app=APP):
        """What it says of the request: the status, and the headers for the app."""
        told = {"Method": request.method, "Target": request.target, "Host": request.host, "Server": request.host.lower().split(":")[0], "Scheme": "https"}
        headers = [(f"X-Counterfoil-{name}", value) for name, value in told.items()] + [("X-Forwarded-For", "127.0.0.1")]
        headers += SAME_ORIGIN if request.method == "POST" else []
        if cookies:
            headers.append(("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        answer = ask(self.decision, Request(target=f"/authz/auth-request/{app}"), headers)
        self.keep(answer)
        names = [name for name, _ in answer.headers if name.lower().startswith("counterfoil-")]
        return answer.status, [(name, answer.header(name)) for name in names]

    def keep(self, answer):
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                name, value = re.match("([^=]+)=([^;]*)", value).groups()
                self.cookies[name] = value


def run(apps, binary, patient):
    """Each app, and how many of its answers were right; and which were not. A gateway for each algorithm."""
    for algorithm in dict.fromkeys(app.algorithm for app in apps):
        yield from behind([app for app in apps if app.algorithm == algorithm], algorithm, binary, patient)


def behind(apps, algorithm, binary, patient):
    with tempfile.TemporaryDirectory(prefix="counterfoil-apps-") as scratch, RealGateway(binary, Path(scratch), algorithm) as gateway:
        if not gateway.sign_in():
            return [("gateway", 0, ["nobody can sign in"])]
        cases = list(made(gateway))
        if patient:
            time.sleep(OLD)
            cases = [(f"{name}, a minute later", request, headers, 403, "bypassed") for name, request, headers, *_ in cases]
        with ThreadPoolExecutor(len(apps)) as pool:
            return list(pool.map(lambda app: attempt(app, gateway, cases, Path(scratch) / app.name), apps))


def made(gateway):
    """Requests with what the gateway gave along, and what each app has to make of it."""
    for name, request, cookies, says in [
        ("a visitor", PUBLIC, False, "You are nobody."),
        ("somebody, on a public page", PUBLIC, True, "You are ada."),
        ("somebody", ME, True, "You are ada."),
        ("a query", ME(target="/me?q=%c3%A4+%2f&&x=%41"), True, "You are ada."),
        ("an empty query", ME(target="/me?"), True, "You are ada."),
        ("a host in capitals", ME(host=HOST.upper()), True, "You are ada."),
        ("a host with its port", ME(host=f"{HOST}:443"), True, "You are ada."),
        ("a change", POST, True, ""),
    ]:  # fmt: skip
        status, headers = gateway.decide(request, cookies)
        assert status == 204, f"{name}: the gateway says {status}"
        yield name, request, headers, 303 if request is POST else 200, says
    _, of_me = gateway.decide(ME)
    _, of_wiki = gateway.decide(ME(host=ELSEWHERE), False, "wiki")
    _, of_wikis_page = gateway.decide(PUBLIC(host=ELSEWHERE), False, "wiki")
    yield "used on another route", PUBLIC, of_me, 403, "bypassed"
    yield "used with another query", ME(target="/me?x"), of_me, 403, "bypassed"
    yield "used with another method", POST(target="/me"), of_me, 403, "bypassed"
    yield "used at another host", ME(host=ELSEWHERE), of_me, 403, "bypassed"
    yield "another app's", PUBLIC, of_wikis_page, 403, "bypassed"
    yield "a denial's headers", ME, of_wiki, 403, "bypassed"
    yield "used twice in one request", ME, of_me + of_me, 403, "bypassed"


def attempt(app, gateway, cases, scratch):
    scratch.mkdir()
    passed, failed = 0, []
    try:
        with Running(app, gateway, gateway, scratch) as running:
            for name, request, headers, status, says in cases:
                answer = ask(running.port, request, headers)
                if answer.status == status and says in answer.text:
                    passed += 1
                else:
                    failed.append(f"{name}: {answer.status} {answer.text.strip()[:80]!r}")
    except Missing as missing:
        failed.append(str(missing))
    return app.name, passed, failed


def free_ports(count):
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in held]
    for each in held:
        each.close()
    return ports


SAME_ORIGIN = [("Origin", f"https://{HOST}"), ("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]
