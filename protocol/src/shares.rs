//! Shares of a pool of assets: what a deposit buys and what shares are worth.
//!
//! The same conversions, to the wei, as the contracts' library `Shares`; the two are compared on random pools
//! (`contracts/bindings/tests/differential`). Rounding is in the names, and always against whoever asks:
//!
//! - a deposit buys `to_shares_down`, shares sell for `to_assets_down`;
//! - a wanted amount costs `to_shares_up`, wanted shares cost `to_assets_up`.
//!
//! So no round trip gains: `to_assets_down(to_shares_down(x)) <= x`. Virtual shares and assets are added on top, so that the
//! price of an empty pool is defined and the first depositor cannot inflate it.
//!
//! Left out: what counts as assets. A pool has two prices, with and without earnings that have not vested (`docs/accounting.md`).

use alloy_primitives::U256;

/// Added to the shares of every pool: this many shares cost the first wei.
pub const VIRTUAL_SHARES: U256 = U256::from_limbs([1_000_000, 0, 0, 0]);
/// Added to the assets of every pool.
pub const VIRTUAL_ASSETS: U256 = U256::ONE;

/// What stands on both sides of a pool. Contracts keep both below 2^128.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pool {
    pub assets: U256,
    pub shares: U256,
}

/// `None` where a sum or product does not fit in 256 bits; the contract reverts there.
impl Pool {
    /// Shares that `assets` buy.
    pub fn to_shares_down(self, assets: U256) -> Option<U256> {
        mul_div_down(assets, self.all_shares()?, self.all_assets()?)
    }

    /// Shares that `assets` cost.
    pub fn to_shares_up(self, assets: U256) -> Option<U256> {
        mul_div_up(assets, self.all_shares()?, self.all_assets()?)
    }

    /// Assets that `shares` sell for.
    pub fn to_assets_down(self, shares: U256) -> Option<U256> {
        mul_div_down(shares, self.all_assets()?, self.all_shares()?)
    }

    /// Assets that `shares` cost.
    pub fn to_assets_up(self, shares: U256) -> Option<U256> {
        mul_div_up(shares, self.all_assets()?, self.all_shares()?)
    }

    fn all_assets(self) -> Option<U256> {
        self.assets.checked_add(VIRTUAL_ASSETS)
    }

    fn all_shares(self) -> Option<U256> {
        self.shares.checked_add(VIRTUAL_SHARES)
    }
}

fn mul_div_down(x: U256, numerator: U256, denominator: U256) -> Option<U256> {
    x.checked_mul(numerator)?.checked_div(denominator)
}

fn mul_div_up(x: U256, numerator: U256, denominator: U256) -> Option<U256> {
    let padding = denominator.checked_sub(U256::ONE)?;
    x.checked_mul(numerator)?.checked_add(padding)?.checked_div(denominator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pool(assets: u128, shares: u128) -> Pool {
        Pool { assets: U256::from(assets), shares: U256::from(shares) }
    }

    #[test]
    fn the_first_wei_buys_the_virtual_shares() {
        let empty = Pool::default();
        assert_eq!(empty.to_shares_down(U256::ONE), Some(VIRTUAL_SHARES));
        assert_eq!(empty.to_assets_down(VIRTUAL_SHARES), Some(U256::ONE));
        assert_eq!(empty.to_assets_down(VIRTUAL_SHARES - U256::ONE), Some(U256::ZERO));
        assert_eq!(empty.to_assets_up(U256::ONE), Some(U256::ONE));
    }

    #[test]
    fn what_does_not_fit_is_none() {
        let huge = Pool { assets: U256::MAX, shares: U256::ZERO };
        assert_eq!(huge.to_shares_down(U256::ONE), None, "assets + 1");
        assert_eq!(pool(0, u128::MAX).to_shares_up(U256::MAX), None, "product");
    }

    #[test]
    fn a_gift_to_the_pool_does_not_round_the_next_deposit_away() {
        // One wei of stake, then 1000 DATA given to the pool to round a deposit of 1999 DATA down to one share's worth.
        let data = 10_u128.pow(18);
        let (own, gift, deposit) = (VIRTUAL_SHARES, 1_000 * data, U256::from(1_999 * data));
        let before = Pool { assets: U256::from(1 + gift), shares: own };
        let bought = before.to_shares_down(deposit).unwrap();
        let after = Pool { assets: before.assets + deposit, shares: own + bought };
        let kept = after.to_assets_down(bought).unwrap();
        assert!(deposit - kept < U256::from(data / 100), "the depositor lost {}", deposit - kept);
        assert!(after.to_assets_down(own).unwrap() < U256::from(gift), "the giver got its gift back");
    }

    proptest! {
        #[test]
        fn conversions_bracket_and_never_gain(assets: u128, shares: u128, x in 0..u128::MAX >> 20) {
            let (pool, x) = (pool(assets, shares), U256::from(x));
            let pairs = [
                (pool.to_shares_down(x), pool.to_shares_up(x)),
                (pool.to_assets_down(x), pool.to_assets_up(x)),
            ];
            for (down, up) in pairs {
                let (down, up) = (down.unwrap(), up.unwrap());
                prop_assert!(down <= up && up <= down + U256::ONE);
            }
            let bought = pool.to_shares_down(x).unwrap();
            if let Some(back) = pool.to_assets_down(bought) {
                prop_assert!(back <= x);
            }
            if let Some(cost) = pool.to_shares_up(x).and_then(|shares| pool.to_assets_down(shares)) {
                prop_assert!(cost >= x, "burning the shares that an amount costs frees at least the amount");
            }
        }
    }
}
