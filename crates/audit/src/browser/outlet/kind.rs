//! What a browser asks for, by what it says of it, and who else may be given the answer.

use crate::exchange::{Answer, Sent};

pub(super) fn header<'a>(sent: &'a Sent, name: &str) -> &'a str {
    sent.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
}

/// Plain http tells only what is accepted.
pub(super) fn is_page(sent: &Sent) -> bool {
    match header(sent, "sec-fetch-dest") {
        "" => header(sent, "accept").starts_with("text/html"),
        dest => dest == "document",
    }
}

/// Of which a page is made.
pub(super) fn is_file(sent: &Sent) -> bool {
    matches!(header(sent, "sec-fetch-dest"), "script" | "style")
}

/// What nobody looks at is not asked for.
pub(super) fn is_picture(sent: &Sent) -> bool {
    match header(sent, "sec-fetch-dest") {
        "" => header(sent, "accept").starts_with("image/"),
        dest => matches!(dest, "image" | "font" | "audio" | "video" | "track"),
    }
}

pub(super) fn is_for_everybody(answer: &Answer) -> bool {
    let control = answer.joined("cache-control").unwrap_or_default().to_ascii_lowercase();
    let dated =
        ["etag", "last-modified"].iter().any(|name| answer.first(name).is_some()) || control.contains("max-age");
    let own = ["no-store", "no-cache", "private", "max-age=0"].iter().any(|word| control.contains(word));
    answer.status == 200
        && dated
        && !own
        && answer.first("set-cookie").is_none()
        && answer.first("vary").is_none_or(|vary| !vary.to_ascii_lowercase().contains("cookie"))
}
