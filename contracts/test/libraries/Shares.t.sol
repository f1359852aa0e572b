// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Shares} from "../../src/libraries/Shares.sol";
import {vm} from "../util/Vm.sol";

/// @dev Rounding is against whoever enters or leaves; inflating the price of a share costs more than it takes.
contract SharesTest {
    uint256 private constant V = Shares.VIRTUAL_SHARES;

    function test_an_empty_pool_gives_a_million_shares_per_wei() public pure {
        vm.assertEq(Shares.toSharesDown(7, 0, 0), 7e6);
        vm.assertEq(Shares.toSharesUp(7, 0, 0), 7e6);
        vm.assertEq(Shares.toAssetsDown(7e6, 7, 7e6), 7);
        vm.assertEq(Shares.toAssetsUp(7e6, 7, 7e6), 7);
    }

    function test_rounding_goes_the_way_the_name_says() public pure {
        // A price of 4 / (2e6 + 1e6) wei per share.
        vm.assertEq(Shares.toSharesDown(1, 3, 2e6), 750_000);
        vm.assertEq(Shares.toAssetsDown(1e6, 3, 2e6), 1);
        vm.assertEq(Shares.toAssetsUp(1e6, 3, 2e6), 2);
        vm.assertEq(Shares.toSharesDown(1, 6, 1), 142_857);
        vm.assertEq(Shares.toSharesUp(1, 6, 1), 142_858);
    }

    function testFuzz_down_and_up_bracket_the_exact_value(uint96 amount, uint96 assets, uint128 shares) public pure {
        uint256 exact = uint256(amount) * (shares + V);
        uint256 down = Shares.toSharesDown(amount, assets, shares);
        uint256 up = Shares.toSharesUp(amount, assets, shares);
        vm.assertLe(down * (uint256(assets) + 1), exact);
        vm.assertGe(up * (uint256(assets) + 1), exact);
        vm.assertLe(up - down, 1);
        exact = uint256(shares) * (uint256(assets) + 1);
        down = Shares.toAssetsDown(shares, assets, amount);
        up = Shares.toAssetsUp(shares, assets, amount);
        vm.assertLe(down * (amount + V), exact);
        vm.assertGe(up * (amount + V), exact);
        vm.assertLe(up - down, 1);
    }

    function testFuzz_who_enters_and_leaves_gains_nothing(uint96 amount, uint96 assets, uint128 shares) public pure {
        uint256 bought = Shares.toSharesDown(amount, assets, shares);
        // A pool that was slashed to almost nothing refuses what does not fit.
        vm.assume(shares + bought <= type(uint128).max);
        uint256 back = Shares.toAssetsDown(bought, uint256(assets) + amount, shares + bought);
        vm.assertLe(back, amount);
    }

    function testFuzz_nobody_lowers_the_price_of_the_rest(uint96 amount, uint96 assets, uint128 shares) public pure {
        uint256 bought = Shares.toSharesDown(amount, assets, shares);
        assertNotBelow(uint256(assets) + amount, shares + bought, assets, shares);
        uint256 out = amount % (uint256(assets) + 1);
        uint256 burned = Shares.toSharesUp(out, assets, shares);
        if (burned <= shares) assertNotBelow(assets - out, shares - burned, assets, shares);
    }

    function assertNotBelow(uint256 assets, uint256 shares, uint256 assetsOld, uint256 sharesOld) private pure {
        vm.assertGe((assets + 1) * (sharesOld + V), (assetsOld + 1) * (shares + V));
    }

    /// @dev The classic: be first with a dust deposit, inflate the price (here by pay, since nothing else does), let
    /// the victim's deposit round down, leave. The attacker gets back less than it put in, and the victim loses less
    /// than a millionth of what the attacker spends.
    function testFuzz_inflating_the_price_loses(uint64 dust, uint96 gift, uint96 deposit) public pure {
        uint256 mine = Shares.toSharesDown(dust, 0, 0);
        uint256 assets = uint256(dust) + gift;
        uint256 theirs = Shares.toSharesDown(deposit, assets, mine);
        assets += deposit;
        uint256 shares = mine + theirs;
        uint256 back = Shares.toAssetsDown(mine, assets, shares);
        // What the rounding takes from the victim is less than a millionth of the gift; the gift's part that falls to
        // the virtual shares is at least as much.
        vm.assertLe(back, uint256(dust) + gift);
        uint256 left = Shares.toAssetsDown(theirs, assets, shares);
        vm.assertLe(deposit, left + (uint256(dust) + gift) / V + 2);
    }
}
