//! The chain view of a running indexer: a fold over the followed events, shared by everything that asks.

use super::{Chain, Head, OperatorFacts, Posted, SponsorshipFacts, StreamFacts};
use alloy::primitives::U256;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use tatum_contracts::deployment::Deployment;
use tatum_contracts::event::{ChainEvent, Event, SponsorshipCreated};
use tatum_contracts::view::{ChainView, Pool};
use tatum_protocol::eip712::Domain;
use tatum_protocol::epoch::EpochClock;
use tatum_protocol::plan::{EpochPlan, Shares};

/// Plans kept: those of the epochs that evidence comes in for, with room for catching up.
const KEPT_PLANS: usize = 64;

#[derive(Debug)]
pub struct FollowedChain {
    domain: Domain,
    clock: EpochClock,
    shares: Shares,
    lapse_epochs: u64,
    state: RwLock<State>,
}

#[derive(Debug)]
struct State {
    view: ChainView,
    head: Option<Head>,
    /// Every stream that was ever created; the view knows which are deleted.
    streams: BTreeSet<String>,
    /// By epoch and whether its attesters were known.
    plans: BTreeMap<(u64, bool), Arc<EpochPlan>>,
}

impl State {
    fn new(clock: EpochClock, lapse_epochs: u64) -> Self {
        let view = ChainView::new(clock, lapse_epochs);
        Self { view, head: None, streams: BTreeSet::new(), plans: BTreeMap::new() }
    }

    fn apply(&mut self, events: &[ChainEvent], head: Head) {
        for event in events {
            if let Event::StreamCreated { stream, .. } = &event.event {
                self.streams.insert(stream.clone());
            }
            self.view.apply(event);
        }
        self.head = Some(head);
    }

    /// Of the followed head; 0 before the first block.
    fn epoch(&self) -> u64 {
        let at = |head: Head| self.view.clock().epoch_at_ms(head.timestamp.saturating_mul(1000));
        self.head.and_then(at).unwrap_or_default()
    }
}

impl FollowedChain {
    /// The view before the first event.
    pub fn new(deployment: &Deployment) -> Self {
        let (clock, lapse_epochs) = (deployment.clock(), deployment.terms.lapse_epochs);
        Self {
            domain: deployment.domain(),
            clock,
            shares: deployment.shares(),
            lapse_epochs,
            state: RwLock::new(State::new(clock, lapse_epochs)),
        }
    }

    /// Folds what comes next.
    pub(super) fn apply(&self, events: &[ChainEvent], head: Head) {
        self.state.write().unwrap_or_else(PoisonError::into_inner).apply(events, head);
    }

    /// Folds everything anew: at start, and after a reorganisation.
    pub(super) fn reset(&self, events: &[ChainEvent], head: Option<Head>) {
        let mut state = State::new(self.clock, self.lapse_epochs);
        if let Some(head) = head {
            state.apply(events, head);
        }
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        // A fold that panicked half-way is a bug; what can still be read is no worse than the crash.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Chain for FollowedChain {
    fn domain(&self) -> &Domain {
        &self.domain
    }

    fn clock(&self) -> EpochClock {
        self.clock
    }

    fn head(&self) -> Option<Head> {
        self.state().head
    }

    fn plan(&self, epoch: u64) -> Option<Arc<EpochPlan>> {
        let state = self.state();
        let reached = |moment| state.head.is_some_and(|head| head.timestamp >= moment);
        let (known, settled) = (reached(state.view.cutoff(epoch)), reached(self.clock.end(epoch)));
        if let Some(plan) = state.plans.get(&(epoch, settled)) {
            return Some(plan.clone());
        }
        let plan = match state.view.plan(epoch, self.shares) {
            Ok(plan) => Arc::new(plan),
            Err(error) => {
                tracing::error!(%error, epoch, "no plan");
                return None;
            }
        };
        let head = state.head;
        drop(state);
        if known {
            let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
            // Only a plan of the view as it still is: a reorganisation in between throws all of them away.
            if state.head.is_some_and(|now| head.is_some_and(|then| now.number >= then.number)) {
                state.plans.insert((epoch, settled), plan.clone());
                while state.plans.len() > KEPT_PLANS {
                    state.plans.pop_first();
                }
            }
        }
        Some(plan)
    }

    fn last_posted(&self) -> Option<Posted> {
        let state = self.state();
        let last = state.view.posted().last()?;
        Some(Posted { epoch: last.epoch, root: last.root, total: last.total })
    }

    fn scheduled_through(&self, epoch: u64) -> U256 {
        self.state().view.scheduled_through(epoch)
    }

    fn payable_through(&self, epoch: u64) -> Option<U256> {
        self.state().view.payable_through(epoch)
    }

    fn lapse_epochs(&self) -> u64 {
        self.lapse_epochs
    }

    fn operators(&self) -> Vec<OperatorFacts> {
        let state = self.state();
        let set = state.view.operator_set(state.epoch());
        let members: BTreeMap<_, _> = set.members.into_iter().map(|member| (member.id, member)).collect();
        let facts = |(id, pool): (u64, &Pool)| {
            let member = members.get(&id);
            OperatorFacts {
                id,
                owner: state.view.owner_of(id).unwrap_or_default(),
                nodes: member.map(|member| member.nodes.clone()).unwrap_or_default(),
                weight: member.map_or(0, |member| member.weight),
                pool: pool.assets.saturating_add(pool.unshared),
                own: pool.own(),
                delegators: pool.delegations().count().try_into().unwrap_or(u64::MAX),
                unbonding: pool.unbonding_own.saturating_add(pool.unbonding_delegated),
                commission_bps: state.view.commission_bps(id).unwrap_or_default(),
                paid: pool.paid,
                slashed: pool.slashed,
            }
        };
        state.view.pools().map(facts).collect()
    }

    fn sponsorships(&self) -> Vec<SponsorshipFacts> {
        let state = self.state();
        let now = state.epoch();
        let facts = |created: &SponsorshipCreated| {
            let id = created.sponsorship;
            let schedule = state.view.schedule(id).unwrap_or_default();
            // The segment of now or the next one, or the last if all is over.
            let current = schedule.iter().find(|segment| segment.to_epoch > now).or(schedule.last());
            let (rate, from) = current.map_or((0, 0), |segment| (segment.rate_per_epoch, segment.from_epoch));
            SponsorshipFacts {
                id,
                sponsor: created.sponsor,
                stream: created.stream.clone(),
                partitions: created.partitions,
                rate,
                redundancy: created.redundancy,
                subscriber_share_bps: created.subscriber_share_bps,
                start: schedule.first().map_or(0, |segment| segment.from_epoch),
                end: schedule.last().map_or(0, |segment| segment.to_epoch),
                paying: if current.is_some_and(|s| s.to_epoch > now) && from <= now { rate } else { 0 },
                stopped: state.view.is_stopped(id),
                refunded: state.view.funds(id).map_or(0, |funds| funds.refunded),
                spare: state.view.spare(id).unwrap_or_default(),
            }
        };
        state.view.sponsorships().map(facts).collect()
    }

    fn streams(&self) -> Vec<StreamFacts> {
        let state = self.state();
        let facts = |id: &String| {
            let metadata = state.view.stream_metadata(id)?;
            Some(StreamFacts { id: id.clone(), partitions: partitions(metadata) })
        };
        state.streams.iter().filter_map(facts).collect()
    }
}

/// Number of partitions that a stream's metadata names; 1 where it says nothing.
fn partitions(metadata: &str) -> u32 {
    let parsed: Option<serde_json::Value> = serde_json::from_str(metadata).ok();
    parsed
        .and_then(|value| value.get("partitions")?.as_u64())
        .and_then(|number| u32::try_from(number).ok())
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::partitions;

    #[test]
    fn partitions_come_from_the_metadata() {
        assert_eq!(partitions(r#"{"partitions": 7}"#), 7);
        assert_eq!(partitions("{}"), 1);
        assert_eq!(partitions("not json"), 1);
    }
}
