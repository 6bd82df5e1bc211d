//! What the store pushes to one node: in order, late, cut, taken up again with losses or without.

use std::sync::Arc;
use std::task::Poll;

use counterfoil_core::store::{Notice, Notices, Store as _, Watch};
use counterfoil_core::{Clock as _, Moment};
use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::{FutureExt as _, StreamExt as _};
use parking_lot::Mutex;

use super::Mutant;
use super::truth::Truth;
use super::weather::Weather;
use super::world::{NodeClock, SECOND, World};

/// One node's stream. Clones are the same.
#[derive(Clone)]
pub(super) struct Stream(Arc<Inner>);

struct Inner {
    world: World,
    weather: Weather,
    wire: Mutex<Wire>,
    arrives: UnboundedSender<Push>,
}

#[derive(Default)]
struct Wire {
    /// While it is cut: whether what is told meanwhile will be missing.
    cut: Option<Lossy>,
    held: Vec<Push>,
    /// When the last message arrives: none overtakes it.
    last: u64,
}

/// Whether a cut loses what is told meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lossy {
    /// It does, and the node is told that something is missing.
    Yes,
    /// The server kept it, and sends it afterwards.
    No,
}

#[derive(Clone, Copy)]
enum Push {
    Notice(Notice),
    /// The answer to what the node asked at this moment by its clock: everything until then has been sent.
    Mark(Moment),
    Broken,
}

impl Stream {
    /// Begins to tell `node` what happens in `truth`'s store.
    pub(super) fn begin(
        (world, truth, weather): (&World, &Truth, Weather),
        node: usize,
        clock: &NodeClock,
        notices: &Arc<Notices>,
        mutant: Option<Mutant>,
    ) -> Self {
        let (arrives, inbox) = unbounded();
        let (marks, marked) = unbounded();
        let wire = Mutex::default();
        let stream = Self(Arc::new(Inner { world: world.clone(), weather, wire, arrives }));
        world.spawn(None, stream.clone().push(truth.store().watch(), marked));
        world.spawn(Some(node), stream.clone().ask(marks, clock.clone()));
        world.spawn(Some(node), read(inbox, Arc::clone(notices), mutant));
        if mutant == Some(Mutant::BoundIgnored) {
            let (world, clock, notices) = (world.clone(), clock.clone(), Arc::clone(notices));
            let claims = world.clone();
            world.spawn(Some(node), async move {
                loop {
                    notices.tell(Notice::UpTo(clock.now()));
                    claims.sleep(SECOND / 4).await;
                }
            });
        }
        stream
    }

    /// Nothing gets through from now on.
    pub(super) fn cut(&self, lossy: Lossy) {
        self.0.wire.lock().cut = Some(lossy);
    }

    /// It gets through again.
    pub(super) fn mend(&self) {
        let mut wire = self.0.wire.lock();
        let (cut, held) = (wire.cut.take(), std::mem::take(&mut wire.held));
        let sent = if cut == Some(Lossy::Yes) { vec![Push::Broken] } else { held };
        for push in sent {
            self.send(&mut wire, push);
        }
    }

    /// The server's side: what happens is sent in its order; a node's question is answered after all of it.
    async fn push(self, mut told: Watch, mut marked: UnboundedReceiver<Moment>) {
        loop {
            let notice = std::future::poll_fn(|context| {
                if let Poll::Ready(Some(notice)) = told.poll_next_unpin(context) {
                    return Poll::Ready(Push::Notice(notice));
                }
                match marked.poll_next_unpin(context) {
                    Poll::Ready(Some(moment)) => Poll::Ready(Push::Mark(moment)),
                    _ => Poll::Pending,
                }
            });
            let push = notice.await;
            let mut wire = self.0.wire.lock();
            match (wire.cut, push) {
                (None, _) => self.send(&mut wire, push),
                (Some(_), Push::Mark(_)) => {}
                (Some(_), _) => wire.held.push(push),
            }
        }
    }

    fn send(&self, wire: &mut Wire, push: Push) {
        let world = &self.0.world;
        wire.last = (world.now() + self.0.weather.delay(world)).max(wire.last + 1);
        let arrival = world.sleep(wire.last - world.now());
        let arrives = self.0.arrives.clone();
        world.spawn(None, arrival.map(move |()| drop(arrives.unbounded_send(push))));
    }

    /// The node's side: asks every second up to when it was told everything, and notes its clock before.
    async fn ask(self, marks: UnboundedSender<Moment>, clock: NodeClock) {
        loop {
            let (asked, marks, stream) = (clock.now(), marks.clone(), self.clone());
            let there = self.0.world.sleep(self.0.weather.delay(&self.0.world));
            self.0.world.spawn(None, async move {
                there.await;
                if stream.0.wire.lock().cut.is_none() {
                    let _ = marks.unbounded_send(asked);
                }
            });
            self.0.world.sleep(SECOND).await;
        }
    }
}

/// The node's side: what has arrived is told in its order.
async fn read(mut inbox: UnboundedReceiver<Push>, notices: Arc<Notices>, mutant: Option<Mutant>) {
    while let Some(push) = inbox.next().await {
        match push {
            Push::Notice(notice) => notices.tell(notice),
            Push::Mark(moment) => notices.tell(Notice::UpTo(moment)),
            Push::Broken if mutant == Some(Mutant::GapIgnored) => {}
            Push::Broken => notices.tell(Notice::Gap),
        }
    }
}
