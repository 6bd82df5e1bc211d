"""What the gateway signs, made here without it: keys, a key set, assertions, and all the ways to make them wrong."""

import base64
import hashlib
import hmac
import json
import os
import time

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

APP = "shop"
HOST = "shop.example.com"
ORIGIN = f"https://{HOST}"
ABSENT = object()


def encode(data):
    """base64url without padding; what is not bytes yet is made JSON first."""
    data = data if isinstance(data, bytes) else json.dumps(data, ensure_ascii=False).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Key:
    """One key of one algorithm, with its name on the wire."""

    def __init__(self, algorithm, name):
        self.algorithm, self.kid = algorithm, f"{name}-{algorithm.lower()}"
        if algorithm == "ES256":
            self.private = ec.generate_private_key(ec.SECP256R1())
        elif algorithm == "EdDSA":
            self.private = ed25519.Ed25519PrivateKey.generate()
        else:
            self.private = os.urandom(32)

    def sign(self, text):
        if self.algorithm == "HS256":
            return hmac.digest(self.private, text, "sha256")
        if self.algorithm == "EdDSA":
            return self.private.sign(text)
        r, s = utils.decode_dss_signature(self.private.sign(text, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    def jwk(self):
        common = {"alg": self.algorithm, "use": "sig", "kid": self.kid}
        public = self.private.public_key()
        if self.algorithm == "EdDSA":
            return common | {"kty": "OKP", "crv": "Ed25519", "x": encode(self.raw(public))}
        x, y = (number.to_bytes(32, "big") for number in (public.public_numbers().x, public.public_numbers().y))
        return common | {"kty": "EC", "crv": "P-256", "x": encode(x), "y": encode(y)}

    def pem(self):
        return self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def point(self):
        return self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)

    @staticmethod
    def raw(public):
        return public.public_bytes(Encoding.Raw, PublicFormat.Raw)


class Gateway:
    """The keys of one gateway, and the assertions it makes: by `algorithm` for the app under test."""

    def __init__(self, algorithm):
        self.key, self.next = Key(algorithm, "k1"), Key(algorithm, "k2")
        self.es256 = self.key if algorithm == "ES256" else Key("ES256", "k1")
        self.eddsa = self.key if algorithm == "EdDSA" else Key("EdDSA", "k1")
        self.stranger = Key(algorithm, "k9")

    def header(self, key=None):
        key = key or self.key
        return {"alg": key.algorithm, "kid": key.kid, "typ": "counterfoil+jwt"}

    def claims(self, request):
        now = int(time.time())
        return {
            "iss": ORIGIN, "aud": APP, "sub": "ada", "sid": "ses_0001", "iat": now, "exp": now + 60,
            "jti": encode(os.urandom(16)), "auth_time": now - 9, "amr": ["pwd"], "acr": "authenticated",
            "csrf": "ok", "csrf_reason": "same_origin", "req": binding(request),
        }  # fmt: skip

    def shared_keys(self):
        """As an app that verifies HS256 is told them."""
        return " ".join(f"{key.kid}={encode(key.private)}" for key in [self.key, self.next])

    def assertion(self, request, key=None):
        """As it should be."""
        key = key or self.key
        return jws(self.header(key), self.claims(request), key.sign)


def binding(request):
    text = f"{request.method}\n{HOST if request.host is None else request.host}\n{request.target}"
    return encode(hashlib.sha256(text.encode()).digest())


def changed(base, changes):
    return {name: value for name, value in (base | changes).items() if value is not ABSENT}


def jws(header, claims, sign):
    text = f"{encode(header)}.{encode(claims)}"
    return f"{text}.{encode(sign(text.encode()))}"
