<?php
// Who made this request, as the gateway says: verifies the header Counterfoil-Assertion, with nothing but PHP itself.
declare(strict_types=1);

// The request did not come through the gateway, or not as it is. Answer 403.
class Bypassed extends Exception {}

// The gateway's keys cannot be had. Answer 503; let nobody in.
class Unavailable extends Exception {}

// The claims of the assertion. `sub` is the person; where it is absent, nobody is signed in.
//
// `$signed(kid, text, signature)` is counterfoil_es256(...) or counterfoil_hs256(...): the app chooses, never the token.
function counterfoil_verify(string $app, array $origins, string $algorithm, callable $signed): array
{
    $parts = explode('.', $_SERVER['HTTP_COUNTERFOIL_ASSERTION'] ?? '');
    // Missing; or repeated, which PHP joins by a comma: that is none of base64url's characters.
    if (count($parts) !== 3) throw new Bypassed('not exactly one assertion');
    [$header, $claims, $signature] = array_map('counterfoil_decode', $parts);
    $header = json_decode($header, true);
    $ours = ($header['alg'] ?? null) === $algorithm && ($header['typ'] ?? null) === 'counterfoil+jwt';
    if (!$ours || !is_string($header['kid'] ?? null) || isset($header['crit'])) throw new Bypassed('another kind of token');
    if (!$signed($header['kid'], "$parts[0].$parts[1]", $signature)) throw new Bypassed('the signature is wrong');
    $claims = json_decode($claims, true);
    $at = fn (string $name) => is_int($claims[$name] ?? null) ? $claims[$name] : throw new Bypassed("no $name");
    if ($at('exp') + 5 <= time() || $at('iat') - 5 > time()) throw new Bypassed('expired, or from the future');
    if (($claims['aud'] ?? null) !== $app) throw new Bypassed('made for another app');
    if (!in_array($claims['iss'] ?? null, $origins, true)) throw new Bypassed('made at another origin');
    if (($claims['req'] ?? null) !== counterfoil_binding()) throw new Bypassed('made for another request');
    return $claims;
}

// What `req` must be: method, host and target of this request, as they came.
function counterfoil_binding(): string
{
    $host = preg_replace('/:443$/D', '', strtolower($_SERVER['HTTP_HOST'] ?? ''));
    $text = "$_SERVER[REQUEST_METHOD]\n$host\n$_SERVER[REQUEST_URI]";
    return rtrim(strtr(base64_encode(hash('sha256', $text, true)), '+/', '-_'), '=');
}

function counterfoil_decode(string $text): string
{
    $plain = preg_match('/^[A-Za-z0-9_-]+$/D', $text) ? base64_decode(strtr($text, '-_', '+/'), true) : false;
    return $plain === false ? throw new Bypassed('not base64url') : $plain;
}
