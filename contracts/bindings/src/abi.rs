//! The contracts' ABIs, generated from the committed artifacts (see `contracts/compiler`).
//!
//! One module per contract, because each JSON ABI carries its own copy of the structs it uses.

macro_rules! contract {
    ($(#[$doc:meta])* $module:ident, $name:ident, $path:literal) => {
        $(#[$doc])*
        pub mod $module {
            // Generated code: as wide and as undocumented as the ABI is.
            #![allow(missing_debug_implementations, unreachable_pub, clippy::all)]
            alloy::sol!(
                #[sol(rpc, all_derives)]
                #[allow(missing_docs)]
                $name,
                $path
            );
        }
    };
}

contract!(/** ERC-20 with permit and ERC-677. */ data_token, DataToken, "../artifacts/DataToken.json");
contract!(/** Operators and their stake. */ staking, Staking, "../artifacts/Staking.json");
contract!(/** Funds of streams. */ sponsorships, Sponsorships, "../artifacts/Sponsorships.json");
contract!(/** Payout roots and payouts. */ settlement, Settlement, "../artifacts/Settlement.json");
contract!(/** Proofs of offences. */ slashing, Slashing, "../artifacts/Slashing.json");
contract!(/** Streams and permissions. */ stream_registry, StreamRegistry, "../artifacts/StreamRegistry.json");

pub use self::{
    data_token::DataToken, settlement::Settlement, slashing::Slashing, sponsorships::Sponsorships,
    staking::Staking, stream_registry::StreamRegistry,
};
