//! Shows the contracts' custom errors by name, with their values.

use alloy::sol_types::SolInterface;
use tatum_contracts::abi::{
    settlement::Settlement::SettlementErrors, slashing::Slashing::SlashingErrors,
    sponsorships::Sponsorships::SponsorshipsErrors, staking::Staking::StakingErrors,
};

/// `None` for what none of the contracts can have thrown. A call into Settlement may fail in those it calls.
pub fn decode(data: &[u8]) -> Option<String> {
    fn shown<E: SolInterface + std::fmt::Debug>(data: &[u8]) -> Option<String> {
        // Variant and struct have the same name: one of them is enough.
        E::abi_decode(data).ok().map(|error| {
            let text = format!("{error:?}");
            text.split_once('(')
                .map_or(text.clone(), |(_, inner)| inner.strip_suffix(')').unwrap_or(inner).to_owned())
        })
    }
    shown::<SettlementErrors>(data)
        .or_else(|| shown::<SlashingErrors>(data))
        .or_else(|| shown::<StakingErrors>(data))
        .or_else(|| shown::<SponsorshipsErrors>(data))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::sol_types::SolError;
    use tatum_contracts::abi::settlement::Settlement;

    #[test]
    fn errors_are_named_with_their_values() {
        let error = Settlement::EpochNotNewer { epoch: 3, lastEpoch: 5 };
        assert_eq!(decode(&error.abi_encode()).unwrap(), "EpochNotNewer { epoch: 3, lastEpoch: 5 }");
        assert_eq!(decode(&[1, 2, 3, 4]), None);
    }
}
