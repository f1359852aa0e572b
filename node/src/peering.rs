//! Finds the brokers that should be linked, through Kademlia, and announces what this node serves.

use crate::backoff::Backoff;
use crate::net::Network;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use tatum_protocol::Address;
use tatum_protocol::id::PartKey;

/// Lookups started in one round.
const LOOKUPS: usize = 16;

#[derive(Debug)]
pub(crate) struct Peering {
    network: Network,
    provided: BTreeSet<PartKey>,
    /// When a part is next looked up while some of its brokers are missing.
    next: BTreeMap<PartKey, (Backoff, Instant)>,
}

impl Peering {
    pub(crate) fn new(network: Network) -> Self {
        Self { network, provided: BTreeSet::new(), next: BTreeMap::new() }
    }

    /// One round: `missing` are brokers that should be linked, by a stream part that they serve.
    pub(crate) async fn round(
        &mut self,
        serving: BTreeSet<PartKey>,
        missing: BTreeMap<PartKey, BTreeSet<Address>>,
    ) {
        if serving != self.provided {
            self.network.provide(serving.clone()).await;
            self.provided = serving;
        }
        self.next.retain(|part, _| missing.contains_key(part));
        let now = Instant::now();
        let mut started = 0;
        for (part, wanted) in missing {
            let new = || (Backoff::new(Duration::from_secs(1), Duration::from_secs(30)), now);
            let (backoff, next) = self.next.entry(part).or_insert_with(new);
            if *next <= now && started < LOOKUPS {
                started += 1;
                *next = now + backoff.next();
                self.network.find(part, wanted).await;
            }
        }
    }
}
