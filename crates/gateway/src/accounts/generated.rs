//! A password that nobody chose: easy to read out and to type once.

use counterfoil_core::{Entropy, NoEntropy};
use zeroize::Zeroizing;

/// Five groups of four, such as `k7mq-w2xd-9fhc-t3vn-r8pa`: 100 random bits, without letters that look alike.
///
/// # Errors
/// [`NoEntropy`]
pub fn generated(entropy: &dyn Entropy) -> Result<Zeroizing<String>, NoEntropy> {
    let mut random = Zeroizing::new([0; GROUPS * LETTERS]);
    entropy.fill(&mut *random)?;
    let mut password = Zeroizing::new(String::with_capacity(GROUPS * (LETTERS + 1)));
    for (at, byte) in random.iter().enumerate() {
        if at > 0 && at % LETTERS == 0 {
            password.push('-');
        }
        // 256 is a multiple of 32, so each letter is as likely as any other.
        let letter = ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or_default();
        password.push(char::from(letter));
    }
    Ok(password)
}

const GROUPS: usize = 5;
const LETTERS: usize = 4;
/// Crockford's base32, in small letters.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

#[cfg(test)]
mod tests {
    use counterfoil::SystemEntropy;
    use counterfoil::accounts::Password;

    use super::*;
    use crate::accounts::RULES;

    #[test]
    fn what_is_made_is_long_acceptable_and_never_the_same() {
        let (one, two) = (generated(&SystemEntropy).unwrap(), generated(&SystemEntropy).unwrap());
        assert_ne!(one, two);
        assert_eq!((one.len(), one.split('-').count()), (24, 5));
        assert!(one.bytes().all(|byte| byte == b'-' || ALPHABET.contains(&byte)), "{}", one.as_str());
        assert_eq!(RULES.check(&Password::new(&one), "ada", None), Ok(()));
    }
}
