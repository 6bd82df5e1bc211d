//! `counterfoil user`: its arguments, and what it says.

mod password;

use std::error::Error;

use clap::{Args, Subcommand};
use counterfoil::accounts::{Cost, Hasher};
use counterfoil::{Clock as _, Moment, Rfc3339, SystemClock};
use counterfoil_gateway::accounts::{AccountChange, AccountName, BadAccountName, Book, Folder, Refused};
use counterfoil_gateway::config::ConfigError;

use self::password::PasswordArguments;
use crate::folder::Data;

#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account
    ///
    /// Its name is the subject that apps see. People add a second factor themselves, at /.session/totp.
    Add {
        #[command(flatten)]
        account: Account,
        #[command(flatten)]
        password: PasswordArguments,
    },
    /// Give an account another password
    ///
    /// Every session of it ends: within seconds where a gateway runs, and else before one answers again.
    Passwd {
        #[command(flatten)]
        account: Account,
        #[command(flatten)]
        password: PasswordArguments,
    },
    /// Let nobody sign in with an account any more
    ///
    /// Every session of it ends, as with `passwd`. At the sign-in page it looks like a wrong password.
    Disable {
        #[command(flatten)]
        account: Account,
    },
    /// Let people sign in with a disabled account again
    ///
    /// With the password and second factor it had.
    Enable {
        #[command(flatten)]
        account: Account,
    },
    /// Show which accounts there are
    List {
        #[command(flatten)]
        data: Data,
    },
    /// Look after second factors
    #[command(subcommand, arg_required_else_help = true)]
    Totp(TotpCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum TotpCommand {
    /// Take the second factor of an account away, for somebody who lost it
    ///
    /// Be sure that it is its owner who asks. Every session of it ends, as with `passwd`; its owner may set up another.
    Remove {
        #[command(flatten)]
        account: Account,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Account {
    /// The name: 1 to 64 of a to z, 0 to 9 and . _ - + @, a letter or digit first
    name: Name,
    #[command(flatten)]
    data: Data,
}

/// A name, checked.
#[derive(Debug, Clone)]
pub(crate) struct Name(AccountName);

impl std::str::FromStr for Name {
    type Err = BadAccountName;

    fn from_str(text: &str) -> Result<Self, BadAccountName> {
        text.parse().map(Self)
    }
}

/// Does what was asked.
pub(crate) fn run(command: UserCommand) -> Result<(), Box<dyn Error>> {
    let now = SystemClock.now();
    match command {
        UserCommand::Add { account, password } => add(&account, &password, now),
        UserCommand::Passwd { account, password } => passwd(&account, &password, now),
        UserCommand::Disable { account } => {
            account.change(Some(AccountChange::AccountDisabled), |book, name| book.disable(name, now))?;
            println!("`{}` is disabled; {ENDED}", account.name.0);
            Ok(())
        }
        UserCommand::Enable { account } => {
            account.change(None, Book::enable)?;
            println!("`{}` may sign in again", account.name.0);
            Ok(())
        }
        UserCommand::List { data } => list(&data),
        UserCommand::Totp(TotpCommand::Remove { account }) => {
            account.change(Some(AccountChange::MfaChanged), Book::remove_totp)?;
            println!("the second factor of `{}` is removed; {ENDED}", account.name.0);
            Ok(())
        }
    }
}

/// Before anybody is asked for a password that could not be kept.
fn add(account: &Account, password: &PasswordArguments, now: Moment) -> Result<(), Box<dyn Error>> {
    let (name, folder) = (&account.name.0, folder(&account.data)?);
    if folder.make()? {
        // What somebody typed may be a typing error.
        eprintln!("{}: made, for `counterfoil serve` to use", folder.path().display());
    }
    if folder.read()?.get(name).is_some() {
        return Err(Refused::Exists(name.clone()).into());
    }
    let chosen = password.choose(name)?;
    let hash = Hasher::new(Cost::Owasp)?.hash_now(&chosen.password)?;
    account.change(None, |book, name| book.add(name.clone(), hash, now))?;
    println!("`{name}` may sign in from now on");
    chosen.print();
    Ok(())
}

fn passwd(account: &Account, password: &PasswordArguments, now: Moment) -> Result<(), Box<dyn Error>> {
    let name = &account.name.0;
    let book = folder(&account.data)?.read()?;
    let known = book.get(name).ok_or_else(|| Refused::Missing(name.clone()))?;
    let chosen = password.choose(name)?;
    let hash = Hasher::new(Cost::Owasp)?.hash_now(&chosen.password)?;
    account.change(Some(AccountChange::PasswordReset), |book, name| book.set_password(name, hash, now))?;
    println!("`{name}` has another password; {ENDED}");
    if known.disabled.is_some() {
        println!("it is still disabled: `counterfoil user enable {name}`");
    }
    chosen.print();
    Ok(())
}

fn list(data: &Data) -> Result<(), Box<dyn Error>> {
    let folder = folder(data)?;
    let book = folder.read()?;
    if book.is_empty() {
        println!("there is no account in {} yet: make one with `counterfoil user add NAME`", folder.path().display());
        return Ok(());
    }
    let widest = book.iter().map(|(name, _)| name.as_str().len()).max().unwrap_or_default().max("name".len()) + 2;
    println!("{:<widest$}{:<22}{:<22}{:<14}state", "name", "created", "password set", "second factor");
    for (name, account) in book.iter() {
        let state =
            account.disabled.map_or("may sign in".to_owned(), |since| format!("disabled since {}", Rfc3339(since)));
        let factor = if account.totp.is_some() { "yes" } else { "no" };
        println!("{name:<widest$}{:<22}{:<22}{factor:<14}{state}", Rfc3339(account.created), Rfc3339(account.changed));
    }
    Ok(())
}

impl Account {
    fn change(
        &self,
        told: Option<AccountChange>,
        change: impl FnOnce(&mut Book, &AccountName) -> Result<(), Refused>,
    ) -> Result<(), Box<dyn Error>> {
        let (name, folder) = (&self.name.0, folder(&self.data)?);
        Ok(folder.change(told.map(|told| (name, told)), |book| change(book, name))?)
    }
}

fn folder(data: &Data) -> Result<Folder, ConfigError> {
    Ok(Folder::at(data.path()?))
}

const ENDED: &str = "every session of it ends, within seconds where a gateway runs";

pub(crate) const EXAMPLES: &str = "\
Examples:
  counterfoil user add ada                         asks for a password, twice
  counterfoil user add ada --generate              makes one, and prints it once
  counterfoil user passwd ada --password-stdin < file
                                                   takes the first line, for scripts
  counterfoil user disable ada                     out at once, everywhere
  counterfoil user totp remove ada                 for somebody who lost their telephone
  counterfoil user list --config counterfoil.toml  who there is, in the folder of that configuration
  counterfoil user list --data /var/lib/counterfoil

A password is never an argument: everybody on this machine could read it there.

Exit status: 0 if it was done, 1 if not, 2 for arguments that must be changed.";
