// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Shares} from "../../src/libraries/Shares.sol";

/// @dev What halmos proves of Shares for every input of the widths that pools have: assets and amounts of up to 96 bits,
/// shares of up to 128 (analysis/halmos.sh). That no product overflows is part of every proof.
///
/// First come the four conversions: each result is the floor or the ceiling of the exact quotient. What follows for
/// prices and round trips is proved from that alone, in steps small enough for the solver: a result of a conversion
/// stands as any number for which the inequality of its floor or ceiling holds (`bought`, `burned`, `out`), and the
/// last step puts it into the library again. What remains in a pool after an exit is the unknown, rather than what was
/// there before, so that every step only adds.
contract SharesSymbolic {
    uint256 private constant V = Shares.VIRTUAL_SHARES;
    uint256 private constant A = Shares.VIRTUAL_ASSETS;

    // ---- what the conversions compute

    function check_toSharesDown_is_the_floor(uint96 amount, uint96 assets, uint128 shares) public pure {
        uint256 down = Shares.toSharesDown(amount, assets, shares);
        unchecked {
            (uint256 exact, uint256 by) = (amount * (shares + V), assets + A);
            assert(down * by <= exact && exact - down * by < by);
        }
    }

    function check_toSharesUp_is_the_ceiling(uint96 amount, uint96 assets, uint128 shares) public pure {
        uint256 up = Shares.toSharesUp(amount, assets, shares);
        unchecked {
            (uint256 exact, uint256 by) = (amount * (shares + V), assets + A);
            assert(up * by >= exact && up * by - exact < by);
        }
    }

    function check_toAssetsDown_is_the_floor(uint128 held, uint96 assets, uint128 shares) public pure {
        uint256 down = Shares.toAssetsDown(held, assets, shares);
        unchecked {
            (uint256 exact, uint256 by) = (held * (assets + A), shares + V);
            assert(down * by <= exact && exact - down * by < by);
        }
    }

    function check_toAssetsUp_is_the_ceiling(uint128 held, uint96 assets, uint128 shares) public pure {
        uint256 up = Shares.toAssetsUp(held, assets, shares);
        unchecked {
            (uint256 exact, uint256 by) = (held * (assets + A), shares + V);
            assert(up * by >= exact && up * by - exact < by);
        }
    }

    function check_up_is_not_below_down(uint256 exact, uint128 by) public pure {
        unchecked {
            if (by == 0 || exact + by < exact) return;
            assert((exact + by - 1) / by >= exact / by);
        }
    }

    // ---- more never buys less

    function check_toSharesDown_is_monotone(uint96 less, uint96 more, uint96 assets, uint128 shares) public pure {
        if (less > more) return;
        assert(Shares.toSharesDown(less, assets, shares) <= Shares.toSharesDown(more, assets, shares));
    }

    function check_products_are_monotone(uint128 less, uint128 more, uint128 by) public pure {
        unchecked {
            if (less > more) return;
            assert(uint256(less) * by <= uint256(more) * by);
        }
    }

    function check_quotients_are_monotone(uint256 less, uint256 more, uint128 by) public pure {
        if (by == 0 || less > more) return;
        assert(less / by <= more / by);
    }

    // ---- entering and leaving never lowers the price for the rest

    function check_entering_does_not_lower_the_price(uint96 amount, uint96 assets, uint128 shares) public pure {
        uint256 bought = Shares.toSharesDown(amount, assets, shares);
        unchecked {
            if (shares + bought > type(uint128).max) return;
            assert((uint256(assets) + amount + A) * (shares + V) >= (assets + A) * (shares + bought + V));
        }
    }

    /// @dev `amount` was taken out for `burned` shares, rounded up.
    function check_leaving_with_an_amount_does_not_lower_the_price(
        uint96 amount,
        uint96 assetsLeft,
        uint128 burned,
        uint128 sharesLeft
    ) public pure {
        unchecked {
            uint256 assets = uint256(assetsLeft) + amount;
            uint256 shares = uint256(sharesLeft) + burned;
            if (burned * (assets + A) < amount * (shares + V)) return;
            assert((assetsLeft + A) * (shares + V) >= (assets + A) * (sharesLeft + V));
        }
    }

    /// @dev All of `held` shares were burned for `out`, rounded down.
    function check_leaving_with_all_does_not_lower_the_price(
        uint96 out,
        uint96 assetsLeft,
        uint128 held,
        uint128 sharesLeft
    ) public pure {
        unchecked {
            uint256 assets = uint256(assetsLeft) + out;
            uint256 shares = uint256(sharesLeft) + held;
            if (out * (shares + V) > held * (assets + A)) return;
            assert((assetsLeft + A) * (shares + V) >= (assets + A) * (sharesLeft + V));
        }
    }

    // ---- no round trip gains

    /// @dev Entering, then leaving: what the shares bought are worth, before rounding, is not above the amount.
    function check_entering_buys_at_most_the_amount(uint96 amount, uint96 assets, uint128 shares, uint128 bought)
        public
        pure
    {
        unchecked {
            if (bought * (assets + A) > amount * (shares + V)) return;
            assert(bought * (uint256(assets) + amount + A) <= amount * (uint256(shares) + bought + V));
        }
    }

    /// @dev The same after rounding. Pools pays an exit for less than all assets, so less than this.
    function check_entering_and_leaving_gains_nothing(uint96 amount, uint96 assets, uint128 shares, uint128 bought)
        public
        pure
    {
        unchecked {
            if (bought * (uint256(assets) + amount + A) > amount * (uint256(shares) + bought + V)) return;
            uint256 out = Shares.toAssetsDown(bought, uint256(assets) + amount, uint256(shares) + bought);
            assert(out <= amount);
        }
    }

    /// @dev Leaving, then entering with the same amount: not more shares than were burned.
    function check_leaving_and_entering_gains_nothing(
        uint96 amount,
        uint96 assetsLeft,
        uint128 burned,
        uint128 sharesLeft
    ) public pure {
        unchecked {
            uint256 assets = uint256(assetsLeft) + amount;
            uint256 shares = uint256(sharesLeft) + burned;
            if (burned * (assets + A) < amount * (shares + V)) return;
            assert(amount * (sharesLeft + V) <= burned * (assetsLeft + A));
        }
    }

    /// @dev `exact / by` rounded up, as toSharesUp has it, is at most any number that covers it. So taking out what
    /// `held` shares are worth rounded down, for which `exact <= held * by`, never burns more than these.
    function check_an_exit_burns_at_most_what_is_held(uint256 exact, uint128 held, uint128 by) public pure {
        unchecked {
            if (by == 0 || exact > uint256(held) * by) return;
            assert((exact + (by - 1)) / by <= held);
        }
    }

    // ---- nobody is paid more than there is

    function check_all_shares_are_worth_less_than_a_wei_more_than_the_assets(uint96 assets, uint128 shares) public pure {
        unchecked {
            assert(shares * (assets + A) < (assets + A) * (shares + V));
        }
    }

    /// @dev And that wei is rounded off.
    function check_less_than_one_more_is_rounded_off(uint256 exact, uint128 most, uint128 by) public pure {
        unchecked {
            if (by == 0 || exact >= (uint256(most) + 1) * by) return;
            assert(exact / by <= most);
        }
    }
}
