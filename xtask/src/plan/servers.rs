//! What is tried at real servers of others that nodes share.

use super::ignored;
use crate::invocation::Invocation;
use crate::packages::{POSTGRES, REDIS};
use crate::stage::{Stage, Step};

/// What takes a server of others that nodes share.
pub(crate) fn stores() -> Vec<Stage> {
    vec![at_real_servers().or_stop()]
}

/// What takes a server of others that nodes share.
pub(super) fn at_real_servers() -> Stage {
    let mut steps = Vec::from([REDIS, POSTGRES].map(Step::InstallPackage));
    steps.extend(places());
    steps.push(Step::Count(ignored(AT_REAL_SERVERS)));
    Stage::new("stores", steps)
}

/// A real database of places, which a package carries. Its folder of programs is that of the proxies.
fn places() -> [Step; 3] {
    let fetch = "download --quiet --disable-pip-version-check --no-deps --dest target/places";
    let fetch = Invocation::program("target/proxies/bin/pip", fetch).arguments([PLACES.to_owned()]);
    let unpack = "-xzf target/places/maxminddb-geolite2-2018.703.tar.gz -C target/places --strip-components=2 --wildcards *.mmdb";
    [Step::InstallWheels, Step::Run(fetch), Step::Run(Invocation::program("tar", unpack))]
}

/// All but those of the embedded store, which run in processes that its own tests start.
const AT_REAL_SERVERS: &str = "package(counterfoil-servers)|(package(counterfoil-stores)&!test(embedded::))|package(counterfoil-demo)\
     |(package(counterfoil)&(test(clocks::)|test(real::)))|(package(counterfoil-cli)&test(at_a_server::))";
/// The last that was published under a free licence.
const PLACES: &str = "maxminddb-geolite2==2018.703";
