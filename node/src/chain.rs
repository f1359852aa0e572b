//! Follows the chain and says what of it the node needs: the state that the core works with, and the history that attesting takes.

use crate::attester::History;
use crate::backoff::Backoff;
use crate::clock::now_ms;
use crate::core::{ChainState, Permissions};
use alloy::providers::{ProviderBuilder, RootProvider};
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tatum_contracts::{ChainView, Deployment, FollowError, Follower, Head};
use tatum_protocol::epoch::LEAD;
use tatum_protocol::id::StreamId;
use tatum_protocol::plan::EpochPlan;
use tatum_protocol::{Address, B256, U256};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Blocks above the newest that are waited for. None: what decides an epoch is a whole epoch old, and a reorganisation is followed.
const CONFIRMATIONS: u64 = 0;
/// How long a node may take to answer.
const POLL_TIMEOUT: Duration = Duration::from_secs(30);
/// Plans are made for this many epochs before and after the present one.
const EPOCHS_BEHIND: u64 = 2;
const EPOCHS_AHEAD: u64 = 1;

/// The chain as far as it was followed. Shared with the attester.
#[derive(Debug)]
pub(crate) struct FollowedChain {
    deployment: Deployment,
    state: RwLock<Followed>,
}

#[derive(Debug)]
struct Followed {
    view: Arc<ChainView>,
    head: Option<Head>,
    /// Final, so made once.
    plans: BTreeMap<u64, Arc<EpochPlan>>,
}

#[derive(Debug)]
struct ViewPermissions(Arc<ChainView>);

impl Permissions for ViewPermissions {
    fn may_publish(&self, stream: &StreamId, user: Address, now_s: u64) -> bool {
        self.0.may_publish(stream.as_str(), user, now_s)
    }

    fn may_subscribe(&self, stream: &StreamId, user: Address, now_s: u64) -> bool {
        self.0.may_subscribe(stream.as_str(), user, now_s)
    }
}

impl FollowedChain {
    pub(crate) fn new(deployment: Deployment) -> Self {
        let state = RwLock::new(Followed::new(&deployment));
        Self { deployment, state }
    }

    /// Follows until told to stop; the state goes out once the first batch has caught up, and whenever it changes after.
    pub(crate) async fn follow(
        self: Arc<Self>,
        rpc: alloy::transports::http::reqwest::Url,
        states: watch::Sender<Option<Arc<ChainState>>>,
        shutdown: CancellationToken,
    ) {
        let provider: RootProvider = ProviderBuilder::default().connect_http(rpc);
        let mut follower = Follower::new(provider.clone(), self.deployment.clone(), CONFIRMATIONS);
        let poll =
            Duration::from_millis(self.deployment.terms.epoch_length_s.saturating_mul(50).clamp(250, 5_000));
        let mut backoff = Backoff::new(poll, Duration::from_secs(30));
        loop {
            let polled = tokio::select! {
                () = shutdown.cancelled() => return,
                polled = tokio::time::timeout(POLL_TIMEOUT, follower.poll()) => polled,
            };
            let wait = match polled {
                Ok(Ok(batch)) => {
                    backoff.reset();
                    let caught_up = batch.as_ref().is_none_or(|batch| batch.caught_up);
                    if let Some(batch) = batch {
                        self.apply(&batch);
                    }
                    if caught_up {
                        self.send(&states);
                        poll
                    } else {
                        Duration::ZERO
                    }
                }
                Ok(Err(error)) => {
                    tracing::warn!(%error, "the chain is not followed further for now");
                    if matches!(error, FollowError::Reorged { .. }) {
                        *self.state.write().unwrap_or_else(PoisonError::into_inner) =
                            Followed::new(&self.deployment);
                        follower = Follower::new(provider.clone(), self.deployment.clone(), CONFIRMATIONS);
                    }
                    backoff.next()
                }
                Err(_) => {
                    tracing::warn!("the chain's node did not answer within {POLL_TIMEOUT:?}; check rpc_url");
                    backoff.next()
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    fn apply(&self, batch: &tatum_contracts::Batch) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        if !batch.events.is_empty() {
            let view = Arc::make_mut(&mut state.view);
            batch.events.iter().for_each(|event| view.apply(event));
        }
        state.head = Some(batch.head);
    }

    fn send(&self, states: &watch::Sender<Option<Arc<ChainState>>>) {
        let clock = self.deployment.clock();
        let now = clock.epoch_at_ms(now_ms()).unwrap_or_default();
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        for epoch in now.saturating_sub(EPOCHS_BEHIND)..=now.saturating_add(EPOCHS_AHEAD) {
            let decided = epoch < LEAD || state.reached(state.view.cutoff(epoch));
            if decided && !state.plans.contains_key(&epoch) {
                match state.view.plan(epoch, self.deployment.shares()) {
                    Ok(plan) => drop(state.plans.insert(epoch, Arc::new(plan))),
                    Err(error) => tracing::error!(%error, epoch, "no plan"),
                }
            }
        }
        state.plans.retain(|epoch, _| *epoch >= now.saturating_sub(EPOCHS_BEHIND));
        let next = ChainState {
            domain: self.deployment.domain(),
            clock,
            plans: state.plans.clone(),
            permissions: Arc::new(ViewPermissions(state.view.clone())),
        };
        drop(state);
        states.send_replace(Some(Arc::new(next)));
    }
}

impl Followed {
    fn new(deployment: &Deployment) -> Self {
        let view = ChainView::new(deployment.clock(), deployment.terms.lapse_epochs);
        Self { view: Arc::new(view), head: None, plans: BTreeMap::new() }
    }

    fn reached(&self, moment: u64) -> bool {
        self.head.is_some_and(|head| head.timestamp >= moment)
    }
}

impl History for FollowedChain {
    fn settled_plan(&self, epoch: u64) -> Option<EpochPlan> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        if !state.reached(self.deployment.clock().end(epoch)) {
            return None;
        }
        let view = state.view.clone();
        drop(state);
        view.plan(epoch, self.deployment.shares())
            .inspect_err(|error| tracing::error!(%error, epoch, "no plan"))
            .ok()
    }

    fn posted_root(&self, epoch: u64) -> Option<B256> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        state.view.posted().iter().rev().find(|posted| posted.epoch == epoch).map(|posted| posted.root)
    }

    fn payable_through(&self, epoch: u64) -> Option<U256> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).view.payable_through(epoch)
    }

    fn lapse_epochs(&self) -> u64 {
        self.deployment.terms.lapse_epochs
    }
}
