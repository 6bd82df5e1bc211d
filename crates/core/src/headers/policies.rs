//! The headers whose values are words from a list.

/// `Referrer-Policy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ReferrerPolicy {
    /// Nothing to anybody. Then our own forms send `Origin: null` and need a CSRF token.
    NoReferrer,
    /// The page to ourselves, nothing to others. The default: even a host name can be telling (ASVS 5.0, 3.4.5).
    #[default]
    SameOrigin,
    /// Our origin to others over https; the page to ourselves. What browsers do unasked.
    StrictOriginWhenCrossOrigin,
}

impl ReferrerPolicy {
    /// The header value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoReferrer => "no-referrer",
            Self::SameOrigin => "same-origin",
            Self::StrictOriginWhenCrossOrigin => "strict-origin-when-cross-origin",
        }
    }
}

/// `Cross-Origin-Opener-Policy`: whether windows that opened ours, or that ours opened, can reach into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CrossOriginOpenerPolicy {
    /// Only our own.
    #[default]
    SameOrigin,
    /// Our own, and pop-ups we open: for sign-in or payment in a pop-up.
    SameOriginAllowPopups,
}

impl CrossOriginOpenerPolicy {
    /// The header value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameOrigin => "same-origin",
            Self::SameOriginAllowPopups => "same-origin-allow-popups",
        }
    }
}

/// `Cross-Origin-Resource-Policy`: whose pages may load our responses as images, scripts and the like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CrossOriginResourcePolicy {
    /// Our own origin's.
    #[default]
    SameOrigin,
    /// Our site's, sibling domains included.
    SameSite,
    /// Anybody's: for public files.
    CrossOrigin,
}

impl CrossOriginResourcePolicy {
    /// The header value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameOrigin => "same-origin",
            Self::SameSite => "same-site",
            Self::CrossOrigin => "cross-origin",
        }
    }
}

/// What a page could ask the browser for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// Acceleration sensor.
    Accelerometer,
    /// Camera.
    Camera,
    /// Recording the screen.
    DisplayCapture,
    /// Position.
    Geolocation,
    /// Rotation sensor.
    Gyroscope,
    /// Compass.
    Magnetometer,
    /// Microphone.
    Microphone,
    /// MIDI devices.
    Midi,
    /// The payment API.
    Payment,
    /// USB devices.
    Usb,
}

impl Feature {
    /// All that are denied by default. Passkeys are not among them.
    pub const ALL: [Self; 10] = [
        Self::Accelerometer,
        Self::Camera,
        Self::DisplayCapture,
        Self::Geolocation,
        Self::Gyroscope,
        Self::Magnetometer,
        Self::Microphone,
        Self::Midi,
        Self::Payment,
        Self::Usb,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Accelerometer => "accelerometer",
            Self::Camera => "camera",
            Self::DisplayCapture => "display-capture",
            Self::Geolocation => "geolocation",
            Self::Gyroscope => "gyroscope",
            Self::Magnetometer => "magnetometer",
            Self::Microphone => "microphone",
            Self::Midi => "midi",
            Self::Payment => "payment",
            Self::Usb => "usb",
        }
    }
}

/// `Permissions-Policy`: none of the features, but those allowed to our own pages.
///
/// # Examples
/// ```
/// use counterfoil_core::headers::{Feature, PermissionsPolicy};
///
/// let policy = PermissionsPolicy::deny_all().allow_self(Feature::Camera);
/// assert!(policy.value().starts_with("accelerometer=(), camera=(self), display-capture=()"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PermissionsPolicy {
    allowed: Vec<Feature>,
}

impl PermissionsPolicy {
    /// Nothing for anybody.
    pub const fn deny_all() -> Self {
        Self { allowed: Vec::new() }
    }

    /// Lets pages of our own origin ask for a feature.
    pub fn allow_self(mut self, feature: Feature) -> Self {
        self.allowed.push(feature);
        self
    }

    /// The header value.
    pub fn value(&self) -> String {
        let rule = |feature: Feature| {
            let list = if self.allowed.contains(&feature) { "(self)" } else { "()" };
            format!("{}={list}", feature.as_str())
        };
        Feature::ALL.map(rule).join(", ")
    }
}

/// `Clear-Site-Data`, which a sign-out may add.
///
/// # Security
/// Clearing cookies takes those of the whole registrable domain, sibling hosts included, and with them device-bound
/// sessions. It also covers `Partitioned` cookies only where the browser says so: our own removal cookies are sent
/// anyway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClearSiteData {
    /// The cache: pages that a later user of the browser could step back to.
    Cache,
    /// The cache and what scripts stored.
    CacheAndStorage,
    /// These and all cookies.
    CacheStorageAndCookies,
}

impl ClearSiteData {
    /// The header's name.
    pub const NAME: &'static str = "clear-site-data";

    /// The header value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cache => "\"cache\"",
            Self::CacheAndStorage => "\"cache\", \"storage\"",
            Self::CacheStorageAndCookies => "\"cache\", \"cookies\", \"storage\"",
        }
    }
}
