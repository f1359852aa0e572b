//! The Solidity libraries and this workspace's protocol crate, asked the same on random inputs that lean towards the edges.
//!
//! The libraries run on a real anvil behind a harness (`contracts/test/harness`). Golden vectors pin single values to outside
//! implementations; this looks for inputs on which the two of ours part. Needs anvil, like every test of this crate.

mod curve;
mod eip712;
mod merkle;
mod shares;

use alloy::{
    contract::CallDecoder,
    network::EthereumWallet,
    primitives::U256,
    providers::{DynProvider, Provider, ProviderBuilder},
    signers::local::PrivateKeySigner,
};
use proptest::prelude::*;
use tatum_testkit::{Anvil, anvil};
use tokio::runtime::Runtime;

alloy::sol!(
    #![sol(all_derives)]
    #[sol(rpc)]
    Libraries,
    "../artifacts/harness/Libraries.json"
);

type Contract = Libraries::LibrariesInstance<DynProvider>;

/// The libraries on a chain.
struct Chain {
    libraries: Contract,
    runtime: Runtime,
    _anvil: Anvil,
}

impl Chain {
    fn start() -> Self {
        let runtime = Runtime::new().unwrap();
        let anvil = Anvil::start().unwrap();
        let signer: PrivateKeySigner = anvil::KEYS[0].parse().unwrap();
        let provider = ProviderBuilder::new()
            .wallet(EthereumWallet::from(signer))
            .connect_http(anvil.url().parse().unwrap())
            .erased();
        let libraries = runtime.block_on(Libraries::deploy(provider)).unwrap();
        Self { libraries, runtime, _anvil: anvil }
    }

    /// What the call returns; `None` if it reverts.
    fn ask<D: CallDecoder + Unpin>(
        &self,
        call: alloy::contract::CallBuilder<&DynProvider, D>,
    ) -> Option<D::CallOutput> {
        match self.runtime.block_on(async { call.call().await }) {
            Ok(found) => Some(found),
            Err(error) if error.as_revert_data().is_some() => None,
            // A precompile that fails takes all gas and leaves no reason.
            Err(error) if error.to_string().contains("revert") => None,
            Err(error) => panic!("the chain did not answer: {error}"),
        }
    }
}

/// Of each property; what is asked for in tests is in proportion to what a case costs.
fn cases(weight: u32) -> ProptestConfig {
    let cases = weight.saturating_mul(4);
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// Any number of at most so many bits, often one at an edge or of few bits.
fn bits(most: usize) -> impl Strategy<Value = U256> {
    let greatest = if most == 256 { U256::MAX } else { (U256::ONE << most) - U256::ONE };
    prop_oneof![
        1 => Just(U256::ZERO),
        1 => Just(U256::ONE),
        1 => Just(greatest),
        1 => Just(greatest - U256::ONE),
        6 => (any::<[u64; 4]>(), 0..most).prop_map(move |(limbs, fewer)| {
            (U256::from_limbs(limbs) & greatest) >> fewer
        }),
    ]
}

fn number() -> impl Strategy<Value = u64> {
    bits(64).prop_map(|number| number.to())
}
