//! A coarse reading of the user agent: enough to say "Firefox on Linux" and to notice that it changed.

#[cfg(test)]
mod tests;

use std::fmt;

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

    /// The platform of a number.
    pub(crate) fn of_code(code: u8) -> Option<Self> {
        [Self::Other, Self::Windows, Self::MacOs, Self::Linux, Self::Android, Self::Ios, Self::ChromeOs]
            .into_iter()
            .find(|platform| platform.code() == code)
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
        let platform = hinted.or_else(|| strongest(text, platform_claim)).unwrap_or(Platform::Other);
        let browser = if text.starts_with(b"curl/") { Some(Browser::Curl) } else { strongest(text, browser_claim) };
        Self { platform, browser: browser.unwrap_or(Browser::Other) }
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
    /// A number that never changes, for records.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Other => 0,
            Self::Firefox => 1,
            Self::Chrome => 2,
            Self::Edge => 3,
            Self::Safari => 4,
            Self::Opera => 5,
            Self::Curl => 6,
        }
    }

    /// The browser of a number.
    pub(crate) fn of_code(code: u8) -> Option<Self> {
        [Self::Other, Self::Firefox, Self::Chrome, Self::Edge, Self::Safari, Self::Opera, Self::Curl]
            .into_iter()
            .find(|browser| browser.code() == code)
    }

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

/// What people call a device before its user names it.
///
/// Asked once at each sign-in, never on the way of other requests.
pub trait DeviceLabels: Send + Sync + 'static {
    /// A label for a client with this `User-Agent` (empty where it sends none) and this `Sec-CH-UA-Platform`; `None`
    /// where it is unknown, and [`Agent::label`] stands in.
    fn label(&self, user_agent: &[u8], platform_hint: Option<&[u8]>) -> Option<String>;
}

impl DeviceLabels for Box<dyn DeviceLabels> {
    fn label(&self, user_agent: &[u8], platform_hint: Option<&[u8]>) -> Option<String> {
        (**self).label(user_agent, platform_hint)
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

/// What the word with the strongest claim stands for: almost everybody claims to be somebody else as well.
fn strongest<T>(text: &[u8], claim: fn(&[u8]) -> Option<(u8, T)>) -> Option<T> {
    let words = text.split(|byte| !byte.is_ascii_alphanumeric());
    words.filter_map(claim).min_by_key(|(rank, _)| *rank).map(|(_, is)| is)
}

fn platform_claim(word: &[u8]) -> Option<(u8, Platform)> {
    Some(match word {
        b"Windows" => (0, Platform::Windows),
        b"Macintosh" => (0, Platform::MacOs),
        b"Android" => (0, Platform::Android),
        b"iPhone" | b"iPad" | b"iPod" => (0, Platform::Ios),
        b"CrOS" => (0, Platform::ChromeOs),
        // Android says this, too.
        b"Linux" => (1, Platform::Linux),
        _ => return None,
    })
}

fn browser_claim(word: &[u8]) -> Option<(u8, Browser)> {
    Some(match word {
        b"SamsungBrowser" | b"YaBrowser" | b"Vivaldi" | b"UCBrowser" | b"SeaMonkey" | b"compatible" => {
            (0, Browser::Other)
        }
        b"Edg" | b"EdgA" | b"EdgiOS" | b"Edge" => (0, Browser::Edge),
        b"OPR" | b"OPT" | b"Opera" => (0, Browser::Opera),
        b"Firefox" | b"FxiOS" => (1, Browser::Firefox),
        b"Chrome" | b"HeadlessChrome" | b"CriOS" | b"Chromium" => (1, Browser::Chrome),
        b"Safari" => (2, Browser::Safari),
        _ => return None,
    })
}
