//! What a deployment is given: the numbers that its constructors fix for good, and where it finds or puts the rest.

use alloy::primitives::{Address, U256};
use serde::{Deserialize, Serialize};

/// 10^18 wei.
const DATA: u128 = 1_000_000_000_000_000_000;

/// The numbers that the constructors fix, which also check their bounds. `_bps` are parts of ten thousand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    pub epoch_length_s: u64,
    /// Wei of own stake below which an operator has no weight.
    #[serde(with = "decimal")]
    pub min_stake: u128,
    /// The least part of a pool that must be the operator's own.
    pub min_self_bps: u16,
    /// How long what was unstaked or undelegated waits and stays slashable.
    pub unbonding_epochs: u64,
    /// Time in which earnings vest.
    pub vesting_period_s: u64,
    /// How many epochs a post may reach back, and how late it may come.
    pub lapse_epochs: u64,
    /// Part of a pool that an offence costs.
    pub slash_bps: u16,
    /// The same for a fault.
    pub fault_bps: u16,
    /// Part of a penalty for the reporter.
    pub bounty_bps: u16,
    /// Part of a penalty for the harmed stream's sponsorship, at most.
    pub return_bps: u16,
    /// How old evidence may be; at least ten less than `unbonding_epochs`.
    pub evidence_epochs: u64,
    /// Part of a pot for the signers of the previous certificate.
    pub attester_bps: u16,
    /// Part of the rest for availability.
    pub availability_bps: u16,
}

impl Terms {
    /// Unbonding, evidence, lapses and vesting in a hundred epochs or less, whatever their length.
    pub fn devnet(epoch_length_s: u64) -> Self {
        Self {
            epoch_length_s,
            min_stake: 1_000 * DATA,
            min_self_bps: 1_000,
            unbonding_epochs: 100,
            vesting_period_s: epoch_length_s.saturating_mul(6),
            lapse_epochs: 50,
            slash_bps: 1_000,
            fault_bps: 100,
            bounty_bps: 1_000,
            return_bps: 3_000,
            evidence_epochs: 80,
            attester_bps: 500,
            availability_bps: 5_000,
        }
    }
}

/// What a new deployment is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    pub token: Token,
    /// An existing registry, such as Streamr's; deploys one if `None`.
    pub stream_registry: Option<Address>,
    /// Unix seconds, not in the future; the latest block's if `None`.
    pub genesis: Option<u64>,
    pub terms: Terms,
}

/// The token that stake and sponsorships are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Token {
    Existing(Address),
    /// A development token, all of it minted to `holder`.
    New {
        holder: Address,
        supply: U256,
    },
}

impl Parameters {
    /// A development chain: a token of a thousand million DATA that `holder` owns, and a registry of its own.
    pub fn devnet(holder: Address, epoch_length_s: u64) -> Self {
        Self {
            token: Token::New { holder, supply: U256::from(1_000_000_000 * DATA) },
            stream_registry: None,
            genesis: None,
            terms: Terms::devnet(epoch_length_s),
        }
    }
}

/// Wei as decimal text: JSON numbers lose digits beyond 2^53.
mod decimal {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(wei: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(wei)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(format!("expected wei in decimal, found {text:?}")))
    }
}
