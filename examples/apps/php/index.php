<?php
// A notice board behind the gateway, in PHP. Run it with `php -S 127.0.0.1:8080 index.php`.
declare(strict_types=1);

require 'counterfoil.php';
require 'es256.php';
require 'hs256.php';

$data = getenv('COUNTERFOIL_DATA') ?: __DIR__ . '/data'; // a folder of this app's own, not below the web root
if (!is_dir($data)) @mkdir($data, 0700);

try {
    $person = counterfoil_verify(getenv('COUNTERFOIL_APP'), explode(' ', getenv('COUNTERFOIL_ORIGINS')), ...signature($data))['sub'] ?? null;
} catch (Bypassed $error) {
    error_log("refused: {$error->getMessage()}");
    answer(403, 'bypassed');
} catch (Unavailable $error) {
    error_log("keys: {$error->getMessage()}");
    answer(503, "the gateway's keys are unavailable");
}

$page = $_SERVER['REQUEST_METHOD'] . ' ' . rawurldecode(explode('?', $_SERVER['REQUEST_URI'])[0]);
if ($page === 'GET /') {
    echo '<h1>Everybody may read this.</h1><p>You are ', text($person ?? 'nobody'), '.</p>';
} elseif ($page !== 'GET /me' && $page !== 'POST /note') {
    answer(404, 'there is no such page');
} elseif ($person === null) {
    answer(401, 'nobody is signed in');
} elseif ($page === 'GET /me') {
    $note = @file_get_contents(note_of($person, $data)) ?: '';
    echo '<h1>You are ', text($person), '.</h1><p>Your note: ', text($note), '</p>';
    echo '<form method=post action=/note><input name=text></form>';
} else {
    file_put_contents(note_of($person, $data), substr((string) ($_POST['text'] ?? ''), 0, 200));
    header('Location: /me', true, 303);
}

// Which signatures this app takes: fixed by its own configuration.
function signature(string $data): array
{
    if (getenv('COUNTERFOIL_HS256') === false) return ['ES256', counterfoil_es256(getenv('COUNTERFOIL_JWKS'), $data)];
    $keys = [];
    foreach (explode(' ', getenv('COUNTERFOIL_HS256')) as $pair) { // "kid=key kid=key", keys in base64url
        [$kid, $key] = explode('=', $pair);
        $keys[$kid] = counterfoil_decode($key);
    }
    return ['HS256', counterfoil_hs256($keys)];
}

function note_of(string $person, string $data): string
{
    return "$data/" . hash('sha256', $person) . '.txt';
}

function text(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE);
}

function answer(int $status, string $text): never
{
    http_response_code($status);
    header('Content-Type: text/plain');
    exit("$text\n");
}
