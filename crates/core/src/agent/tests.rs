//! Browsers as they introduce themselves, and whatever else comes in that header.

use proptest::prelude::*;

use super::*;

#[test]
#[rustfmt::skip]
fn common_browsers_are_told_apart() {
    for (user_agent, label) in [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", "Firefox on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15", "Firefox on iOS"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", "Chrome on Windows"),
        ("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36", "Chrome on ChromeOS"),
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0.7204.53 Mobile/15E148 Safari/604.1", "Chrome on iOS"),
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/138.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 10; Pixel 3) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36 EdgA/138.0.0.0", "Edge on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", "Safari on iOS"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 OPR/120.0.0.0", "Opera on macOS"),
        ("Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36", "Unknown browser on Android"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/138.0.0.0 Safari/537.36", "Unknown browser"),
        ("curl/8.14.1", "curl"),
        ("Mozilla/5.0 curl/8.14.1", "Unknown browser"),
        ("Wget/1.25 (linux-gnu)", "Unknown browser"),
        ("firefox/1 LINUX", "Unknown browser"),
        ("NotFirefox/1 (xLinux)", "Unknown browser"),
        ("", "Unknown browser"),
    ] {
        assert_eq!(Agent::read(user_agent.as_bytes(), None).label(), label, "{user_agent}");
    }
}

#[test]
fn the_client_hint_decides_the_platform_where_it_names_one() {
    let mac = b"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Chrome/138.0.0.0";
    let rows: &[(Option<&[u8]>, Platform)] = &[
        (None, Platform::MacOs),
        (Some(b"\"Windows\""), Platform::Windows),
        (Some(b"\"macOS\""), Platform::MacOs),
        (Some(b"\"Linux\""), Platform::Linux),
        (Some(b"\"Android\""), Platform::Android),
        (Some(b"\"iOS\""), Platform::Ios),
        (Some(b"\"Chrome OS\""), Platform::ChromeOs),
        (Some(b"\"Chromium OS\""), Platform::ChromeOs),
        (Some(b"\"Unknown\""), Platform::MacOs),
        (Some(b"Windows"), Platform::MacOs),
        (Some(b""), Platform::MacOs),
        (Some(b"\xff"), Platform::MacOs),
    ];
    for (hint, platform) in rows {
        assert_eq!(Agent::read(mac, *hint).platform, *platform, "{hint:?}");
    }
}

#[test]
fn what_stands_after_512_bytes_is_not_read() {
    for (padding, browser) in
        [(LONGEST - 8, Browser::Firefox), (LONGEST - 7, Browser::Other), (64 * 1024, Browser::Other)]
    {
        let text = format!("{} Firefox/1", "x".repeat(padding));
        assert_eq!(Agent::read(text.as_bytes(), None).browser, browser, "{padding}");
    }
}

proptest! {
    #[test]
    fn no_bytes_break_it_and_the_label_is_one_of_ours(user_agent: Vec<u8>, hint: Option<Vec<u8>>) {
        let label = Agent::read(&user_agent, hint.as_deref()).label();
        prop_assert!(label.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b' '));
    }
}
