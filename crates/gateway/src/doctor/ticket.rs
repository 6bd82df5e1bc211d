//! A ticket: what one request of the doctor's asks of the gateway, signed.

use std::fmt::Write as _;

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use counterfoil::Moment;

/// What the decision shall answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// Every header of ours with a value of this ticket's.
    Told,
    /// Every header of ours, empty.
    Empty,
    /// As [`Told`](Self::Told), with a cookie for the browser.
    Cookie,
    /// 403.
    Refuse,
    /// On to the sign-in page.
    SignIn,
}

/// A ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    /// When it was made, in Unix seconds.
    made: u64,
    /// Tells tickets apart; of no other meaning.
    pub(super) number: u64,
    pub(super) wish: Wish,
}

impl Ticket {
    pub(super) fn new(number: u64, wish: Wish, now: Moment) -> Self {
        Self { made: seconds(now), number, wish }
    }

    /// As it stands in a query: letters, digits and hyphens.
    pub(super) fn signed(self, key: &hmac::Key) -> String {
        let text = self.text();
        let mut signed = text.clone() + "-";
        for byte in hmac::sign(key, text.as_bytes()).as_ref() {
            // Writing to a string cannot fail.
            let _ = write!(signed, "{byte:02x}");
        }
        signed
    }

    /// The ticket in a request's target, if it is one of ours and fresh.
    pub(super) fn in_target(target: &str, key: &hmac::Key, now: Moment) -> Option<Self> {
        let signed = written_in(target)?;
        let mut parts = signed.split('-');
        let (made, number) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let ticket = Self { made, number, wish: Wish::read(parts.next()?)? };
        // Comparing the whole text also refuses every other spelling of the same numbers.
        verify_slices_are_equal(ticket.signed(key).as_bytes(), signed.as_bytes()).ok()?;
        (seconds(now).abs_diff(made) <= FRESH_SECONDS).then_some(ticket)
    }

    /// The value of one of our headers, if this ticket wishes for one.
    pub(super) fn value(self, header: &str) -> String {
        match self.wish {
            Wish::Empty => String::new(),
            _ => format!("doctor-{}-{}", self.number, header.to_lowercase()),
        }
    }

    fn text(self) -> String {
        format!("{}-{}-{}", self.made, self.number, self.wish.as_str())
    }
}

impl Wish {
    const ALL: [Self; 5] = [Self::Told, Self::Empty, Self::Cookie, Self::Refuse, Self::SignIn];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Told => "told",
            Self::Empty => "empty",
            Self::Cookie => "cookie",
            Self::Refuse => "refuse",
            Self::SignIn => "signin",
        }
    }

    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|wish| wish.as_str() == text)
    }
}

/// What may be a ticket in a target.
pub(super) fn written_in(target: &str) -> Option<&str> {
    let (_, query) = target.split_once('?')?;
    query.split('&').find_map(|pair| pair.strip_prefix("ticket="))
}

fn seconds(now: Moment) -> u64 {
    now.unix_seconds()
}

const FRESH_SECONDS: u64 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_fresh_ticket_with_its_own_signature_is_one() {
        let key = |byte: u8| hmac::Key::new(hmac::HMAC_SHA256, &[byte; 32]);
        let now = Moment::from_unix_millis(1_795_000_000_000);
        let ticket = Ticket::new(7, Wish::Cookie, now);
        let text = ticket.signed(&key(1));
        let at = |query: &str, byte, millis| {
            Ticket::in_target(&format!("/x?{query}"), &key(byte), Moment::from_unix_millis(millis))
        };
        assert_eq!(at(&format!("a=b&ticket={text}&c"), 1, 1_795_000_299_000), Some(ticket));
        assert_eq!(at(&format!("ticket={text}"), 1, 1_795_000_301_000), None);
        assert_eq!(at(&format!("ticket={text}"), 2, 1_795_000_000_000), None);
        for changed in [
            text.replace("cookie", "told"),
            text.replace("-7-", "-07-"),
            text.replace("-7-", "-8-"),
            text[..40].to_owned(),
        ] {
            assert_eq!(at(&format!("ticket={changed}"), 1, 1_795_000_000_000), None, "{changed}");
        }
    }
}
