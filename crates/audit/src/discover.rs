//! Proposes a profile from the address of a sign-in page and somebody's credentials.
//!
//! Signs in, looks at what a member sees that a stranger does not, and signs out again. No other form is ever sent.

mod forms;
mod marker;
#[cfg(test)]
mod tests;
mod words;
mod write;

use std::collections::BTreeMap;

use url::Url;

use self::forms::{SignInForm, SignOut};
use self::marker::Sign;
use crate::exchange::Exchange;
use crate::html::Page;
use crate::profile::{Account, Profile, ProfileError, Step};
use crate::site::Site;
use crate::visitor::{From, Trouble, Values, Visitor};
use crate::wire::Wire;

/// A profile that somebody should read before it is used.
#[derive(Debug)]
#[non_exhaustive]
pub struct Proposal {
    /// The profile as a file with comments, without the password.
    pub text: String,
    /// The same, read, with the password.
    pub profile: Profile,
}

/// Why no profile can be proposed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DiscoverError {
    /// Not an address of a site.
    #[error(transparent)]
    Address(#[from] ProfileError),
    /// No answer, or none that helps.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// Nothing to fill in.
    #[error(
        "{page} (status {status}) has no form with a password field{}; write [sign_in] by hand, with `request` and `form` or `json`",
        if *.scripts { ": a script makes it" } else { "" }
    )]
    NoForm {
        /// Which page.
        page: String,
        /// What it answered.
        status: u16,
        /// Whether the page has scripts, which are not run.
        scripts: bool,
    },
    /// Signed in or not, every page looks the same.
    #[error(
        "the credentials went to {target}, which answered {status}; afterwards {} shown nothing that strangers are not shown. \
         Are they right, and is one factor enough?", was(.pages)
    )]
    NotIn {
        /// Where they were sent.
        target: String,
        /// What it answered.
        status: u16,
        /// The pages that were compared.
        pages: Vec<String>,
    },
}

/// What was found out.
struct Found {
    sign_in: SignIn,
    user: String,
    marker: Marked,
    sign_out: Option<(SignOut, bool)>,
    changes: Vec<forms::Changing>,
    password: Option<forms::Changing>,
    sessions: Option<String>,
}

/// How to sign in.
struct SignIn {
    page: String,
    form: SignInForm,
}

/// The page that tells, and by which words.
struct Marked {
    page: Exchange,
    sign: Sign,
    stranger: u16,
}

/// Signs `account` in on `page`, and proposes a profile from what is seen then.
///
/// # Errors
///
/// [`DiscoverError`] says what is missing, or what to write by hand.
pub async fn discover(wire: Wire, page: &Url, account: &Account) -> Result<Proposal, DiscoverError> {
    let origin = page.origin().ascii_serialization();
    let mut draft: Profile = write::draft(&origin, &account.user).parse()?;
    draft.account = account.clone();
    let site = Site::new(draft, wire);
    let found = look(&site, page).await?;
    let text = write::profile(&origin, &found);
    let mut profile: Profile = text.parse()?;
    profile.account = account.clone();
    Ok(Proposal { text, profile })
}

async fn look(site: &Site, page: &Url) -> Result<Found, DiscoverError> {
    let account = &site.profile.account;
    let sign_in = sign_in_form(site, page).await?;
    let mut member = site.visitor();
    let ready = member.prepare(&sign_in.step(), &Values::of(account)).await?;
    let answered = member.send(&ready, From::Own).await?;
    let status = answered.answer.status;
    let landed = member.follow(answered).await?;
    let mut pages = vec![path(&landed), "/".to_owned()];
    pages.extend(forms::account_pages(&read(&landed), &landed.sent.url));
    pages.dedup();
    let Some(marker) = marker_on(site, &member, &pages).await? else {
        return Err(DiscoverError::NotIn { target: ready.url.path().to_owned(), status, pages });
    };
    let (html, url) = (read(&marker.page), marker.page.sent.url.clone());
    let password = password_page(&mut member, &html, &url).await?;
    let sign_out = sign_out(&mut member, &marker, &html, &account.user).await?;
    Ok(Found {
        sign_in,
        user: account.user.clone(),
        sign_out,
        changes: forms::changing(&html, &url),
        password,
        sessions: forms::sessions_page(&html, &url),
        marker,
    })
}

/// On the page itself, or where its link to the sign-in leads.
async fn sign_in_form(site: &Site, page: &Url) -> Result<SignIn, DiscoverError> {
    let mut visitor = site.visitor();
    let first = get(&mut visitor, &path_and_query(page)).await?;
    let html = read(&first);
    if let Some(form) = forms::sign_in(&html) {
        return Ok(SignIn { page: path(&first), form });
    }
    if let Some(next) = forms::sign_in_page(&html, &first.sent.url) {
        let second = get(&mut visitor, &next).await?;
        if let Some(form) = forms::sign_in(&read(&second)) {
            return Ok(SignIn { page: path(&second), form });
        }
    }
    let scripts = html.links.iter().any(|link| link.element == "script") || first.answer.text().contains("<script");
    Err(DiscoverError::NoForm { page: path(&first), status: first.answer.status, scripts })
}

/// The first of the pages that tells by the user's name; otherwise the one that tells best.
async fn marker_on(site: &Site, member: &Visitor<'_>, pages: &[String]) -> Result<Option<Marked>, DiscoverError> {
    let mut best: Option<Marked> = None;
    for asked in pages {
        let mut copy = member.clone();
        let Ok(page) = get(&mut copy, asked).await else { continue };
        if page.answer.status != 200 || forms::sign_in(&read(&page)).is_some_and(|form| form.user.is_some()) {
            continue;
        }
        let at = path(&page);
        // As the audit will ask: once more, and as a stranger who is not led elsewhere.
        let again = copy.get(&at, From::Address).await?;
        let stranger = site.visitor().get(&at, From::Address).await?;
        let shown = if stranger.answer.status < 300 { stranger.answer.text() } else { String::new() };
        let user = &site.profile.account.user;
        let sign = marker::find(&page.answer.text(), &again.answer.text(), &shown, user);
        if let Some(sign) = sign
            && best.as_ref().is_none_or(|best| sign.rank < best.sign.rank)
        {
            best = Some(Marked { page, sign, stranger: stranger.answer.status });
        }
        if best.as_ref().is_some_and(|best| best.sign.names_user()) {
            break;
        }
    }
    Ok(best)
}

/// Tries what reads like a way out, and says whether it was one.
async fn sign_out(
    member: &mut Visitor<'_>,
    marker: &Marked,
    html: &Page,
    user: &str,
) -> Result<Option<(SignOut, bool)>, DiscoverError> {
    let Some(way) = forms::sign_out(html, &marker.page.sent.url) else { return Ok(None) };
    let Ok(answer) = member.step(&way.step(), &Values::default(), From::Own).await else {
        return Ok(Some((way, false)));
    };
    if !still_in(member, marker, user).await? {
        return Ok(Some((way, true)));
    }
    // Some ask first whether one is sure.
    let Ok(asked) = member.follow(answer).await else { return Ok(Some((way, false))) };
    if let Some(sure) = forms::sign_out(&read(&asked), &asked.sent.url).filter(|sure| sure.is_form() && *sure != way)
        && member.step(&sure.step(), &Values::default(), From::Own).await.is_ok()
        && !still_in(member, marker, user).await?
    {
        return Ok(Some((sure, true)));
    }
    Ok(Some((way, false)))
}

async fn still_in(member: &Visitor<'_>, marker: &Marked, user: &str) -> Result<bool, DiscoverError> {
    let page = member.clone().get(&path(&marker.page), From::Address).await?;
    let words = marker.sign.words.replace("{user}", user);
    Ok(page.answer.status < 300 && page.answer.text().contains(&words))
}

/// The form that changes the password: on the page, or where a link says so.
async fn password_page(member: &mut Visitor<'_>, html: &Page, url: &Url) -> Result<Option<forms::Changing>, Trouble> {
    if let Some(form) = forms::password_change(html, url) {
        return Ok(Some(form));
    }
    for to in forms::password_pages(html, url) {
        if let Ok(page) = get(&mut member.clone(), &to).await
            && let Some(form) = forms::password_change(&read(&page), &page.sent.url)
        {
            return Ok(Some(form));
        }
    }
    Ok(None)
}

async fn get(visitor: &mut Visitor<'_>, path: &str) -> Result<Exchange, Trouble> {
    let page = visitor.get(path, From::Address).await?;
    visitor.follow(page).await
}

fn read(page: &Exchange) -> Page {
    Page::read(&page.answer.text())
}

fn path(page: &Exchange) -> String {
    path_and_query(&page.sent.url)
}

fn path_and_query(url: &Url) -> String {
    url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()))
}

/// For the sentence of an error.
fn was(pages: &[String]) -> String {
    format!("{} {}", pages.join(" and "), if pages.len() == 1 { "has" } else { "have" })
}

impl SignIn {
    fn step(&self) -> Step {
        let form: BTreeMap<_, _> =
            self.form.filled().into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Step { page: Some(self.page.clone()), form, ..Step::default() }
    }
}
