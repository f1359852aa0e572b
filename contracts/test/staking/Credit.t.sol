// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

contract CreditTest is StakingTest {
    function setUp() public override {
        super.setUp();
        operators(3);
    }

    function credit(uint256[] memory entries) private returns (uint256) {
        vm.prank(address(settlement));
        return staking.credit(entries);
    }

    function one(uint256 entry) private pure returns (uint256[] memory entries) {
        entries = new uint256[](1);
        entries[0] = entry;
    }

    function three(uint128 a, uint128 b, uint128 c) private pure returns (uint256[] memory entries) {
        entries = new uint256[](3);
        (entries[0], entries[1], entries[2]) = (pack(1, 1, a), pack(1, 2, b), pack(1, 3, c));
    }

    function test_reverts_for_all_but_settlement() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotSettlement.selector, address(this)));
        staking.credit(new uint256[](0));
    }

    function test_reverts_for_an_unknown_operator() public {
        uint64[3] memory unknown = [uint64(0), 4, type(uint64).max];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IStaking.UnknownOperator.selector, unknown[i]));
            credit(one(pack(1, unknown[i], 1)));
        }
    }

    /// @dev Settlement refuses what was not scheduled; here too nothing wraps around.
    function test_reverts_for_more_than_there_can_be() public {
        uint256 amount = 1 << 96;
        vm.expectRevert(abi.encodeWithSelector(IStaking.TooMuch.selector, amount));
        credit(one(pack(1, 1, uint128(amount))));
        credit(one(pack(1, 1, uint128(amount - 1))));
        vm.expectRevert(abi.encodeWithSelector(IStaking.TooMuch.selector, amount));
        credit(one(pack(1, 1, uint128(amount))));
    }

    function test_pays_what_the_cumulative_amount_exceeds() public {
        uint256[] memory payments = new uint256[](3);
        for (uint256 i = 0; i < 3; ++i) {
            payments[i] = (i + 1) << 128 | 10 * (i + 1);
        }
        vm.expectEmit(address(staking));
        emit IStaking.Paid(payments);
        vm.assertEq(credit(three(10, 20, 30)), 60);
        // The second has nothing new, the third has less than it was paid.
        payments = new uint256[](1);
        payments[0] = uint256(1) << 128 | 5;
        vm.expectEmit(address(staking));
        emit IStaking.Paid(payments);
        vm.assertEq(credit(three(15, 20, 29)), 5);
        vm.assertEq(credit(three(15, 20, 30)), 0);
        vm.assertEq(staking.pools(1).paid, 15);
        vm.assertEq(staking.pools(1).unshared, 15);
        vm.assertEq(staking.pools(3).paid, 30);
        vm.assertEq(staking.pools(3).unshared, 30);
    }

    function test_touches_nothing_but_what_is_paid() public {
        IStaking.Pool memory before = staking.pools(2);
        credit(three(10, 20, 30));
        IStaking.Pool memory later = staking.pools(2);
        vm.assertEq(later.assets, before.assets);
        vm.assertEq(later.shares, before.shares);
        vm.assertEq(later.locked, 0);
        vm.assertEq(staking.weightAt(2, 9), 10 * MIN_STAKE);
    }

    function testFuzz_pays_each_once_in_whatever_order_roots_come(uint64[4] memory amounts, uint8 order) public {
        uint128 most;
        uint256 sum;
        for (uint256 i = 0; i < 4; ++i) {
            uint128 cumulative = amounts[(i + order) % 4];
            sum += credit(one(pack(1, 2, cumulative)));
            most = cumulative > most ? cumulative : most;
        }
        vm.assertEq(sum, most);
        vm.assertEq(staking.pools(2).unshared, most);
    }
}
