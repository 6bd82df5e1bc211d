//! What links and buttons are called, in the languages of many sites.

/// Whether somebody gets in by what is called so, or leads there.
pub(super) fn means_sign_in(text: &str, address: &str) -> bool {
    says(text, SIGN_IN) || leads(address, &["login", "signin", "sign-in", "sign_in", "log-in"])
}

/// Whether somebody gets out.
pub(super) fn means_sign_out(text: &str, address: &str) -> bool {
    says(text, SIGN_OUT) || leads(address, &["logout", "signout", "sign-out", "sign_out", "log-out", "logoff"])
}

/// Whether it is about the account of somebody.
pub(super) fn means_account(text: &str, address: &str) -> bool {
    says(text, ACCOUNT) || leads(address, &["account", "profile", "settings", "preferences", "dashboard"])
}

/// Whether it is about a password.
pub(super) fn means_password(text: &str, address: &str) -> bool {
    says(text, PASSWORD) || leads(address, &["password", "passwd"])
}

/// Whether it shows where somebody is signed in.
pub(super) fn means_sessions(text: &str, address: &str) -> bool {
    says(text, SESSIONS) || leads(address, &["sessions", "devices"])
}

/// Whether it makes an account instead of using one.
pub(super) fn means_register(text: &str, address: &str) -> bool {
    says(text, REGISTER) || leads(address, &["register", "signup", "sign-up", "sign_up"])
}

/// Whole when it is short, since short words are in others; somewhere when it is long.
fn says(text: &str, words: &[&str]) -> bool {
    let text = text.trim().to_lowercase();
    words.iter().any(|word| if word.len() < 6 { is_a_word_of(&text, word) } else { text.contains(word) })
}

fn is_a_word_of(text: &str, word: &str) -> bool {
    let is_ideographic = word.chars().all(|one| one as u32 > 0x2e80);
    text == word || (is_ideographic && text.contains(word))
}

/// In the path or the query, whatever stands before the site.
fn leads(address: &str, words: &[&str]) -> bool {
    let address = address.split('#').next().unwrap_or_default().to_lowercase();
    words.iter().any(|word| address.contains(word))
}

#[rustfmt::skip]
const SIGN_IN: &[&str] = &[
    "log in", "login", "sign in", "anmelden", "einloggen", "connexion", "se connecter", "iniciar sesión", "acceder",
    "accedi", "entrar", "iniciar sessão", "inloggen", "aanmelden", "zaloguj", "войти", "вход", "увійти", "logga in",
    "logg inn", "log ind", "kirjaudu sisään", "přihlásit", "prihlásiť", "bejelentkezés", "autentificare", "giriş",
    "ログイン", "登录", "登入", "로그인", "تسجيل الدخول", "התחבר",
];

#[rustfmt::skip]
const SIGN_OUT: &[&str] = &[
    "log out", "logout", "sign out", "signout", "log off", "logoff", "sign off", "abmelden", "ausloggen", "déconnexion",
    "se déconnecter", "deconnexion", "cerrar sesión", "cerrar sesion", "desconectar", "salir", "esci", "disconnetti",
    "sair", "terminar sessão", "uitloggen", "afmelden", "wyloguj", "выйти", "выход", "вийти", "вихід", "logga ut",
    "logg ut", "log ud", "kirjaudu ulos", "odhlásit", "odhlásiť", "kijelentkezés", "deconectare", "çıkış", "oturumu kapat",
    "ログアウト", "サインアウト", "退出", "登出", "注销", "로그아웃", "تسجيل الخروج", "התנתק",
];

#[rustfmt::skip]
const ACCOUNT: &[&str] = &[
    "account", "profile", "settings", "preferences", "dashboard", "konto", "profil", "einstellungen", "mon compte",
    "paramètres", "mi cuenta", "perfil", "configuración", "impostazioni", "profilo", "minha conta", "instellingen",
    "ustawienia", "настройки", "профиль", "inställningar", "設定", "设置", "설정",
];

#[rustfmt::skip]
const PASSWORD: &[&str] = &[
    "password", "passwort", "kennwort", "mot de passe", "contraseña", "senha", "palavra-passe", "wachtwoord", "hasło",
    "пароль", "lösenord", "passord", "salasana", "heslo", "jelszó", "şifre", "パスワード", "密码", "비밀번호",
];

#[rustfmt::skip]
const SESSIONS: &[&str] = &[
    "sessions", "your devices", "my devices", "signed in on", "sitzungen", "geräte", "appareils", "sesiones", "dispositivos",
    "sessioni", "sessões", "sessies", "sesje", "сеансы", "устройства", "セッション", "会话", "세션",
];

#[rustfmt::skip]
const REGISTER: &[&str] = &[
    "register", "registration", "sign up", "signup", "create account", "create an account", "registrieren", "s'inscrire",
    "inscription", "registrarse", "crear cuenta", "registrati", "criar conta", "registreren", "zarejestruj",
    "регистрация", "registrera", "新規登録", "注册", "회원가입",
];
