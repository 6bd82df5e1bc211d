//! The task that keeps the connections: it finds the master, tells it what it may have forgotten, and hears what others do.
//!
//! A new connection always counts as a gap, and is used only once everything that ended of late was told again: another
//! server may answer, which never had it.

use std::sync::Arc;
use std::time::Duration;

use counterfoil_core::seal::Sealer;
use counterfoil_core::store::{Epoch, Notice, Notices};
use counterfoil_core::{Clock, Moment};
use redis::{ErrorKind, PushInfo, PushKind, RedisError, RedisResult, Value};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until, timeout};

use super::address::Address;
use super::beat::Beat;
use super::checks::{Claim, Role};
use super::dial::Dialled;
use super::fact::{Fact, Told, What};
use super::journal::Journal;
use super::line::Line;
use super::link::{Lines, SharedLink};
use super::scripts::Scripts;
use super::{Settings, checks};

/// What it takes to keep a store connected.
pub(super) struct Keeper<C> {
    pub(super) address: Address,
    pub(super) settings: Settings,
    pub(super) sealer: Sealer,
    pub(super) scripts: Arc<Scripts>,
    pub(super) link: SharedLink,
    pub(super) journal: Arc<Journal>,
    pub(super) notices: Arc<Notices>,
    pub(super) clock: Arc<C>,
}

/// A connection on which it listens.
pub(super) struct Listening {
    pushes: UnboundedReceiver<PushInfo>,
    plain: Line,
    sure: Line,
    /// What a beat found out that was not heard yet.
    awaited: Option<Awaited>,
    /// The global epoch that rose last.
    all: Option<Epoch>,
}

/// By when what a server knew at `asked` must have been heard.
struct Awaited {
    asked: Moment,
    counts: Vec<(u8, u64)>,
    /// Whether every tag was asked for.
    whole: bool,
    until: Instant,
}

impl<C: Clock> Keeper<C> {
    /// Takes up a connection: tells what it may have forgotten, and begins to listen at this moment.
    pub(super) async fn listen(&self, dialled: Dialled) -> RedisResult<Listening> {
        let Dialled { mut plain, mut sure, mut pushes } = dialled;
        let Claim::Ours(format) = checks::claim(&mut plain, &self.settings.prefix, &self.sealer).await? else {
            return Err(broken("what lies there was made by somebody else meanwhile, or raised by a newer version"));
        };
        self.sealer.change_format(format);
        let role = checks::role(&mut plain).await?;
        if !role.master {
            return Err(broken("it is a replica"));
        }
        self.link.set_replicas(role.replicas);
        self.replay(&mut sure, None).await?;
        plain.subscribe(&self.channel()).await?;
        let beat = Beat::take(&self.settings.prefix, &plain, self.address.is_cluster()).await;
        for (tag, count) in beat.counts {
            let count = count?;
            self.link.heard.set(tag, count);
            self.link.known.set(tag, count);
        }
        // What was told before the beat is in it.
        while pushes.try_recv().is_ok() {}
        self.notices.tell(Notice::Gap);
        self.link.up(Lines { plain: plain.clone(), sure: sure.clone() });
        Ok(Listening { pushes, plain, sure, awaited: None, all: None })
    }

    /// Listens for ever.
    pub(super) async fn run(self, mut listening: Listening) {
        loop {
            let Err(error) = self.hear_all(&mut listening).await;
            self.link.down();
            tracing::warn!(%error, at = %self.address.place, "the connection to Redis broke off; nothing is decided from memory until it is back");
            listening = self.again().await;
        }
    }

    /// Connects once more, for as long as it takes.
    async fn again(&self) -> Listening {
        let mut pause = FIRST_PAUSE;
        loop {
            let begun = Instant::now();
            match self.connected().await {
                Ok(listening) => {
                    tracing::info!(at = %self.address.place, took = ?begun.elapsed(), "connected to Redis again");
                    return listening;
                }
                Err(error) => tracing::debug!(%error, at = %self.address.place, "Redis cannot be reached"),
            }
            sleep(pause).await;
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    async fn connected(&self) -> RedisResult<Listening> {
        self.listen(self.address.dial(&self.settings).await?).await
    }

    /// Listens until the connection breaks off.
    async fn hear_all(&self, listening: &mut Listening) -> Result<std::convert::Infallible, RedisError> {
        let mut ticks = interval(BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut beats = JoinSet::new();
        loop {
            let until = listening.awaited.as_ref().map(|awaited| awaited.until);
            tokio::select! {
                push = listening.pushes.recv() => {
                    let push = push.ok_or_else(|| broken("its connection was closed"))?;
                    self.hear(listening, push).await?;
                }
                Some(beat) = beats.join_next(), if !beats.is_empty() => {
                    self.weigh(listening, beat.map_err(|_| broken("asking it broke off"))?).await?;
                }
                () = sleep_until(until.unwrap_or_else(Instant::now)), if until.is_some() => self.miss(listening).await?,
                _ = ticks.tick(), if beats.is_empty() && until.is_none() => self.begin_beat(listening, &mut beats),
                () = self.link.doubted(), if beats.is_empty() && until.is_none() => self.begin_beat(listening, &mut beats),
                () = self.link.broken(), if !self.address.is_cluster() => return Err(broken("a verb found it broken")),
            }
            self.say_up_to(listening);
        }
    }

    /// Asks what the servers know and are.
    fn begin_beat(&self, listening: &Listening, beats: &mut JoinSet<Asked>) {
        let prefix = self.settings.prefix.clone();
        let (mut line, cluster) = (listening.plain.clone(), self.address.is_cluster());
        let (at, known, sealer) = (self.clock.now(), self.link.known.all(), self.sealer.clone());
        beats.spawn(async move {
            let role = checks::role(&mut line).await;
            let mut beside = line.clone();
            // A cluster may lack the one server that has it: nobody waits for that.
            let claim = timeout(BEAT / 2, checks::look(&mut beside, &prefix, &sealer));
            let (claim, beat) = tokio::join!(claim, Beat::take(&prefix, &line, cluster));
            Asked { at, known, role, claim: claim.ok().and_then(Result::ok).flatten(), beat }
        });
    }

    /// What comes of an answer: whoever knows less than it must is told again.
    async fn weigh(&self, listening: &mut Listening, asked: Asked) -> RedisResult<()> {
        match asked.role {
            Ok(role) if role.master => self.link.set_replicas(role.replicas),
            Ok(_) if !self.address.is_cluster() => return Err(broken("it is a replica now")),
            Err(error) if !self.address.is_cluster() => return Err(error),
            // Some server is gone, or being replaced: its tags say so.
            _ => {}
        }
        // Whatever else may stand there is for a new connection to refuse; what this one reads and writes is right.
        if let Some(Claim::Ours(format)) = asked.claim
            && self.sealer.change_format(format)
        {
            tracing::info!(?format, at = %self.address.place, "session records are written in another format from now on");
        }
        let (mut counts, mut whole) = (Vec::new(), true);
        for (tag, count) in asked.beat.counts {
            match count {
                Ok(count) if count < asked.known.get(usize::from(tag)).copied().unwrap_or_default() => {
                    self.lost(listening, tag, count).await?;
                }
                Ok(count) if count > self.link.heard.get(tag) => counts.push((tag, count)),
                Ok(_) => {}
                Err(error) if !self.address.is_cluster() => return Err(error),
                // The others are heard all the same; memory is silent meanwhile.
                Err(_) => whole = false,
            }
        }
        listening.awaited = Some(Awaited { asked: asked.at, counts, whole, until: Instant::now() + LATE });
        if !whole && let Err(error) = self.renew(listening).await {
            tracing::debug!(%error, at = %self.address.place, "the servers of the cluster cannot be asked anew who has what");
        }
        Ok(())
    }

    /// Asks a cluster anew who has what: a server does not answer, and another one may have taken over. What was told
    /// meanwhile the next beat finds.
    async fn renew(&self, listening: &mut Listening) -> RedisResult<()> {
        let Dialled { mut plain, sure, pushes } = self.address.dial(&self.settings).await?;
        plain.subscribe(&self.channel()).await?;
        self.link.up(Lines { plain: plain.clone(), sure: sure.clone() });
        (listening.pushes, listening.plain, listening.sure) = (pushes, plain, sure);
        Ok(())
    }

    /// Where nodes tell each other.
    fn channel(&self) -> String {
        format!("{}rev", self.settings.prefix)
    }

    /// Takes in what was told.
    async fn hear(&self, listening: &mut Listening, push: PushInfo) -> RedisResult<()> {
        match push.kind {
            PushKind::Message => {}
            PushKind::Disconnection if self.address.is_cluster() => {
                self.link.doubt();
                return Ok(());
            }
            PushKind::Disconnection => return Err(broken("its connection was closed")),
            _ => return Ok(()),
        }
        let Some(Value::BulkString(bytes)) = push.data.get(1) else { return Ok(()) };
        let Some(told) = Told::read(bytes) else { return Ok(()) };
        let (heard, known) = (self.link.heard.get(told.tag), self.link.known.get(told.tag));
        if let What::Ended(fact) = told.what {
            self.journal.hear(fact, self.clock.now());
        }
        // Nothing is missing in between; nor did it pass by what this node was told by the server itself.
        if told.last == heard && !(heard < known && known < told.number) {
            self.link.heard.set(told.tag, told.number);
            self.link.known.raise(told.tag, told.number);
            if !self.is_said(listening, &told.what) {
                self.notices.tell(told.what.notice());
            }
            return Ok(());
        }
        self.lost(listening, told.tag, told.number).await
    }

    /// Whether it was said with another tag: one server raises the global epoch in all of them at once.
    fn is_said(&self, listening: &mut Listening, what: &What) -> bool {
        let What::Ended(Fact::Tag(_, epoch, _)) = what else { return false };
        let before = listening.all.replace(*epoch);
        !self.address.is_cluster() && before == Some(*epoch)
    }

    /// Something of this tag was told and not heard, or was forgotten.
    async fn lost(&self, listening: &mut Listening, tag: u8, count: u64) -> RedisResult<()> {
        self.notices.tell(Notice::Gap);
        // Until it was told again, nobody believes the server about it.
        self.link.known.set(tag, u64::MAX);
        self.link.heard.set(tag, count);
        match self.replay(&mut listening.sure, Some(tag)).await {
            Ok(()) => self.link.known.set(tag, count),
            // The next beat finds it lacking again.
            Err(_) if self.address.is_cluster() => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What was known to be told has not come: it will not.
    async fn miss(&self, listening: &mut Listening) -> RedisResult<()> {
        let Some(awaited) = listening.awaited.take() else { return Ok(()) };
        for (tag, count) in &awaited.counts {
            if self.link.heard.get(*tag) < *count {
                self.lost(listening, *tag, *count).await?;
            }
        }
        listening.awaited = Some(awaited);
        Ok(())
    }

    /// Says up to when everything was heard, once it was.
    fn say_up_to(&self, listening: &mut Listening) {
        let heard = |(tag, count): &(u8, u64)| self.link.heard.get(*tag) >= *count;
        if let Some(awaited) = listening.awaited.take_if(|awaited| awaited.counts.iter().all(heard))
            && awaited.whole
        {
            self.notices.tell(Notice::UpTo(awaited.asked));
        }
    }

    /// Tells again what ended of late: of one tag, or of all.
    async fn replay(&self, line: &mut Line, tag: Option<u8>) -> RedisResult<()> {
        let now = self.clock.now();
        let mut facts = self.journal.facts(tag, now);
        if self.address.is_cluster() {
            facts.sort_by_key(Fact::tag);
        }
        let apart = |one: &Fact, other: &Fact| !self.address.is_cluster() || one.tag() == other.tag();
        for alike in facts.chunk_by(apart).flat_map(|alike| alike.chunks(AT_ONCE)) {
            let first = alike.first().map_or(0, Fact::tag);
            let call = self.scripts.replay.with(&self.settings.prefix, &[first], now);
            let mut call = call.number(super::EPOCHS_KEPT_MILLIS);
            for fact in alike {
                call = fact.arguments().iter().fold(call, |call, argument| call.bytes(argument));
            }
            call.run(line).await?;
        }
        Ok(())
    }
}

/// What a server was asked, and said.
struct Asked {
    at: Moment,
    /// What it had to know when it was asked.
    known: Vec<u64>,
    role: RedisResult<Role>,
    /// How sessions are written there, if that was said.
    claim: Option<Claim>,
    beat: Beat,
}

fn broken(why: &'static str) -> RedisError {
    (ErrorKind::Io, why).into()
}

/// How often it is asked whether everything was heard.
const BEAT: Duration = Duration::from_secs(1);
/// How long what a server says it told may be on its way.
const LATE: Duration = Duration::from_millis(250);
/// How many facts one command tells again.
const AT_ONCE: usize = 500;
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
