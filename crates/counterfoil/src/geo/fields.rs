//! What a record says, in whichever of the usual shapes: fields that lie deep or flat, numbers that are text, missing ones.

use std::fmt;

use counterfoil_core::rules::{Place, Spot};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A record, or a value in it. Only what may matter is kept.
pub(super) enum Value<'a> {
    Number(f64),
    Text(&'a str),
    Flag(bool),
    Fields(Fields<'a>),
    Nothing,
}

/// The fields of a record, those of `country`, `location` and `traits` included: their names do not overlap.
#[derive(Default)]
pub(super) struct Fields<'a> {
    country: Option<&'a str>,
    country_code: Option<&'a str>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    radius: Option<f64>,
    asn: Option<u32>,
    anycast: bool,
}

impl<'a> Value<'a> {
    /// The place that a record tells.
    pub(super) fn place(self) -> Place {
        match self {
            Self::Fields(fields) => fields.place(),
            _ => Place::UNKNOWN,
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    const fn text(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl<'a> Fields<'a> {
    fn place(&self) -> Place {
        let country = self.country_code.and_then(country).or_else(|| self.country.and_then(country));
        if self.anycast {
            return Place { asn: self.asn, ..Place::UNKNOWN };
        }
        let point = self.latitude.zip(self.longitude);
        // Where databases put what they cannot place.
        let point = point.filter(|(latitude, longitude)| *latitude != 0.0 || *longitude != 0.0);
        let spot = point.and_then(|(latitude, longitude)| Spot::new(latitude, longitude, self.radius_km()));
        Place { country, spot, asn: self.asn, ..Place::UNKNOWN }
    }

    fn radius_km(&self) -> Option<u16> {
        let radius = self.radius.filter(|radius| *radius > 0.0)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "more than zero; stops at the most"
        )]
        let whole = radius.ceil() as u16;
        Some(whole)
    }

    fn take(&mut self, key: &str, value: &Value<'a>) {
        match (key, value) {
            ("country", Value::Fields(inner)) => self.country_code = inner.country_code.or(self.country_code),
            ("location", Value::Fields(inner)) => {
                self.latitude = inner.latitude.or(self.latitude);
                self.longitude = inner.longitude.or(self.longitude);
                self.radius = inner.radius.or(self.radius);
            }
            ("traits", Value::Fields(inner)) => {
                self.anycast |= inner.anycast;
                self.asn = inner.asn.or(self.asn);
            }
            ("country", value) => self.country = value.text(),
            ("country_code" | "iso_code", value) => self.country_code = value.text().or(self.country_code),
            ("latitude" | "lat", value) => self.latitude = value.number().or(self.latitude),
            ("longitude" | "lng" | "lon", value) => self.longitude = value.number().or(self.longitude),
            ("accuracy_radius" | "radius", value) => self.radius = value.number().or(self.radius),
            ("autonomous_system_number" | "asn", value) => self.asn = asn(value).or(self.asn),
            ("is_anycast", Value::Flag(flag)) => self.anycast |= *flag,
            ("loc", Value::Text(text)) => {
                let halves = text.split_once(',').map(|(one, other)| [one, other].map(|half| half.trim().parse().ok()));
                if let Some([Some(latitude), Some(longitude)]) = halves {
                    (self.latitude, self.longitude) = (Some(latitude), Some(longitude));
                }
            }
            _ => {}
        }
    }
}

/// A number, or as people write it: `AS64500`. Zero is nobody's.
fn asn(value: &Value<'_>) -> Option<u32> {
    let number = match value {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "stops at both ends, which are nobody's"
        )]
        Value::Number(number) => *number as u32,
        Value::Text(text) => text.trim().trim_start_matches(['A', 'S', 'a', 's']).parse().ok()?,
        _ => return None,
    };
    Some(number).filter(|number| (1..u32::MAX).contains(number))
}

/// Two letters. Some databases write names there.
fn country(text: &str) -> Option<[u8; 2]> {
    let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
    letters.iter().all(u8::is_ascii_alphabetic).then(|| letters.map(|letter| letter.to_ascii_uppercase()))
}

const KEPT: [&str; 16] = [
    "country",
    "location",
    "traits",
    "country_code",
    "iso_code",
    "latitude",
    "lat",
    "longitude",
    "lng",
    "lon",
    "accuracy_radius",
    "radius",
    "autonomous_system_number",
    "asn",
    "is_anycast",
    "loc",
];

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Reading)
    }
}

struct Reading;

impl<'de> Visitor<'de> for Reading {
    type Value = Value<'de>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any value")
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value<'de>, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value<'de>, E> {
        Ok(Value::Number(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value<'de>, E> {
        Ok(i32::try_from(number).map_or(Value::Nothing, |number| Value::Number(number.into())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value<'de>, E> {
        Ok(u32::try_from(number).map_or(Value::Nothing, |number| Value::Number(number.into())))
    }

    fn visit_u128<E>(self, _: u128) -> Result<Value<'de>, E> {
        Ok(Value::Nothing)
    }

    fn visit_str<E>(self, _: &str) -> Result<Value<'de>, E> {
        Ok(Value::Nothing)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(text))
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Value<'de>, E> {
        Ok(Value::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value<'de>, A::Error> {
        while values.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Value<'de>, A::Error> {
        let mut fields = Fields::default();
        while let Some(key) = values.next_key::<&str>()? {
            if KEPT.contains(&key) {
                fields.take(key, &values.next_value()?);
            } else {
                values.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Value::Fields(fields))
    }
}
