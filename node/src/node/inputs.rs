//! The loop: takes what happens, in turns, and feeds it to the core.

use super::shell::Shell;
use crate::clock::now_ms;
use crate::core::{ChainState, Input};
use crate::gateway::Publication;
use crate::http::Snapshot;
use crate::net::links::{Incoming, LinkEvent};
use crate::peering::Peering;
use crate::store::{StoreError, Write};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// Inputs of one kind that are handled before the others get their turn.
const BURST: usize = 256;
const TICK: Duration = Duration::from_millis(50);
const SNAPSHOT: Duration = Duration::from_millis(250);
const PEERING: Duration = Duration::from_secs(1);
/// Epochs whose receipts are kept in the store: more than enough for every deadline.
const KEPT_EPOCHS: u64 = 8;

pub(super) struct Inputs {
    pub(super) links: mpsc::Receiver<LinkEvent>,
    pub(super) publications: mpsc::Receiver<Publication>,
    pub(super) _publications_in: mpsc::Sender<Publication>,
    pub(super) chain: watch::Receiver<Arc<ChainState>>,
    pub(super) snapshots: watch::Sender<Snapshot>,
    pub(super) peering: Peering,
}

impl Inputs {
    pub(super) async fn feed(mut self, mut shell: Shell, stop: CancellationToken) -> Result<(), StoreError> {
        let mut interest = shell.subscriptions.interest();
        interest.mark_changed();
        let timer = |period| {
            let mut timer = interval(period);
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
            timer
        };
        let (mut tick, mut snapshot, mut peering) = (timer(TICK), timer(SNAPSHOT), timer(PEERING));
        let mut pruned_for = None;
        let (mut events, mut publications) = (Vec::new(), Vec::new());
        loop {
            let linger =
                shell.broker.next_due_ms().map(|due| Duration::from_millis(due.saturating_sub(now_ms())));
            let lingered = async {
                match linger {
                    Some(wait) => tokio::time::sleep_until(Instant::now() + wait).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                count = self.links.recv_many(&mut events, BURST) => {
                    if count == 0 {
                        break;
                    }
                    for event in events.drain(..) {
                        shell.handle(input(event)).await?;
                    }
                }
                _ = self.publications.recv_many(&mut publications, BURST) => {
                    for publication in publications.drain(..) {
                        shell.publish(publication).await?;
                    }
                }
                () = lingered => shell.handle(Input::Tick).await?,
                _ = tick.tick() => shell.handle(Input::Tick).await?,
                Ok(()) = self.chain.changed() => {
                    let chain = self.chain.borrow_and_update().clone();
                    shell.handle(Input::Chain(chain)).await?;
                }
                Ok(()) = interest.changed() => {
                    let wanted = interest.borrow_and_update().clone();
                    shell.handle(Input::Interest(wanted)).await?;
                }
                _ = snapshot.tick() => {
                    self.snapshots.send_replace(shell.snapshot());
                    let epoch = shell.broker.chain().clock.epoch_at_ms(now_ms());
                    if epoch != pruned_for {
                        pruned_for = epoch;
                        let before = epoch.unwrap_or_default().saturating_sub(KEPT_EPOCHS);
                        shell.store.write(vec![Write::Prune { before }], None).await?;
                    }
                }
                _ = peering.tick() => {
                    let now = now_ms();
                    let serving = shell.broker.assigned(now).into_keys().collect();
                    self.peering.round(serving, shell.broker.missing(now)).await;
                }
            }
        }
        shell.finish().await;
        Ok(())
    }
}

fn input(event: LinkEvent) -> Input {
    match event {
        LinkEvent::Up(node) => Input::Up(node),
        LinkEvent::Down(node) => Input::Down(node),
        LinkEvent::Packet { from, packet } => match packet {
            Incoming::Frame(frame) => Input::Frame { from, frame },
            Incoming::Offer(offer) => Input::Offer { from, offer },
            Incoming::Attach(parts) => Input::Attach { from, parts },
            Incoming::Receipt(receipt) => Input::Receipt { from, receipt },
        },
    }
}
