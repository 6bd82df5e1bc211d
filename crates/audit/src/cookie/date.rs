//! Dates in cookies, read as section 5.1.1 of RFC 6265bis says: any order, any separators.

/// Seconds since 1970, or nothing where browsers see no date.
pub(crate) fn read(text: &str) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        // Each token is the first of what it can be and is still missing.
        let _is_one = fills(&mut time, token, time_of)
            || fills(&mut day, token, |token| number(token, 1, 2))
            || fills(&mut month, token, month_of)
            || fills(&mut year, token, |token| number(token, 2, 4));
    }
    let (hour, minute, second) = time?;
    let year = match year? {
        short @ 70..=99 => short + 1900,
        short @ 0..=69 => short + 2000,
        long => long,
    };
    let (month, day) = (month?, day?);
    let sane = year >= 1601 && day >= 1 && day <= days_in(year, month) && hour <= 23 && minute <= 59 && second <= 59;
    sane.then(|| days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

fn fills<T>(place: &mut Option<T>, token: &str, read: impl FnOnce(&str) -> Option<T>) -> bool {
    if place.is_some() {
        return false;
    }
    *place = read(token);
    place.is_some()
}

fn is_delimiter(one: char) -> bool {
    matches!(one, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~')
}

/// `1*2DIGIT ":" 1*2DIGIT ":" 1*2DIGIT`, and whatever follows that does not begin with a digit.
fn time_of(token: &str) -> Option<(i64, i64, i64)> {
    let (hour, rest) = token.split_once(':')?;
    let (minute, second) = rest.split_once(':')?;
    let whole = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| number(text, 1, 2)).flatten();
    Some((whole(hour)?, whole(minute)?, number(second, 1, 2)?))
}

/// As many digits as `least..=most` at the front, and no further one.
fn number(token: &str, least: usize, most: usize) -> Option<i64> {
    let end = token.bytes().take_while(u8::is_ascii_digit).count();
    if end < least || end > most {
        return None;
    }
    token.get(..end)?.parse().ok()
}

fn month_of(token: &str) -> Option<i64> {
    let begin = token.get(..3)?.to_ascii_lowercase();
    (1..).zip(MONTHS).find(|(_, name)| *name == begin).map(|(month, _)| month)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Of the proleptic Gregorian calendar; years begin in March here, so that the odd day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
