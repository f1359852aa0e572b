// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IEpochs} from "../../src/interfaces/IEpochs.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

/// @dev The bounds of what Staking is deployed with.
contract StakingConstructorTest is Fixture {
    function good() private view returns (StakingParameters memory) {
        return stakingParameters(address(token), address(2), address(3));
    }

    function make(StakingParameters calldata p) external {
        create("Staking", abi.encode(p));
    }

    function refuse(StakingParameters memory p) private {
        vm.expectRevert(IStaking.InvalidParameters.selector);
        this.make(p);
    }

    function test_accepts_the_bounds_themselves() public {
        StakingParameters memory p = good();
        (p.minStake, p.minSelfBps, p.unbondingEpochs, p.vestingPeriod) = (1, 1, 3, 1);
        this.make(p);
        (p.minSelfBps, p.unbondingEpochs, p.vestingPeriod) = (10_000, 1_000_000, 365 days);
        this.make(p);
        p.token = create("DataToken", abi.encode(address(this), uint256(1) << 93));
        this.make(p);
    }

    function test_reverts_if_a_contract_is_missing() public {
        StakingParameters memory p = good();
        p.token = address(0);
        refuse(p);
        p = good();
        p.settlement = address(0);
        refuse(p);
        p = good();
        p.slashing = address(0);
        refuse(p);
    }

    function test_reverts_if_there_is_no_minimum_stake() public {
        StakingParameters memory p = good();
        p.minStake = 0;
        refuse(p);
    }

    function test_reverts_if_the_operators_own_part_is_none_or_more_than_all() public {
        StakingParameters memory p = good();
        p.minSelfBps = 0;
        refuse(p);
        p.minSelfBps = 10_001;
        refuse(p);
    }

    function test_reverts_if_stake_leaves_as_soon_as_its_weight_or_never() public {
        StakingParameters memory p = good();
        p.unbondingEpochs = 2;
        refuse(p);
        p.unbondingEpochs = 1_000_001;
        refuse(p);
    }

    function test_reverts_if_pay_vests_at_once_or_never() public {
        StakingParameters memory p = good();
        p.vestingPeriod = 0;
        refuse(p);
        p.vestingPeriod = 365 days + 1;
        refuse(p);
    }

    function test_reverts_if_amounts_would_not_fit() public {
        StakingParameters memory p = good();
        p.token = create("DataToken", abi.encode(address(this), (uint256(1) << 93) + 1));
        refuse(p);
    }

    function test_reverts_if_the_clock_is_not_one() public {
        StakingParameters memory p = good();
        p.epochLength = 3;
        vm.expectRevert(abi.encodeWithSelector(IEpochs.InvalidClock.selector, GENESIS, 3));
        this.make(p);
        p.epochLength = 4;
        p.genesis = GENESIS + 1;
        vm.expectRevert(abi.encodeWithSelector(IEpochs.InvalidClock.selector, GENESIS + 1, 4));
        this.make(p);
    }

    function test_says_what_it_was_deployed_with() public view {
        vm.assertEq(staking.token(), address(token));
        vm.assertEq(staking.settlement(), address(settlement));
        vm.assertEq(staking.slashing(), address(slashing));
        vm.assertEq(staking.minStake(), MIN_STAKE);
        vm.assertEq(staking.minSelfBps(), MIN_SELF_BPS);
        vm.assertEq(staking.unbondingEpochs(), UNBONDING);
        vm.assertEq(staking.vestingPeriod(), VESTING);
    }
}
