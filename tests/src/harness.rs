//! A devnet of real processes for one test, and what tests ask of it.

use alloy::primitives::U256;
use anyhow::{Context, bail, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tatum_cli::devnet::{Devnet, DevnetOptions, EpochReport};
use tatum_contracts::follow::Follower;
use tatum_contracts::view::ChainView;
use tatum_protocol::id::Account;
use tatum_protocol::plan::Shares;
use tempfile::TempDir;

use crate::recompute;

/// Epochs of 10 s, as `tatum devnet` has them: the deadlines within are whole seconds.
pub const EPOCH: Duration = Duration::from_secs(10);

/// Stops every process when dropped; the folder goes with it.
#[derive(Debug)]
pub struct Net {
    pub devnet: Devnet,
    // After the devnet: its processes write into it.
    folder: TempDir,
}

impl Net {
    /// Starts a devnet with its own folder.
    pub async fn start(adjust: impl FnOnce(&mut DevnetOptions)) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("tatum-e2e-").tempdir()?;
        let mut options = DevnetOptions::new(folder.path().join("devnet"), tools_dir());
        adjust(&mut options);
        Ok(Self { devnet: Devnet::start(options).await?, folder })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub async fn stop(self) {
        self.devnet.stop().await;
    }

    /// Waits until this many epochs that had traffic are paid, and returns them.
    pub async fn settled(&self, wanted: usize, patience: Duration) -> anyhow::Result<Vec<EpochReport>> {
        let began = Instant::now();
        loop {
            let reports = self.devnet.epochs(0).await?;
            let settled: Vec<_> =
                reports.iter().filter(|r| r.is_settled() && r.messages > 0).cloned().collect();
            if settled.len() >= wanted {
                return Ok(settled);
            }
            if began.elapsed() > patience {
                let states: Vec<_> =
                    reports.iter().map(|r| (r.epoch, r.status.as_str(), r.messages)).collect();
                bail!(
                    "{} of {wanted} epochs settled in {patience:?}: {states:?}\n{}",
                    settled.len(),
                    self.logs()
                );
            }
            if let Ok(exit) =
                tokio::time::timeout(Duration::from_millis(200), self.devnet.supervisor().unexpected_exit())
                    .await
            {
                return Err(exit.into());
            }
        }
    }

    /// The last lines of every log, for a failing test.
    pub fn logs(&self) -> String {
        let names = ["indexer", "settlement", "broker-1", "broker-2", "publisher", "subscriber"];
        let tail = |name: &str| format!("--- {name}\n{}", self.devnet.supervisor().log_tail(name, 12));
        names.map(tail).join("\n")
    }

    /// The chain, followed from the deployment by this test itself.
    pub async fn view(&self) -> anyhow::Result<ChainView> {
        let deployment = self.devnet.deployment();
        let mut view = ChainView::new(deployment.clock(), deployment.terms.lapse_epochs);
        let client = self.devnet.client(&self.devnet.keys().sponsor)?;
        let mut follower = Follower::new(client, deployment.clone(), 0);
        while let Some(batch) = follower.poll().await? {
            batch.events.iter().for_each(|event| view.apply(event));
        }
        Ok(view)
    }

    /// What every account must have been paid through the last posted epoch, computed by [`recompute`] from the database.
    pub async fn recomputed(&self) -> anyhow::Result<(u64, BTreeMap<Account, U256>)> {
        let view = self.view().await?;
        let deployment = self.devnet.deployment();
        let terms = &deployment.terms;
        let shares = Shares { attester_bps: terms.attester_bps, availability_bps: terms.availability_bps };
        let last = view.posted().last().context("nothing was posted")?.epoch;
        let mut sums = BTreeMap::new();
        for epoch in (0..=last).filter(|epoch| !view.is_lapsed(*epoch)) {
            let plan = view.plan(epoch, shares)?;
            for (account, wei) in recompute::epoch(self.devnet.database(), &plan).await? {
                *sums.entry(account).or_insert(U256::ZERO) += wei;
            }
        }
        Ok((last, sums))
    }

    /// Checks that what the chain paid is what [`Self::recomputed`] says, to the wei, and that all money is accounted for.
    pub async fn check_money(&self) -> anyhow::Result<()> {
        let began = Instant::now();
        let (view, last, sums) = loop {
            // A post or push between two questions would look like a difference; nothing moves while the root stays.
            let (last, sums) = self.recomputed().await?;
            let view = self.view().await?;
            let posted = view.posted().last().context("nothing was posted")?;
            if posted.epoch == last && view.pushed() == posted.total {
                break (view, last, sums);
            }
            ensure!(began.elapsed() < EPOCH * 6, "payouts stay in flight\n{}", self.logs());
            tokio::time::sleep(Duration::from_millis(300)).await;
        };
        let lapsed = |epoch| view.is_lapsed(epoch);
        let rate = |epoch| {
            view.sponsorships_active(epoch).iter().map(|s| U256::from(s.rate_per_epoch)).sum::<U256>()
        };
        let payable: U256 = (0..=last).filter(|epoch| !lapsed(*epoch)).map(rate).sum();
        let computed: U256 = sums.values().sum();
        ensure!(computed == payable, "recomputed payouts sum to {computed}, payable are {payable}");
        for (account, wei) in &sums {
            let paid = match account {
                Account::Operator(id) => view.pool(*id).map(|pool| pool.paid),
                Account::Sponsorship(id) => view.funds(*id).map(|funds| funds.refunded),
            };
            let paid = U256::from(paid.with_context(|| format!("{account:?} is not on chain"))?);
            ensure!(paid == *wei, "{account:?} was paid {paid} through epoch {last}, recomputed {wei}");
        }
        let audit = self.devnet.audit().await?;
        ensure!(audit.exact(), "the money does not add up: {:#?}", audit.checks);
        Ok(())
    }

    /// Messages the subscriber got, and whether any is missing, as it last reported.
    pub fn received(&self) -> anyhow::Result<Received> {
        let text = std::fs::read_to_string(self.devnet.supervisor().log_path("subscriber"))?;
        let last = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Received>(line).ok())
            .next_back()
            .context("the subscriber has not reported yet")?;
        Ok(last)
    }
}

/// A progress line of `tatum subscribe --json`.
#[derive(Debug, Clone, serde::Deserialize)]
pub struct Received {
    pub received: u64,
    pub duplicates: u64,
    pub gaps: Vec<serde_json::Value>,
}

/// Kept between runs: installing anvil once is enough.
fn tools_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../.tatum/tools")
}
