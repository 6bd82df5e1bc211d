"""One request, written byte by byte: clients that know better would not send most of these."""

import http.client
import socket
from dataclasses import dataclass, replace

from .assertions import HOST


@dataclass(frozen=True)
class Request:
    method: str = "GET"
    target: str = "/me"
    host: str | None = HOST
    body: bytes = b""

    def __call__(self, **changes):
        return replace(self, **changes)


@dataclass(frozen=True)
class Answer:
    status: int
    text: str
    headers: tuple = ()

    def header(self, name):
        return next((value for known, value in self.headers if known.lower() == name.lower()), None)


def ask(port, request, headers=()):
    """Sends it on a connection of its own. Where no answer comes the status is 0."""
    lines = [f"{request.method} {request.target} HTTP/1.1"]
    lines += [] if request.host is None else [f"Host: {request.host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if request.method == "POST":
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(request.body)}"]
    lines += ["Connection: close", "", ""]
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall("\r\n".join(lines).encode() + request.body)
            answer = http.client.HTTPResponse(connection, method=request.method)
            answer.begin()
            return Answer(answer.status, answer.read().decode(), tuple(answer.getheaders()))
    except (OSError, http.client.HTTPException) as error:
        return Answer(0, repr(error))
