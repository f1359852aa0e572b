//! What the core knows of the chain: plans of the epochs around now, and permissions.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use tatum_protocol::Address;
use tatum_protocol::eip712::Domain;
use tatum_protocol::epoch::EpochClock;
use tatum_protocol::id::StreamId;
use tatum_protocol::plan::EpochPlan;

/// Who may do what with a stream, as the registry has it.
pub trait Permissions: Debug + Send + Sync {
    fn may_publish(&self, stream: &StreamId, user: Address, now_s: u64) -> bool;
    fn may_subscribe(&self, stream: &StreamId, user: Address, now_s: u64) -> bool;
}

/// One state of the chain. Replaced as a whole when the chain moves on.
#[derive(Debug, Clone)]
pub struct ChainState {
    pub domain: Domain,
    pub clock: EpochClock,
    /// Final plans only: an epoch that the chain may still change is not here.
    pub plans: BTreeMap<u64, Arc<EpochPlan>>,
    pub permissions: Arc<dyn Permissions>,
}

impl ChainState {
    pub fn plan(&self, epoch: u64) -> Option<&Arc<EpochPlan>> {
        self.plans.get(&epoch)
    }

    /// The plans in force at `now_ms`: of the epoch itself, of the last one while it is not closed for everybody, and of the next one, so
    /// that links are up when it begins.
    pub fn current(&self, now_ms: u64) -> impl Iterator<Item = &Arc<EpochPlan>> {
        let epoch = self.clock.epoch_at_ms(now_ms);
        let range = epoch.map(|epoch| epoch.saturating_sub(1)..=epoch.saturating_add(1));
        range.into_iter().flat_map(|range| self.plans.range(range).map(|(_, plan)| plan))
    }
}
