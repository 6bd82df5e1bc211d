"""Who made this request, as the gateway says: verifies the header Counterfoil-Assertion of a WSGI request."""

import os
from base64 import urlsafe_b64encode
from hashlib import sha256

import jwt

APP = os.environ["COUNTERFOIL_APP"]  # the app's name in the gateway's configuration
ORIGINS = os.environ["COUNTERFOIL_ORIGINS"].split()  # where browsers find it, such as https://shop.example.com
ALGORITHM = os.environ.get("COUNTERFOIL_ALGORITHM", "ES256")  # or EdDSA: as the app's `assertion` there says
KEYS = jwt.PyJWKClient(os.environ["COUNTERFOIL_JWKS"], lifespan=300, cooldown_duration=3, timeout=3)


class Bypassed(Exception):
    """The request did not come through the gateway, or not as it is. Answer 403."""


class Unavailable(Exception):
    """The gateway's keys cannot be had. Answer 503; let nobody in."""


def verify(environ):
    """The claims of the assertion. `sub` is the person; where it is absent, nobody is signed in."""
    token = environ.get("HTTP_COUNTERFOIL_ASSERTION", "")
    try:
        if token.count(".") != 2 or "," in token:  # missing; or repeated, which WSGI servers join by a comma
            raise Bypassed("not exactly one assertion")
        header = jwt.get_unverified_header(token)
        if header.get("typ") != "counterfoil+jwt" or not isinstance(header.get("kid"), str):
            raise Bypassed("another kind of token")
        claims = jwt.decode(
            token, key_of(header["kid"]), algorithms=[ALGORITHM], audience=APP, issuer=ORIGINS, leeway=5,
            options={"require": ["iss", "aud", "iat", "exp", "req"], "strict_aud": True},
        )  # fmt: skip
    except jwt.PyJWTError as error:
        raise Bypassed(str(error)) from error
    if claims["req"] != binding(environ):
        raise Bypassed("made for another request")
    return claims


def key_of(kid):
    try:
        return KEYS.get_signing_key(kid)
    except (jwt.PyJWKClientConnectionError, jwt.PyJWKSetError, ValueError) as error:  # no answer; no keys; no JSON
        raise Unavailable(str(error)) from error


def binding(environ):
    """What `req` must be: method, host and target of this request, as they came, not as a framework rewrote them."""
    host = environ.get("HTTP_HOST", "").lower().removesuffix(":443")
    target = environ["RAW_URI"]  # gunicorn, Werkzeug; others call it REQUEST_URI. PATH_INFO will not do: it is decoded
    text = "\n".join([environ["REQUEST_METHOD"], host, target])
    return urlsafe_b64encode(sha256(text.encode("latin-1")).digest()).rstrip(b"=").decode()
