<?php
// A twin on PHP's own sessions. Started by `corpus`; CORPUS_FLAWED=1 is the vulnerable one.

$people = json_decode(getenv('CORPUS_PEOPLE'), true);
$flawed = getenv('CORPUS_FLAWED') === '1';
$folder = getenv('CORPUS_FOLDER');
foreach (json_decode(getenv('CORPUS_HEADERS'), true) as $name => $value) {
    header("$name: $value");
}
header_remove('X-Powered-By');
ini_set('session.save_path', $folder);
ini_set('session.use_strict_mode', $flawed ? '0' : '1');
ini_set('session.use_only_cookies', $flawed ? '0' : '1');
ini_set('session.cache_limiter', '');
session_set_cookie_params(['path' => '/', 'secure' => true, 'httponly' => true, 'samesite' => 'Lax']);
session_start();
$_SESSION['csrf'] ??= bin2hex(random_bytes(16));

function form(string $action, string $inner): string
{
    return "<form method=\"post\" action=\"$action\"><input type=\"hidden\" name=\"token\" value=\"{$_SESSION['csrf']}\">$inner</form>";
}

function page(string $inner): void
{
    echo "<!doctype html><html><body>$inner</body></html>";
}

function to(string $target): void
{
    header("Location: $target", true, 303);
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$user = $_SESSION['user'] ?? null;
$kept = fn (string $user): string => "$folder/notes-$user.json";
if ($_SERVER['REQUEST_METHOD'] === 'POST' && !hash_equals($_SESSION['csrf'], $_POST['token'] ?? '')) {
    http_response_code(403);
    exit('The form is too old.');
}

switch ($_SERVER['REQUEST_METHOD'] . ' ' . $path) {
    case 'GET /':
        if ($user === null) {
            page('<p>Nobody is signed in. <a href="/login">Sign in</a></p>');
            break;
        }
        $notes = json_decode(@file_get_contents($kept($user)) ?: '[]');
        $list = implode('', array_map(fn ($note) => '<li>' . htmlspecialchars($note) . '</li>', $notes));
        page("<p>Signed in as $user.</p><ul>$list</ul>"
            . form('/notes', '<input name="text"><button>Add</button>')
            . form('/logout', '<button>Sign out</button>'));
        break;
    case 'GET /login':
        page(form('/login', '<input name="user"><input type="password" name="password"><button>In</button>'));
        break;
    case 'POST /login':
        $name = $_POST['user'] ?? '';
        if (($people[$name] ?? null) !== ($_POST['password'] ?? '')) {
            http_response_code(401);
            exit('Wrong name or password.');
        }
        if (!$flawed) {
            session_regenerate_id(true);
        }
        $_SESSION = ['user' => $name, 'csrf' => bin2hex(random_bytes(16))];
        to('/');
        break;
    case 'POST /logout':
        $_SESSION = [];
        session_destroy();
        setcookie(session_name(), '', ['expires' => 1, 'path' => '/', 'secure' => true, 'httponly' => true, 'samesite' => 'Lax']);
        to('/');
        break;
    case 'POST /notes':
        if ($user === null) {
            to('/login');
            break;
        }
        $notes = json_decode(@file_get_contents($kept($user)) ?: '[]');
        $notes[] = $_POST['text'] ?? '';
        file_put_contents($kept($user), json_encode(array_slice($notes, -50)));
        to('/');
        break;
    default:
        http_response_code(404);
        page('<p>There is nothing here.</p>');
}
