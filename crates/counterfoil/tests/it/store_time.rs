//! What a site makes of its store's clock without being told.

use std::time::Duration;

use counterfoil::testing::Site;
use counterfoil::{
    Clock as _, Counterfoil, GeneratedKeys, MemoryStore, Moment, Policy, SessionError, SignInError, StoreError,
    Subject, SystemClock,
};
use counterfoil_core::testing::{Hook, Hooked, Jar, sign_in};

/// A store whose clock is ahead of this machine's by so many milliseconds.
struct Ahead(i64);

impl Ahead {
    fn now(&self) -> Moment {
        Moment::from_unix_millis(SystemClock.now().unix_millis().saturating_add_signed(self.0))
    }
}

impl Hook for Ahead {
    async fn time(
        &self,
        _: impl Future<Output = Result<Option<Moment>, StoreError>> + Send,
    ) -> Result<Option<Moment>, StoreError> {
        Ok(Some(self.now()))
    }
}

#[tokio::test]
async fn a_site_goes_by_its_stores_clock_unless_it_was_given_another() {
    #[rustfmt::skip]
    let rows = [
        // ahead by   given a clock  signs in  its time is off the store's by about
        (0,           false,         true,     0),
        (4_000,       false,         true,     0),
        (-4_000,      false,         true,     0),
        (30_000,      false,         false,    30_000),
        (-30_000,     false,         false,    30_000),
        (30_000,      true,          true,     30_000),
    ];
    for (ahead, given, signs_in, off) in rows {
        let store = Hooked::new(MemoryStore::new().into(), Ahead(ahead));
        let builder = Counterfoil::builder(Policy::aal2(Site::ORIGIN).unwrap(), &GeneratedKeys, store).unwrap();
        let builder = if given { builder.clock(SystemClock) } else { builder };
        let site = builder.events(()).build();
        let signed_in = sign_in(site.engine(), &mut Jar::default(), &Subject::new("ada").unwrap()).await;
        let unavailable =
            matches!(signed_in, Err(SignInError::Session(SessionError::Store(StoreError::Unavailable(_)))));
        assert_eq!((signed_in.is_ok(), unavailable), (signs_in, !signs_in), "{ahead} {given}: {signed_in:?}");
        let apart = site.engine().now().unix_millis().abs_diff(Ahead(ahead).now().unix_millis());
        assert!(Duration::from_millis(apart.abs_diff(off)) < Duration::from_secs(2), "{ahead} {given}: {apart} ms");
    }
}
