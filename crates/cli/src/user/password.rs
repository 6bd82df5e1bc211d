//! Where a new password comes from: a prompt, standard input, or randomness.

use std::error::Error;
use std::io::{BufRead as _, IsTerminal as _, Read as _, stdin};

use clap::Args;
use counterfoil::SystemEntropy;
use counterfoil::accounts::{MAXIMUM_BYTES, Password};
use counterfoil_gateway::accounts::{AccountName, RULES, generated};
use zeroize::Zeroizing;

#[derive(Debug, Args)]
pub(crate) struct PasswordArguments {
    /// Take the password from the first line of standard input
    #[arg(long, conflicts_with = "generate")]
    password_stdin: bool,
    /// Make a password, and print it once
    #[arg(long)]
    generate: bool,
}

/// A password that may be used.
pub(crate) struct Chosen {
    pub(super) password: Password,
    /// To be printed, because nobody knows it yet.
    made: Option<Zeroizing<String>>,
}

impl PasswordArguments {
    /// A new password for `name`. Whoever is asked and gives one that will not do is told why, and asked again.
    pub(super) fn choose(&self, name: &AccountName) -> Result<Chosen, Box<dyn Error>> {
        if self.generate {
            let made = generated(&SystemEntropy)?;
            return Ok(Chosen { password: Password::new(&made), made: Some(made) });
        }
        if self.password_stdin {
            let password = Password::new(&first_line()?);
            RULES.check(&password, name.as_str(), None)?;
            return Ok(Chosen { password, made: None });
        }
        if !stdin().is_terminal() {
            return Err(NoPassword::NobodyToAsk.into());
        }
        ask(name)
    }
}

impl Chosen {
    pub(super) fn print(&self) {
        if let Some(made) = &self.made {
            println!("its password, shown this once: {}", made.as_str());
        }
    }
}

/// Until one will do: what is typed cannot be seen, so the first try is often wrong.
fn ask(name: &AccountName) -> Result<Chosen, Box<dyn Error>> {
    for _ in 0..TRIES {
        let typed = Zeroizing::new(rpassword::prompt_password(format!("New password for `{name}`: "))?);
        let password = Password::new(&typed);
        if let Err(refused) = RULES.check(&password, name.as_str(), None) {
            eprintln!("{refused}; a few words in a row are fine");
            continue;
        }
        let again = Zeroizing::new(rpassword::prompt_password("The same again: ")?);
        if again == typed {
            return Ok(Chosen { password, made: None });
        }
        eprintln!("the two differ");
    }
    Err(NoPassword::NoneChosen.into())
}

fn first_line() -> Result<Zeroizing<String>, Box<dyn Error>> {
    let mut line = Zeroizing::new(String::new());
    let longest = u64::try_from(MAXIMUM_BYTES).unwrap_or(u64::MAX) + 2;
    stdin().lock().take(longest).read_line(&mut line)?;
    let text = line.strip_suffix('\n').map_or(line.as_str(), |line| line.strip_suffix('\r').unwrap_or(line));
    match text {
        "" => Err(NoPassword::Empty.into()),
        _ if text.len() > MAXIMUM_BYTES => Err(NoPassword::TooLong.into()),
        _ => Ok(Zeroizing::new(text.to_owned())),
    }
}

/// Why there is no password.
#[derive(Debug, thiserror::Error)]
enum NoPassword {
    #[error("nobody can be asked here: say --password-stdin or --generate")]
    NobodyToAsk,
    #[error("no password was chosen; nothing was changed")]
    NoneChosen,
    #[error("standard input holds no password: its first line is empty")]
    Empty,
    #[error("standard input holds no password: its first line is longer than {MAXIMUM_BYTES} bytes")]
    TooLong,
}

const TRIES: usize = 5;
