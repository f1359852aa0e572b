//! Conversions of shares, over everything that the contracts let stand in a pool and beyond.

use proptest::prelude::*;
use tatum_protocol::shares::Pool;

use crate::{Chain, bits, cases};

#[test]
fn conversions_agree_and_revert_where_they_do_not_fit() {
    let chain = Chain::start();
    let c = &chain.libraries;
    // Assets of at most 93 bits and shares of at most 128 are what pools have; what overflows must do so on both sides.
    let inputs = prop_oneof![
        8 => (bits(93), bits(93), bits(128)),
        2 => (bits(128), bits(128), bits(128)),
        1 => (bits(256), bits(200), bits(200)),
    ];
    proptest!(cases(200), |((x, assets, shares) in inputs)| {
        let pool = Pool { assets, shares };
        prop_assert_eq!(chain.ask(c.toSharesDown(x, assets, shares)), pool.to_shares_down(x));
        prop_assert_eq!(chain.ask(c.toSharesUp(x, assets, shares)), pool.to_shares_up(x));
        prop_assert_eq!(chain.ask(c.toAssetsDown(x, assets, shares)), pool.to_assets_down(x));
        prop_assert_eq!(chain.ask(c.toAssetsUp(x, assets, shares)), pool.to_assets_up(x));
    });
}
