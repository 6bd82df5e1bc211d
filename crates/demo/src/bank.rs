//! Balances, and moving money between them: what the demo protects by step-up.

use std::{collections::BTreeMap, str::FromStr};

use parking_lot::Mutex;

/// What every account starts with.
pub const OPENING_BALANCE: u64 = 1000;

/// A whole amount above zero. Nothing else can be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(u64);

impl Amount {
    /// The amount as a number.
    pub fn value(self) -> u64 {
        self.0
    }
}

impl FromStr for Amount {
    type Err = TransferRefused;

    /// Digits only: no sign, no space, no separator, no exponent.
    fn from_str(text: &str) -> Result<Self, TransferRefused> {
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(TransferRefused::NotAWholeNumber);
        }
        match text.parse() {
            Ok(0) => Err(TransferRefused::NotAWholeNumber),
            Ok(value) => Ok(Self(value)),
            // Digits that overflow are a number, and certainly more than anyone has.
            Err(_) => Ok(Self(u64::MAX)),
        }
    }
}

/// Why nothing moved. The text may be shown to the person who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransferRefused {
    /// Ask again with digits.
    #[error("the amount must be a whole number above zero")]
    NotAWholeNumber,
    /// Ask again with less.
    #[error("the amount exceeds the balance of {balance}")]
    ExceedsBalance {
        /// What is there.
        balance: u64,
    },
    /// Ask again with another recipient.
    #[error("there is no account of that name")]
    UnknownAccount,
    /// Ask again with another recipient.
    #[error("sender and recipient are the same account")]
    OwnAccount,
}

/// All balances, in memory: they start anew with the process.
#[derive(Debug)]
pub struct Bank {
    balances: Mutex<BTreeMap<String, u64>>,
}

impl Bank {
    /// Opens one account per name with [`OPENING_BALANCE`].
    pub fn open<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let balances = names.into_iter().map(|name| (name.to_owned(), OPENING_BALANCE)).collect();
        Self { balances: Mutex::new(balances) }
    }

    /// What the account holds; nothing if there is no such account.
    pub fn balance(&self, subject: &str) -> Option<u64> {
        self.balances.lock().get(subject).copied()
    }

    /// Moves `amount` and returns the sender's new balance; both sides change or neither does.
    ///
    /// # Errors
    /// [`TransferRefused`]; nothing moved then.
    pub fn transfer(&self, from: &str, to: &str, amount: Amount) -> Result<u64, TransferRefused> {
        if from == to {
            return Err(TransferRefused::OwnAccount);
        }
        let mut balances = self.balances.lock();
        let sent = *balances.get(from).ok_or(TransferRefused::UnknownAccount)?;
        let received = *balances.get(to).ok_or(TransferRefused::UnknownAccount)?;
        let left = sent.checked_sub(amount.0).ok_or(TransferRefused::ExceedsBalance { balance: sent })?;
        // Cannot overflow: the sum of all balances never changes, and the amount is part of it.
        let grown = received.saturating_add(amount.0);
        balances.insert(from.to_owned(), left);
        balances.insert(to.to_owned(), grown);
        Ok(left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bank() -> Bank {
        Bank::open(["ada", "grace"])
    }

    #[test]
    fn an_amount_is_digits_above_zero() {
        for text in ["", "0", "000", "-1", "+1", " 1", "1 ", "1.0", "1,0", "1e3", "0x10", "١", "NaN", "1\n"] {
            assert_eq!(text.parse::<Amount>(), Err(TransferRefused::NotAWholeNumber), "{text:?}");
        }
        for (text, value) in [("1", 1), ("007", 7), ("1000", 1000), ("99999999999999999999999", u64::MAX)] {
            assert_eq!(text.parse::<Amount>().unwrap().value(), value, "{text}");
        }
    }

    #[test]
    fn a_transfer_moves_what_it_takes() {
        let bank = bank();
        assert_eq!(bank.transfer("ada", "grace", Amount(300)), Ok(700));
        assert_eq!((bank.balance("ada"), bank.balance("grace")), (Some(700), Some(1300)));
    }

    #[test]
    fn a_refused_transfer_moves_nothing() {
        #[rustfmt::skip]
        let table = [
            ("more than there is", "ada",     "grace",   1001,     TransferRefused::ExceedsBalance { balance: 1000 }),
            ("far more",           "ada",     "grace",   u64::MAX, TransferRefused::ExceedsBalance { balance: 1000 }),
            ("to oneself",         "ada",     "ada",     1,        TransferRefused::OwnAccount),
            ("to nobody",          "ada",     "mallory", 1,        TransferRefused::UnknownAccount),
            ("from nobody",        "mallory", "ada",     1,        TransferRefused::UnknownAccount),
        ];
        for (name, from, to, amount, refusal) in table {
            let bank = bank();
            assert_eq!(bank.transfer(from, to, Amount(amount)), Err(refusal), "{name}");
            assert_eq!((bank.balance("ada"), bank.balance("grace")), (Some(1000), Some(1000)), "{name}");
        }
    }

    #[test]
    fn transfers_at_once_neither_make_nor_lose_money() {
        let bank = bank();
        std::thread::scope(|scope| {
            for (from, to) in [("ada", "grace"), ("grace", "ada"), ("ada", "grace"), ("grace", "ada")] {
                let bank = &bank;
                scope.spawn(move || (0..500).filter(|_| bank.transfer(from, to, Amount(7)).is_ok()).count());
            }
        });
        assert_eq!(bank.balance("ada").unwrap() + bank.balance("grace").unwrap(), 2 * OPENING_BALANCE);
    }
}
