"""The table, tried: each verifier is weakened in one place, and some row has to notice."""

import shutil
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .apps import HERE, Missing
from .trial import Trial

ABREAST = 4


@dataclass(frozen=True)
class Mutant:
    app: str
    file: str
    what: str
    old: str
    new: str


PYTHON = [
    ("any typ", 'header.get("typ") != "counterfoil+jwt"', "False"),
    ("the gateway's other algorithms", "algorithms=[ALGORITHM]", 'algorithms=["ES256", "EdDSA"]'),
    ("no signature", 'options={"require"', 'options={"verify_signature": False, "verify_exp": True, "verify_iat": True, "verify_aud": True, "verify_iss": True, "require"'),
    ("any audience", '"strict_aud": True}', '"verify_aud": False}'),
    ("any issuer", "issuer=ORIGINS,", "issuer=None,"),
    ("no leeway", "leeway=5", "leeway=0"),
    ("a minute's leeway", "leeway=5", "leeway=60"),
    ("no exp needed", '"iat", "exp",', '"iat",'),
    ("no iat needed", '"iat", "exp",', '"exp",'),
    ("any request", 'claims["req"] != binding(environ)', "False"),
    ("any method", 'environ["REQUEST_METHOD"]', '"GET"'),
    ("any host", 'environ.get("HTTP_HOST", "").lower().removesuffix(":443")', 'ORIGINS[0].split("//")[1]'),
    ("the host as it came", ".lower()", ""),
    ("the port stays", '.removesuffix(":443")', ""),
    ("the decoded path", 'environ["RAW_URI"]', 'environ["PATH_INFO"] + "?" + environ["QUERY_STRING"]'),
    ("the path alone", 'environ["RAW_URI"]', 'environ["RAW_URI"].split("?")[0]'),
    ("a fetch for each unknown key", "cooldown_duration=3", "cooldown_duration=0"),
    ("a minute's patience with the key server", "timeout=3", "timeout=60"),
    ("a page for a set is an error of ours", ", ValueError) as", ") as"),
    ("the unsigned subject", "    return claims\n", '    return claims | {"sub": environ.get("HTTP_COUNTERFOIL_SUBJECT", claims.get("sub"))}\n'),
]  # fmt: skip

FLASK = [
    ("without keys, everybody", 'return "the gateway\'s keys are unavailable\\n", 503', "g.person = None"),
    ("bypassed is nobody", 'return "bypassed\\n", 403', "g.person = None"),
    ("markup in names", "{{ g.person }}", "{{ g.person|safe }}"),
]

JAVASCRIPT = [
    ("the first of several", "request.headersDistinct['counterfoil-assertion'] ?? []", "[request.headersDistinct['counterfoil-assertion']?.[0]].filter(Boolean)"),
    ("the last of several", "request.headersDistinct['counterfoil-assertion'] ?? []", "[request.headersDistinct['counterfoil-assertion']?.at(-1)].filter(Boolean)"),
    ("any algorithm of the set", "algorithms: [ALGORITHM], ", ""),
    ("any typ", "typ: 'counterfoil+jwt', ", ""),
    ("any audience", "audience: APP, ", ""),
    ("any issuer", "issuer: ORIGINS,", ""),
    ("no exp needed", "'exp', ", ""),
    ("no iat needed", "maxTokenAge: 60, ", ""),
    ("no tolerance", "clockTolerance: 5", "clockTolerance: 0"),
    ("a minute's tolerance", "clockTolerance: 5", "clockTolerance: 60"),
    ("the one key of a set, without a kid", "typeof header.kid !== 'string'", "false"),
    ("any request", "payload.req !== binding(request)", "false"),
    ("a request only where one is named", "payload.req !== binding(request)", "payload.req && payload.req !== binding(request)"),
    ("any method", "[request.method, host, target]", "['GET', host, target]"),
    ("the host as it came", ".toLowerCase()", ""),
    ("the port stays", ".replace(/:443$/, '')", ""),
    ("the path alone", "request.originalUrl ?? request.url", "request.path"),
    ("a fetch for each unknown key", "cooldownDuration: 3_000", "cooldownDuration: 0"),
    ("a minute's patience with the key server", "timeoutDuration: 3_000", "timeoutDuration: 60_000"),
    ("out of reach is bypassed", "throw error instanceof Unavailable ? error : new Bypassed", "throw new Bypassed"),
    ("the key in the header", "  return KEYS(", "  if (header.jwk) return (await import('jose')).importJWK(header.jwk);\n  return KEYS("),
]  # fmt: skip

PHP = [
    ("any number of parts", "count($parts) !== 3", "count($parts) < 3"),
    ("any alg", "($header['alg'] ?? null) === $algorithm && ", ""),
    ("any typ", " && ($header['typ'] ?? null) === 'counterfoil+jwt'", ""),
    ("extensions overlooked", " || isset($header['crit'])", ""),
    ("no signature", "!$signed($header['kid'], \"$parts[0].$parts[1]\", $signature)", "false"),
    ("exp overlooked", "$at('exp') + 5 <= time() || ", ""),
    ("iat overlooked", " || $at('iat') - 5 > time()", ""),
    ("no leeway behind", "$at('exp') + 5", "$at('exp')"),
    ("no leeway ahead", "$at('iat') - 5", "$at('iat')"),
    ("any audience", "($claims['aud'] ?? null) !== $app", "false"),
    ("any issuer", "!in_array($claims['iss'] ?? null, $origins, true)", "false"),
    ("any request", "($claims['req'] ?? null) !== counterfoil_binding()", "false"),
    ("the host as it came", "strtolower($_SERVER['HTTP_HOST'] ?? '')", "$_SERVER['HTTP_HOST'] ?? ''"),
    ("any method", "$_SERVER[REQUEST_METHOD]", "GET"),
    ("what is no base64url", "preg_match('/^[A-Za-z0-9_-]+$/D', $text) ? base64_decode(strtr($text, '-_', '+/'), true) : false", "base64_decode(strtr($text, '-_', '+/'))"),
]  # fmt: skip

PHP_ES256 = [
    ("numbers keep their zeros", '$number = ltrim($number, "\\0");', ""),
    ("numbers become negative", "if ($number === '' || ord($number[0]) > 127) $number = \"\\0$number\";", ""),
    ("a fetch for each unknown key", ">= 3)", ">= 0)"),
    ("the set is never fetched again", "($old || !isset($kept['keys'][$kid]))", "$old"),
    ("a minute's patience with the key server", "'timeout' => 3", "'timeout' => 60"),
    ("keys of any kind", "($key['alg'] ?? null) === 'ES256' && ($key['kty'] ?? null) === 'EC' && ($key['crv'] ?? null) === 'P-256'", "true"),
    ("withdrawn keys are kept", "'keys' => $keys]", "'keys' => $keys + $kept['keys']]"),
    ("old keys are good for ever", "throw new Unavailable('no keys');", "{}"),
    ("out of reach is no such key", "new Unavailable('perhaps a new key')", "new Bypassed('no such key')"),
]  # fmt: skip

PHP_HS256 = [
    ("an unknown key is an empty one", "?? throw new Bypassed('no such key')", "?? ''"),
    ("the beginning of a signature will do", "hash_equals(hash_hmac('sha256', $text, $key, true), $signature)", "strncmp(hash_hmac('sha256', $text, $key, true), $signature, strlen($signature)) === 0"),
]  # fmt: skip

GO = [
    ("the first of several", 'r.Header.Values("Counterfoil-Assertion")', 'append([]string{}, r.Header.Get("Counterfoil-Assertion"))'),
    ("any alg", 'header.Alg != "ES256" || ', ""),
    ("any typ", 'header.Typ != "counterfoil+jwt" || ', ""),
    ("extensions overlooked", " || header.Crit != nil", ""),
    ("no signature", "!ecdsa.Verify(key, digest[:], number(signature[:32]), number(signature[32:]))", "false && !ecdsa.Verify(key, digest[:], nil, nil)"),
    ("signatures of any length", "len(signature) != 64 || ", ""),
    ("exp overlooked", "claims.Expires+5 <= now || ", ""),
    ("iat in the future overlooked", " || claims.Issued-5 > now", ""),
    ("no iat needed", " || claims.Issued == 0", ""),
    ("no leeway behind", "claims.Expires+5", "claims.Expires"),
    ("no leeway ahead", "claims.Issued-5", "claims.Issued"),
    ("any audience", "claims.Audience != v.App || ", ""),
    ("any issuer", "!contains(v.Origins, claims.Issuer) || ", ""),
    ("any request", " || claims.Request != binding(r)", ""),
    ("any method", "r.Method + ", '"GET" + '),
    ("the host as it came", "strings.ToLower(r.Host)", "r.Host"),
    ("the path alone", "r.RequestURI", "r.URL.EscapedPath()"),
]  # fmt: skip

GO_KEYS = [
    ("a fetch for each unknown key", ">= 3*time.Second", ">= 0"),
    ("the set is never fetched again", "(k.old() || k.keys[kid] == nil)", "k.old()"),
    ("old keys are good for ever", "time.Since(k.fetched) > 5*time.Minute", "k.fetched.IsZero()"),
    ("out of reach is no such key", "return nil, ErrUnavailable // it may be a new key", 'return nil, errors.New("no such key")'),
    ("an error for a set", "if answer.StatusCode != http.StatusOK {", "if false {"),
    ("a minute's patience with the key server", "Timeout: 3 * time.Second", "Timeout: time.Minute"),
    ("keys of any kind", 'key.Alg == "ES256" && key.Kty == "EC" && key.Crv == "P-256" && errX == nil && errY == nil && point.IsOnCurve(point.X, point.Y)', "errX == nil && errY == nil"),
]  # fmt: skip

MUTANTS = [
    Mutant(app, file, *mutant)
    for app, file, mutants in [
        ("flask", "counterfoil.py", PYTHON),
        ("flask", "app.py", FLASK),
        ("express", "counterfoil.js", JAVASCRIPT),
        ("flask-eddsa", "counterfoil.py", PYTHON[1:3]),
        ("express-eddsa", "counterfoil.js", JAVASCRIPT[2:3]),
        ("php", "counterfoil.php", PHP),
        ("php", "es256.php", PHP_ES256),
        ("php-hs256", "hs256.php", PHP_HS256),
        ("go", "counterfoil.go", GO),
        ("go", "keys.go", GO_KEYS),
    ]
    for mutant in mutants
]


def run(apps):
    """How many of them the table overlooks."""
    began = time.monotonic()
    mutants = [(mutant, app) for mutant in MUTANTS for app in apps if app.name == mutant.app]
    with ThreadPoolExecutor(ABREAST) as pool:
        overlooked = 0
        for (mutant, _), noticed in zip(mutants, pool.map(attempt, mutants)):
            overlooked += not noticed
            print(f"{mutant.app:10} {mutant.what:40} {noticed[0] if noticed else 'OVERLOOKED'}", flush=True)
    verdict, took = "FAILED" if overlooked else "ok", time.monotonic() - began
    print(f"\ntest result: {verdict}. {len(mutants) - overlooked} passed; {overlooked} failed; 0 ignored; finished in {took:.2f}s")
    return 1 if overlooked else 0


def attempt(pair):
    mutant, app = pair
    with tempfile.TemporaryDirectory(prefix="counterfoil-apps-") as scratch:
        folder = Path(scratch) / "mutant"
        shutil.copytree(HERE / app.folder, folder, symlinks=True, ignore=shutil.ignore_patterns("node_modules", "data"))
        if (modules := HERE / app.folder / "node_modules").is_dir():
            (folder / "node_modules").symlink_to(modules)
        source = folder / mutant.file
        text = source.read_text()
        if text.count(mutant.old) != 1:
            raise SystemExit(f"{mutant.app}, {mutant.what}: `{mutant.old}` is in {mutant.file} {text.count(mutant.old)} times")
        source.write_text(text.replace(mutant.old, mutant.new))
        try:
            return Trial(app, Path(scratch), folder).run(until_one_fails=True).failed
        except Missing as missing:
            raise SystemExit(f"{mutant.app}, {mutant.what}: {missing}") from missing
