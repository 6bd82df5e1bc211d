<?php
// ECDSA on P-256 with the gateway's published keys, kept in a file for five minutes.
declare(strict_types=1);

// `$folder` is this app's own: who can write there can be anybody.
function counterfoil_es256(string $url, string $folder): callable
{
    return function (string $kid, string $text, string $signature) use ($url, $folder): bool {
        $key = counterfoil_key($kid, $url, $folder);
        if (strlen($signature) !== 64) return false;
        $point = counterfoil_decode($key['x']) . counterfoil_decode($key['y']);
        // SubjectPublicKeyInfo of an uncompressed point on P-256 (RFC 5480), up to the point.
        $der = hex2bin('3059301306072a8648ce3d020106082a8648ce3d03010703420004') . $point;
        $pem = "-----BEGIN PUBLIC KEY-----\n" . chunk_split(base64_encode($der), 64) . "-----END PUBLIC KEY-----\n";
        // -1 says that something is wrong with the key or the signature: only 1 is yes.
        return openssl_verify($text, counterfoil_der($signature), $pem, OPENSSL_ALGO_SHA256) === 1;
    };
}

// JOSE has r and s side by side, openssl wants two INTEGERs in a SEQUENCE.
function counterfoil_der(string $signature): string
{
    $integer = function (string $number): string {
        $number = ltrim($number, "\0");
        if ($number === '' || ord($number[0]) > 127) $number = "\0$number";
        return "\x02" . chr(strlen($number)) . $number;
    };
    $both = implode(array_map($integer, str_split($signature, 32)));
    return "\x30" . chr(strlen($both)) . $both;
}

// The key of that name. For an unknown one the set is fetched again, at most every three seconds.
function counterfoil_key(string $kid, string $url, string $folder): array
{
    $file = @fopen("$folder/jwks.json", 'c+') ?: throw new Unavailable("cannot write in $folder");
    flock($file, LOCK_EX);  // until the end of this function: one fetches, the others wait
    $kept = json_decode(stream_get_contents($file), true) ?? ['tried' => 0, 'fetched' => 0, 'keys' => []];
    $old = abs(time() - $kept['fetched']) > 300;
    if (($old || !isset($kept['keys'][$kid])) && abs(time() - $kept['tried']) >= 3) {
        $kept = counterfoil_fetch($url, $kept);
        $old = abs(time() - $kept['fetched']) > 300;
        ftruncate($file, 0);
        rewind($file);
        fwrite($file, json_encode($kept));
    }
    fclose($file);
    if ($old) throw new Unavailable('no keys');
    if (isset($kept['keys'][$kid])) return $kept['keys'][$kid];
    throw $kept['tried'] === $kept['fetched'] ? new Bypassed('no such key') : new Unavailable('perhaps a new key');
}

function counterfoil_fetch(string $url, array $kept): array
{
    $kept['tried'] = time();
    $context = stream_context_create(['http' => ['timeout' => 3, 'follow_location' => 0]]);
    $set = json_decode(@file_get_contents($url, false, $context, 0, 65536) ?: '', true);
    if (!is_array($set['keys'] ?? null)) return $kept;
    $ours = fn ($key) => ($key['alg'] ?? null) === 'ES256' && ($key['kty'] ?? null) === 'EC' && ($key['crv'] ?? null) === 'P-256';
    $keys = array_column(array_filter($set['keys'], $ours), null, 'kid');
    return ['tried' => $kept['tried'], 'fetched' => $kept['tried'], 'keys' => $keys];
}
