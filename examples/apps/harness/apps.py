"""The apps, and how each is started."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from .assertions import APP, ORIGIN

HERE = Path(__file__).resolve().parent.parent
TARGET = HERE.parent.parent / "target"
BUILT = TARGET / "apps"
PATIENCE = 60


@dataclass(frozen=True)
class App:
    name: str
    folder: str
    command: tuple
    """What stands for {port} and {built} is filled in."""
    needs: str
    """What to do where its runtime is missing."""
    build: tuple = ()
    own_tests: tuple = ()
    """Of what shows only after minutes."""
    algorithm: str = "ES256"
    environment: dict = field(default_factory=dict)


GUNICORN = (sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:{port}", "--threads=4", "--no-control-socket")
PHP = (os.environ.get("PHP_BIN", "php"), "-S", "127.0.0.1:{port}", "index.php")
GO = os.environ.get("GO_BIN", "go")
VENV = "create the folder `venv` as README.md says, and run this with its Python"
NODE = "install Node.js 20 or later, then `npm ci` in examples/apps/express"
EDDSA = {"COUNTERFOIL_ALGORITHM": "EdDSA"}
APPS = [
    App("flask", "flask", (*GUNICORN, "app:app"), VENV),
    App("django", "django", (*GUNICORN, "app:application"), VENV),
    App("flask-eddsa", "flask", (*GUNICORN, "app:app"), VENV, algorithm="EdDSA", environment=EDDSA),
    App("express", "express", ("node", "app.js"), NODE),
    App("express-eddsa", "express", ("node", "app.js"), NODE, algorithm="EdDSA", environment=EDDSA),
    App("php", "php", PHP, "install php-cli"),
    App("php-hs256", "php", PHP, "install php-cli", algorithm="HS256"),
    App("go", "go", ("{built}",), "install Go 1.19 or later", (GO, "build", "-o", "{built}", "."), (GO, "test", ".")),
    App("rust", "rust", (str(TARGET / "debug" / "example-notes"),), "`cargo build -p example-notes`"),
]


class Missing(Exception):
    """The app cannot be started here."""


class Running:
    """An app that runs, until the end of the block."""

    def __init__(self, app, gateway, key_server, scratch, folder=None):
        self.app, self.folder, self.scratch = app, folder or HERE / app.folder, scratch
        self.log = scratch / "log"
        self.built = scratch / "app" if folder else BUILT / app.name
        self.environment = os.environ | {
            "COUNTERFOIL_APP": APP,
            "COUNTERFOIL_ORIGINS": f"{ORIGIN} https://www.example.com",
            "COUNTERFOIL_JWKS": key_server.url,
            "COUNTERFOIL_DATA": str(scratch / "data"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GOCACHE": str(BUILT / "go-cache"),
            "GOPROXY": "off",
        }  # fmt: skip
        if app.algorithm == "HS256":
            self.environment["COUNTERFOIL_HS256"] = gateway.shared_keys()
        self.environment |= app.environment

    def __enter__(self):
        BUILT.mkdir(parents=True, exist_ok=True)
        if self.app.build:
            built = subprocess.run(self.fill(self.app.build), cwd=self.folder, env=self.environment, capture_output=True)
            if built.returncode:
                raise Missing(f"{self.app.needs}:\n{built.stderr.decode()}")
        # A port that is free now may be another's a moment later.
        for _ in range(3):
            self.start()
            if self.answers():
                return self
            self.stop()
        raise Missing(f"{self.app.name} does not start:\n{self.log.read_text()}")

    def __exit__(self, *_):
        self.stop()

    def start(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.fill(self.app.command), cwd=self.folder, env=self.environment | {"PORT": str(self.port)},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def fill(self, command):
        words = [word.format(port=getattr(self, "port", ""), built=self.built) for word in command]
        if shutil.which(words[0]) is None:
            raise Missing(f"{words[0]} is not here: {self.app.needs}")
        return words

    def own_tests(self):
        """What they say where they fail."""
        if not self.app.own_tests:
            return None
        ran = subprocess.run(self.fill(self.app.own_tests), cwd=self.folder, env=self.environment, capture_output=True, text=True)
        return ran.stdout + ran.stderr if ran.returncode else None

    def answers(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
            except OSError:
                time.sleep(0.05)
        return False

    def stop(self):
        stop(self.process)


def stop(process):
    """It and what it started, which are a group of their own."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
