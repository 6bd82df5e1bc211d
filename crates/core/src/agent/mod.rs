//! A coarse reading of the user agent: enough to say "Firefox on Linux" and to notice that it changed.

#[cfg(test)]
mod tests;

use std::fmt;

use memchr::memmem;

/// Bytes of a `User-Agent` that are looked at.
pub const LONGEST: usize = 512;

/// The operating system a browser says it runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Platform {
    /// Windows.
    Windows,
    /// macOS; also an iPad that asks for desktop pages.
    MacOs,
    /// Linux, other than Android and `ChromeOS`.
    Linux,
    /// Android.
    Android,
    /// iOS and iPadOS.
    Ios,
    /// `ChromeOS`.
    ChromeOs,
    /// Not said, or none of these.
    Other,
}

impl Platform {
    /// A number that never changes, for records.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Other => 0,
            Self::Windows => 1,
            Self::MacOs => 2,
            Self::Linux => 3,
            Self::Android => 4,
            Self::Ios => 5,
            Self::ChromeOs => 6,
        }
    }
}

/// The family of a browser or tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Browser {
    /// Firefox.
    Firefox,
    /// Chrome and Chromium, and those that do not tell themselves apart from it.
    Chrome,
    /// Edge.
    Edge,
    /// Safari.
    Safari,
    /// Opera.
    Opera,
    /// curl.
    Curl,
    /// Not said, or none of these.
    Other,
}

/// What a client says it is.
///
/// # Security
/// A claim, not a fact: whoever copies a cookie can copy this too. It labels devices and feeds signals; it admits nobody.
///
/// # Examples
/// ```
/// use counterfoil_core::agent::{Agent, Browser};
///
/// let agent = Agent::read(b"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", None);
/// assert_eq!((agent.browser, agent.label().as_str()), (Browser::Firefox, "Firefox on Linux"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Agent {
    /// The operating system.
    pub platform: Platform,
    /// The browser family.
    pub browser: Browser,
}

impl Agent {
    /// Reads `User-Agent` and, where the browser sends it, `Sec-CH-UA-Platform`, which is the more honest one.
    pub fn read(user_agent: &[u8], client_hint: Option<&[u8]>) -> Self {
        let text = user_agent.get(..LONGEST).unwrap_or(user_agent);
        let hinted = client_hint.and_then(platform_of_hint);
        Self {
            platform: hinted.unwrap_or_else(|| first(text, PLATFORMS, Platform::Other)),
            browser: browser(text),
        }
    }

    /// A label for people: "Firefox on Linux".
    pub fn label(self) -> String {
        self.to_string()
    }
}

impl Platform {
    /// The name for people, or nothing.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Windows => "Windows",
            Self::MacOs => "macOS",
            Self::Linux => "Linux",
            Self::Android => "Android",
            Self::Ios => "iOS",
            Self::ChromeOs => "ChromeOS",
            Self::Other => return None,
        })
    }
}

impl Browser {
    /// The name for people, or nothing.
    pub const fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Firefox => "Firefox",
            Self::Chrome => "Chrome",
            Self::Edge => "Edge",
            Self::Safari => "Safari",
            Self::Opera => "Opera",
            Self::Curl => "curl",
            Self::Other => return None,
        })
    }
}

impl fmt::Display for Agent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let browser = self.browser.name().unwrap_or("Unknown browser");
        match self.platform.name() {
            Some(platform) => write!(out, "{browser} on {platform}"),
            None => out.write_str(browser),
        }
    }
}

fn browser(text: &[u8]) -> Browser {
    if text.starts_with(b"curl/") {
        Browser::Curl
    } else {
        first(text, BROWSERS, Browser::Other)
    }
}

fn platform_of_hint(hint: &[u8]) -> Option<Platform> {
    match hint {
        b"\"Windows\"" => Some(Platform::Windows),
        b"\"macOS\"" => Some(Platform::MacOs),
        b"\"Linux\"" => Some(Platform::Linux),
        b"\"Android\"" => Some(Platform::Android),
        b"\"iOS\"" => Some(Platform::Ios),
        b"\"Chrome OS\"" | b"\"Chromium OS\"" | b"\"ChromeOS\"" => Some(Platform::ChromeOs),
        _ => None,
    }
}

fn first<T: Copy>(text: &[u8], marks: &[(&str, T)], otherwise: T) -> T {
    marks
        .iter()
        .find(|(mark, _)| memmem::find(text, mark.as_bytes()).is_some())
        .map_or(otherwise, |(_, is)| *is)
}

/// The first that occurs decides: those who claim to be others come before the others.
const PLATFORMS: &[(&str, Platform)] = &[
    ("Windows Phone", Platform::Other),
    ("Windows", Platform::Windows),
    ("Android", Platform::Android),
    ("iPhone", Platform::Ios),
    ("iPad", Platform::Ios),
    ("iPod", Platform::Ios),
    ("CrOS", Platform::ChromeOs),
    ("Macintosh", Platform::MacOs),
    ("Linux", Platform::Linux),
];

/// As above; everybody claims to be Safari, and most to be Chrome.
const BROWSERS: &[(&str, Browser)] = &[
    ("SamsungBrowser/", Browser::Other),
    ("YaBrowser/", Browser::Other),
    ("Vivaldi/", Browser::Other),
    ("UCBrowser/", Browser::Other),
    ("compatible; ", Browser::Other),
    ("Edg/", Browser::Edge),
    ("EdgA/", Browser::Edge),
    ("EdgiOS/", Browser::Edge),
    ("Edge/", Browser::Edge),
    ("OPR/", Browser::Opera),
    ("OPT/", Browser::Opera),
    ("Opera/", Browser::Opera),
    ("SeaMonkey/", Browser::Other),
    ("Firefox/", Browser::Firefox),
    ("FxiOS/", Browser::Firefox),
    ("Chrome/", Browser::Chrome),
    ("CriOS/", Browser::Chrome),
    ("Chromium/", Browser::Chrome),
    ("Safari/", Browser::Safari),
];
