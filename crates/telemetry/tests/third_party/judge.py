"""A JOSE library of others reads our tokens, and makes tokens for us."""

import json
import sys
import time

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, RSAKey


def read(token, key_set):
    """What stands in a token that was signed by one of these keys; exits with 1 where it was not."""
    with open(token, encoding="ascii") as file, open(key_set, encoding="ascii") as keys:
        try:
            found = jwt.decode(file.read(), KeySet.import_key_set(json.load(keys)), algorithms=["ES256", "EdDSA"])
        except (JoseError, ValueError) as error:
            print(f"refused: {error!r}")
            sys.exit(1)
    print(json.dumps({"header": found.header, "claims": found.claims}))


def write(algorithm):
    """A token by a key that was made for it, and the key set that verifies it."""
    key = RSAKey.generate_key(2048, {"kid": "theirs", "use": "sig"})
    claims = {
        "iss": "https://idp.example",
        "aud": ["https://us.example"],
        "iat": int(time.time()),
        "jti": "24c63fb56e5a2d77a6b512616ca9fa24",
        "sub_id": {"format": "email", "email": "ada@example.com"},
        "events": {
            "https://schemas.openid.net/secevent/risc/event-type/account-disabled": {"reason": "hijacking"}
        },
    }
    header = {"alg": algorithm, "kid": "theirs", "typ": "secevent+jwt"}
    token = jwt.encode(header, claims, key, algorithms=[algorithm])
    print(json.dumps({"token": token, "jwks": {"keys": [key.as_dict(private=False)]}}))


if __name__ == "__main__":
    {"read": read, "write": write}[sys.argv[1]](*sys.argv[2:])
