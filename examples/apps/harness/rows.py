"""The table: what each app has to make of which assertion, and the verifier that the row finds out."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import utils

from . import assertions
from .assertions import ABSENT, binding, changed, encode, jws
from .wire import Request

ME, PUBLIC, POST = Request(), Request(target="/"), Request(method="POST", target="/note", body=b"text=tea")
ADA, NOBODY = "You are ada.", "nobody is signed in"
BYPASSED = 403, "bypassed"


@dataclass(frozen=True)
class Row:
    name: str
    status: int
    says: str = ""
    """After HTML's escapes are undone."""
    request: Request = ME
    header: dict = field(default_factory=dict)
    claims: dict = field(default_factory=dict)
    """What is changed; a function gets the time."""
    forge: Callable = lambda gateway, header, claims: jws(header, claims, gateway.key.sign)
    send: Callable = lambda token: [("Counterfoil-Assertion", token)]
    only: str | None = None
    """The algorithm it is about."""
    never_says: str | None = None
    or_malformed: bool = False
    """Some servers refuse such a request themselves, with 400, or by hanging up."""

    def token(self, gateway):
        now = int(time.time())
        claims = {name: change(now) if callable(change) else change for name, change in self.claims.items()}
        return self.forge(gateway, changed(gateway.header(), self.header), changed(gateway.claims(self.request), claims))


def refused(name, **details):
    return Row(name, *BYPASSED, **details)


def es256(name, forge, **details):
    return refused(name, forge=forge, only="ES256", **details)


def eddsa(name, forge, **details):
    return refused(name, forge=forge, only="EdDSA", **details)


def one(value):
    return lambda token: [("Counterfoil-Assertion", value)]


def with_subject(value, name="Counterfoil-Subject"):
    return lambda token: [(name, value), ("Counterfoil-Assertion", token), (name, value)]


ACCEPTED = [
    Row("somebody is signed in", 200, ADA),
    Row("nobody is signed in", 401, NOBODY, claims={"sub": ABSENT, "sid": ABSENT}),
    Row("nobody, on a public page", 200, "You are nobody.", PUBLIC, claims={"sub": ABSENT}),
    Row("somebody, on a public page", 200, ADA, PUBLIC),
    Row("a change by somebody", 303, "", POST),
    Row("what was changed is there", 200, "Your note: tea"),
    Row("a change by nobody", 401, NOBODY, POST, claims={"sub": ABSENT}),
    Row("a name with markup and umlauts", 200, "You are <b>Ödön</b>.", claims={"sub": "<b>Ödön</b>"}, never_says="<b>Ö"),
    Row("a target that a decoder would not give back", 200, ADA, ME(target="/me?q=%c3%A4+%2f&&x=%41")),
    Row("a target in bytes of UTF-8", 200, ADA, ME(target="/me?q=ä"), or_malformed=True),
    Row("a target with an empty query", 200, ADA, ME(target="/me?")),
    Row("a host in capitals", 200, ADA, ME(host="SHOP.Example.com"), claims={"req": lambda _: binding(ME)}),
    Row("a host with the port of https", 200, ADA, ME(host="shop.example.com:443"), claims={"req": lambda _: binding(ME)}),
    Row("the app's second origin", 200, ADA, ME(host="www.example.com"), claims={"iss": "https://www.example.com"}),
    Row("the header's name in lower case", 200, ADA, send=lambda token: [("counterfoil-assertion", token)]),
    Row("a clock that is 3 s behind the gateway's", 200, ADA, claims={"iat": lambda now: now + 3}),
    Row("a clock that is 1 s ahead of the gateway's", 200, ADA, claims={"exp": lambda now: now - 1}),
    Row("a claim that is new", 200, ADA, claims={"later": {"than": ["this"]}}),
    Row("a header member that is new", 200, ADA, header={"later": 1}),
    *(
        Row(f"{name} begins with a zero{which}", 200, ADA, forge=lambda g, h, c, at=at, fits=fits: until(g, h, c, lambda sig: sig[at] == 0 and fits(sig[at + 1])), only="ES256")
        for name, at in [("r", 0), ("s", 32)]
        for which, fits in [("", lambda byte: byte < 128), (" that DER needs", lambda byte: byte > 127)]
    ),
    Row("neither r nor s wants a zero", 200, ADA, forge=lambda g, h, c: until(g, h, c, lambda sig: 0 < sig[0] < 128 and 0 < sig[32] < 128), only="ES256"),
    Row("another subject in the unsigned header", 200, ADA, send=with_subject("root"), never_says="root"),
    Row("a subject in the unsigned header alone", 401, NOBODY, claims={"sub": ABSENT}, send=with_subject("root")),
    Row("the same, with underscores", 401, NOBODY, claims={"sub": ABSENT}, send=with_subject("root", "Counterfoil_Subject")),
]  # fmt: skip

MISSING_OR_REPEATED = [
    refused("no assertion", send=lambda token: []),
    refused("no assertion, on a public page", request=PUBLIC, send=lambda token: []),
    refused("no assertion, on a page that is not there", request=ME(target="/nowhere"), send=lambda token: []),
    refused("no assertion, a change", request=POST, send=lambda token: []),
    refused("no assertion, OPTIONS", request=ME(method="OPTIONS"), send=lambda token: []),
    refused("no assertion, a subject", send=lambda token: [("Counterfoil-Subject", "ada")]),
    refused("an empty assertion", send=one("")),
    refused("an assertion of nothing but dots", send=one("..")),
    refused("what is no token", send=one("ada")),
    refused("two parts", send=lambda token: [("Counterfoil-Assertion", token.rsplit(".", 1)[0])]),
    refused("four parts", send=lambda token: [("Counterfoil-Assertion", f"{token}.e30")]),
    refused("twice the same", send=lambda token: [("Counterfoil-Assertion", token)] * 2),
    refused("twice, junk first", send=lambda token: [("Counterfoil-Assertion", "junk"), ("Counterfoil-Assertion", token)]),
    refused("twice, junk last", send=lambda token: [("Counterfoil-Assertion", token), ("Counterfoil-Assertion", "junk")]),
    refused("twice, an empty one first", send=lambda token: [("Counterfoil-Assertion", ""), ("Counterfoil-Assertion", token)]),
    refused("twice, an empty one last", send=lambda token: [("Counterfoil-Assertion", token), ("Counterfoil-Assertion", "")]),
    refused("twice, in two spellings", send=lambda token: [("counterfoil-assertion", token), ("COUNTERFOIL-ASSERTION", token)]),
    refused("twice, joined by a comma", send=lambda token: [("Counterfoil-Assertion", f"{token}, {token}")]),
]  # fmt: skip

OF_ANOTHER_REQUEST = [
    refused("another app's audience", claims={"aud": "wiki"}),
    refused("no audience", claims={"aud": ABSENT}),
    refused("another origin's issuer", claims={"iss": "https://shop.example.org"}),
    refused("no issuer", claims={"iss": ABSENT}),
    refused("made for GET, used for POST", request=POST, claims={"req": lambda _: binding(POST(method="GET"))}),
    refused("made for GET, used for DELETE", request=ME(method="DELETE"), claims={"req": lambda _: binding(ME)}),
    refused("made for another host", claims={"req": lambda _: binding(ME(host="www.example.com"))}),
    refused("used at another host", request=ME(host="evil.example"), claims={"req": lambda _: binding(ME)}),
    refused("made for another path", claims={"req": lambda _: binding(PUBLIC)}),
    refused("made for another query", request=ME(target="/me?id=2"), claims={"req": lambda _: binding(ME(target="/me?id=1"))}),
    refused("made without the query", request=ME(target="/me?id=2"), claims={"req": lambda _: binding(ME)}),
    refused("made for another spelling of the path", request=ME(target="/m%65"), claims={"req": lambda _: binding(ME)}),
    refused("bound to no request", claims={"req": ABSENT}),
    refused("bound to null", claims={"req": None}),
]  # fmt: skip

OF_ANOTHER_TIME = [
    refused("expired 6 s ago", claims={"iat": lambda now: now - 66, "exp": lambda now: now - 6}),
    refused("expired an hour ago", claims={"iat": lambda now: now - 3660, "exp": lambda now: now - 3600}),
    refused("without an end", claims={"exp": ABSENT}),
    refused("from a minute ahead", claims={"iat": lambda now: now + 60, "exp": lambda now: now + 120}),
    refused("without a beginning", claims={"iat": ABSENT}),
]

OF_ANOTHER_KIND = [
    refused("typ JWT", header={"typ": "JWT"}),
    refused("no typ", header={"typ": ABSENT}),
    refused("a critical extension", header={"crit": ["later"], "later": 1}),
    refused("no kid", header={"kid": ABSENT}),
    refused("a kid that is a number", header={"kid": 1}),
    refused("a kid of the language's own", header={"kid": "__proto__"}),
    refused("a kid that is a path", header={"kid": "../../../dev/null"}),
    refused("an unknown kid", forge=lambda g, h, c: jws(h | {"kid": g.stranger.kid}, c, g.stranger.sign)),
    refused("a header that is a list", forge=lambda g, h, c: jws([h], c, g.key.sign)),
    refused("a payload that is a list", forge=lambda g, h, c: jws(h, [c], g.key.sign)),
    refused("a payload that is no JSON", forge=lambda g, h, c: jws(h, b"{", g.key.sign)),
    refused("no host at all", request=ME(host=None), or_malformed=True),
]

FORGED = [
    *(
        refused(f"alg {alg} {how}", header={"alg": alg}, forge=lambda g, h, c, sign=sign: jws(h, c, sign(g)))
        for alg in ("none", "None", "NONE", "nOnE")
        for how, sign in [
            ("without a signature", lambda g: lambda text: b""),
            ("with one", lambda g: lambda text: g.key.sign(text)),
        ]
    ),
    refused("no alg", header={"alg": ABSENT}),
    refused("a stranger's key under our kid", forge=lambda g, h, c: jws(h, c, g.stranger.sign)),
    refused("no signature", forge=lambda g, h, c: jws(h, c, lambda text: b"")),
    refused("a signature of zeros", forge=lambda g, h, c: jws(h, c, lambda text: bytes(len(g.key.sign(text))))),
    refused("a changed signature", forge=lambda g, h, c: jws(h, c, lambda text: flipped(g.key.sign(text)))),
    refused("a signature without its last byte", forge=lambda g, h, c: jws(h, c, lambda text: g.key.sign(text)[:-1])),
    refused("a signature with a byte more", forge=lambda g, h, c: jws(h, c, lambda text: g.key.sign(text) + b"x")),
    refused("a changed payload", forge=lambda g, h, c: patched(jws(h, c, g.key.sign), 1, c | {"sub": "root"})),
    refused("a changed header", forge=lambda g, h, c: patched(jws(h, c, g.key.sign), 0, h | {"later": 1})),
    refused("somebody put into nobody's", claims={"sub": ABSENT}, forge=lambda g, h, c: patched(jws(h, c, g.key.sign), 1, c | {"sub": "root"})),
    es256("r or s longer by a zero", lambda g, h, c: jws(h, c, lambda text: b"\0" + g.key.sign(text)[:32] + b"\0" + g.key.sign(text)[32:])),
    es256("a signature in DER", lambda g, h, c: jws(h, c, lambda text: der(g.key.sign(text)))),
    es256("HS256 with the public key as PEM", lambda g, h, c: hs256(g, h, c, g.key.pem())),
    es256("HS256 with the public key as PEM, without the last line's end", lambda g, h, c: hs256(g, h, c, g.key.pem().strip())),
    es256("HS256 with the public point", lambda g, h, c: hs256(g, h, c, g.key.point())),
    es256("HS256 with the public JWK", lambda g, h, c: hs256(g, h, c, base64.urlsafe_b64decode(encode(g.key.jwk()) + "=="))),
    es256("HS256 with an empty key", lambda g, h, c: hs256(g, h, c, b"")),
    es256("the stranger's key in the header", lambda g, h, c: jws(h | {"jwk": g.stranger.jwk()}, c, g.stranger.sign)),
    es256("the stranger's key in the header, under its kid", lambda g, h, c: jws(h | {"jwk": g.stranger.jwk(), "kid": g.stranger.kid}, c, g.stranger.sign)),
    es256("the gateway's key of another algorithm", lambda g, h, c: jws(g.header(g.eddsa), c, g.eddsa.sign)),
    es256("the gateway's key of another algorithm, as ES256", lambda g, h, c: jws(h | {"kid": g.eddsa.kid}, c, g.eddsa.sign)),
    es256("ES256 under the kid of another algorithm", lambda g, h, c: jws(h | {"kid": g.eddsa.kid}, c, g.key.sign)),
    eddsa("the gateway's key of another algorithm", lambda g, h, c: jws(g.header(g.es256), c, g.es256.sign)),
    eddsa("the gateway's key of another algorithm, as EdDSA", lambda g, h, c: jws(h | {"kid": g.es256.kid}, c, g.es256.sign)),
    eddsa("EdDSA under the kid of another algorithm", lambda g, h, c: jws(h | {"kid": g.es256.kid}, c, g.key.sign)),
    eddsa("HS256 with the public key", lambda g, h, c: hs256(g, h, c, g.key.raw(g.key.private.public_key()))),
    eddsa("HS256 with the public key as PEM", lambda g, h, c: hs256(g, h, c, g.key.pem())),
    eddsa("HS256 with an empty key", lambda g, h, c: hs256(g, h, c, b"")),
    eddsa("the stranger's key in the header", lambda g, h, c: jws(h | {"jwk": g.stranger.jwk()}, c, g.stranger.sign)),
    refused("the gateway's published key", forge=lambda g, h, c: jws(g.header(g.es256), c, g.es256.sign), only="HS256"),
    refused("the gateway's published key, as HS256", forge=lambda g, h, c: jws(h, c, g.es256.sign), only="HS256"),
    refused("an empty key", forge=lambda g, h, c: hs256(g, h, c, b""), only="HS256"),
    refused("an empty key under an unknown kid", forge=lambda g, h, c: hs256(g, h | {"kid": "k9"}, c, b""), only="HS256"),
]  # fmt: skip

TABLE = ACCEPTED + MISSING_OR_REPEATED + OF_ANOTHER_REQUEST + OF_ANOTHER_TIME + OF_ANOTHER_KIND + FORGED


def until(gateway, header, claims, fits):
    """Signed again until the signature is of a rare kind: one of 256 begins with a zero."""
    while True:
        token = jws(header, claims, gateway.key.sign)
        if fits(base64.urlsafe_b64decode(token.rsplit(".", 1)[1] + "==")):
            return token


def hs256(gateway, header, claims, key):
    secret = assertions.Key("HS256", "k1")
    secret.private = key
    return jws(header | {"alg": "HS256"}, claims, secret.sign)


def patched(token, part, content):
    parts = token.split(".")
    parts[part] = encode(content)
    return ".".join(parts)


def flipped(signature):
    return bytes([signature[0] ^ 1]) + signature[1:]


def der(signature):
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    return utils.encode_dss_signature(r, s)
