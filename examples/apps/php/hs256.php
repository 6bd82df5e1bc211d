<?php
// HMAC-SHA256 with keys that only the gateway and this app have: for servers without openssl, or that can fetch nothing.
declare(strict_types=1);

// `$keys`: from `kid` to the key. Two of them while keys rotate.
function counterfoil_hs256(array $keys): callable
{
    return function (string $kid, string $text, string $signature) use ($keys): bool {
        $key = $keys[$kid] ?? throw new Bypassed('no such key');
        return hash_equals(hash_hmac('sha256', $text, $key, true), $signature);
    };
}
