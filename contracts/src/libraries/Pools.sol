// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IStaking} from "../interfaces/IStaking.sol";
import {Losses} from "./Losses.sol";
import {Shares} from "./Shares.sol";

/// @title One operator's pool: the stake, whose it is, the pay that vests and the stake that leaves.
/// @notice The sum that is the pool's: `assets + unshared + unbondingOwn.total + unbondingDelegated.total`.
/// Two prices. Who enters pays for all assets; who leaves is paid for those that have vested. Neither price falls but
/// by a slash, and the exit price does not move when pay is shared out: it rises only as time passes. So nothing of a
/// push can be had by joining before it and leaving after it.
/// No shares means no assets: whoever burns the last share takes everything, unvested pay included.
library Pools {
    using Losses for Losses.Queue;
    using SafeCast for uint256;

    uint256 internal constant BPS = 10_000;

    /// @dev The slots, in order: what a push writes; what a delegation writes; what a deposit of own stake writes too;
    /// what only exits and pay need; one slot for each kind of unbonding stake.
    /// @param pay `unshared << 128 | paid`: a payment adds the same to both.
    /// @param points Length of the operator's line in StakeHistory.
    /// @param locked Unvested as of `lockedAt`; falls to nothing by `lockedUntil`, linearly.
    struct Pool {
        uint256 pay;
        uint96 assets;
        uint128 shares;
        uint32 points;
        uint128 ownShares;
        uint16 commissionBps;
        uint16 announcedBps;
        uint32 announcedEpoch;
        uint96 locked;
        uint40 lockedAt;
        uint40 lockedUntil;
        Losses.Queue unbondingOwn;
        Losses.Queue unbondingDelegated;
    }

    /// @dev How pay is shared out: the `commission` part of `earnings` buys `commissionShares` for the operator, and
    /// `lot` is what has to vest.
    struct Division {
        uint256 earnings;
        uint256 commission;
        uint256 commissionShares;
        uint256 lot;
    }

    // ---- pay

    /// @notice Notes that `cumulative` was paid in all, and returns how much of it is new.
    function note(Pool storage self, uint128 cumulative) internal returns (uint256 amount) {
        uint256 pay = self.pay;
        uint256 before = uint128(pay);
        if (cumulative <= before) return 0;
        unchecked {
            amount = cumulative - before;
            pay += (amount << 128) | amount;
        }
        // Neither sum wraps around: `paid` becomes `cumulative`, and `unshared` is at most that.
        if (pay >> 224 != 0) revert IStaking.TooMuch(pay >> 128);
        self.pay = pay;
    }

    /// @notice Paid and not shared out yet.
    function unshared(Pool storage self) internal view returns (uint256) {
        return self.pay >> 128;
    }

    /// @notice Shares out what was paid. Nothing happens if there is nothing.
    function accrue(Pool storage self, uint256 vestingPeriod) internal returns (Division memory division) {
        if (unshared(self) == 0) return division;
        uint256 locked = lockedUp(self);
        division = _divide(self, locked);

        self.pay = uint128(self.pay);
        self.assets += uint96(division.earnings);
        self.shares += uint128(division.commissionShares);
        self.ownShares += uint128(division.commissionShares);
        _lock(self, locked, division.lot, vestingPeriod);
    }

    /// @notice Assets, shares, own shares and what is locked, as they would be after `accrue`.
    function accrued(Pool storage self)
        internal
        view
        returns (uint256 assets, uint256 shares, uint256 ownShares, uint256 locked)
    {
        locked = lockedUp(self);
        Division memory division = _divide(self, locked);
        assets = self.assets + division.earnings;
        shares = self.shares + division.commissionShares;
        ownShares = self.ownShares + division.commissionShares;
        locked += division.lot;
    }

    function lockedUp(Pool storage self) internal view returns (uint256) {
        uint256 until = self.lockedUntil;
        if (until <= block.timestamp) return 0;
        uint256 span = until - self.lockedAt;
        return (self.locked * (until - block.timestamp) + span - 1) / span;
    }

    // ---- in and out

    /// @notice Takes `amount` in at the entry price.
    function deposit(Pool storage self, uint256 amount) internal returns (uint128 shares) {
        (uint96 assets, uint128 all) = (self.assets, self.shares);
        shares = Shares.toSharesDown(amount, assets, all).toUint128();
        if (shares == 0) revert IStaking.ZeroShares();
        self.assets = assets + amount.toUint96();
        self.shares = all + shares;
    }

    /// @notice Burns what `amount` costs at the exit price of somebody's `held` shares, all of them for the greatest
    /// number. The caller takes the burned shares off `held`.
    function exit(Pool storage self, uint128 held, uint128 amount) internal returns (uint96 out, uint128 burned) {
        (uint256 assets, uint128 shares, uint256 locked) = (self.assets, self.shares, lockedUp(self));
        if (amount == type(uint128).max) {
            burned = held;
            out = uint96(exitDown(held, assets, shares, locked));
        } else {
            uint256 available = Shares.toAssetsDown(held, assets - locked, shares);
            if (amount > available) revert IStaking.InsufficientStake(uint128(available), amount);
            // At most `held`, since what they are worth was rounded down; and `amount` at most the assets.
            burned = uint128(Shares.toSharesUp(amount, assets - locked, shares));
            out = uint96(amount);
        }
        if (burned == shares) {
            out = uint96(assets);
            self.locked = 0;
        }
        self.assets = uint96(assets - out);
        self.shares = shares - burned;
    }

    /// @notice What `held` shares of such a pool are paid on leaving.
    function exitDown(uint256 held, uint256 assets, uint256 shares, uint256 locked) internal pure returns (uint256) {
        return held == shares ? assets : Shares.toAssetsDown(held, assets - locked, shares);
    }

    /// @notice The operator's own stake at the entry price: what its weight stands on. It does not fall when others
    /// join.
    function ownDown(Pool storage self) internal view returns (uint256) {
        return Shares.toAssetsDown(self.ownShares, self.assets, self.shares);
    }

    // ---- slash

    /// @notice Takes `bps` (at most BPS) of everything, rounded up, in the order of `Loss`.
    function slash(Pool storage self, uint256 bps) internal returns (IStaking.Loss memory loss, uint256 amount) {
        uint256 own = self.unbondingOwn.total;
        uint256 delegated = self.unbondingDelegated.total;
        amount = ((self.assets + own + delegated) * bps + BPS - 1) / BPS;

        (uint256 fromOwn, uint128 burned) = _burnOwn(self, amount);
        uint256 rest = amount - fromOwn;
        uint256 fromUnbonding = rest < own ? rest : own;
        rest -= fromUnbonding;
        uint256 assets = self.assets;
        uint256 fromDelegated = rest == 0 ? 0 : rest * delegated / (assets + delegated);
        rest -= fromDelegated;
        if (rest != 0) {
            // What is left unvested shrinks as the assets do.
            _setLocked(self, lockedUp(self) * (assets - rest) / assets);
            self.assets = uint96(assets - rest);
        }
        // Each part is at most what it is taken from, which fits.
        self.unbondingOwn.take(uint96(fromUnbonding));
        self.unbondingDelegated.take(uint96(fromDelegated));
        loss = IStaking.Loss({
            own: uint128(fromOwn),
            ownShares: burned,
            ownUnbonding: uint128(fromUnbonding),
            delegated: uint128(rest),
            delegatedUnbonding: uint128(fromDelegated)
        });
    }

    /// @dev Burns own shares at the entry price for up to `amount`. Unvested pay shrinks as the shares do, so that the
    /// exit price of the others does not fall either. If there are no others, own shares are worth more than the price
    /// says, which counts the virtual shares: then everything shrinks as the assets do, and a share is left if they
    /// are.
    function _burnOwn(Pool storage self, uint256 amount) private returns (uint256 taken, uint128 burned) {
        (uint256 assets, uint128 shares, uint128 ownShares) = (self.assets, self.shares, self.ownShares);
        uint256 value = ownShares == shares ? assets : ownDown(self);
        taken = amount < value ? amount : value;
        if (taken == 0) return (0, 0);
        if (ownShares == shares) {
            burned = uint128(taken * shares / assets);
            _setLocked(self, lockedUp(self) * (assets - taken) / assets);
        } else {
            // Rounded up, it is at most what they are when `taken` is less than their value rounded down.
            burned = taken == value ? ownShares : uint128(Shares.toSharesUp(taken, assets, shares));
            uint256 before = shares + Shares.VIRTUAL_SHARES;
            _setLocked(self, lockedUp(self) * (before - burned) / before);
        }
        self.assets = uint96(assets - taken);
        self.shares = shares - burned;
        self.ownShares = ownShares - burned;
    }

    // ---- parts

    function _divide(Pool storage self, uint256 locked) private view returns (Division memory division) {
        uint256 earnings = unshared(self);
        (uint256 assets, uint256 shares) = (self.assets, self.shares);
        division.earnings = earnings;
        division.lot = earnings;
        if (earnings == 0) return division;
        // Nobody else is there to share with.
        uint256 commission = shares == 0 ? earnings : earnings * self.commissionBps / BPS;
        uint256 bought = Shares.toSharesDown(commission, assets + earnings - commission, shares);
        // Too little for a share, or too much for a pool that was slashed to almost nothing: then it is everybody's.
        // Pay must not stop anyone from leaving.
        if (bought == 0 || shares + bought > type(uint128).max) return division;
        division.commission = commission;
        division.commissionShares = bought;
        // All but what the shares bought are worth to who leaves, so the exit price stays where it is. That is at most
        // the commission, which paid the higher price.
        division.lot = shares == 0 ? 0 : earnings - Shares.toAssetsUp(bought, assets - locked, shares);
    }

    /// @dev Adds `lot` to what vests. The time left is the average weighted by amount, rounded up, so a small lot does
    /// not hold a big one back; and the two together vest no faster than each alone would: (a + b)^2 / (ax + by) is at
    /// most a/x + b/y.
    function _lock(Pool storage self, uint256 locked, uint256 lot, uint256 vestingPeriod) private {
        uint256 sum = locked + lot;
        if (sum == 0) return;
        uint256 left = locked == 0 ? 0 : self.lockedUntil - block.timestamp;
        uint256 average = (locked * left + lot * vestingPeriod + sum - 1) / sum;
        self.lockedUntil = uint40(block.timestamp + average);
        _setLocked(self, sum);
    }

    function _setLocked(Pool storage self, uint256 locked) private {
        self.locked = uint96(locked);
        self.lockedAt = uint40(block.timestamp);
    }
}
