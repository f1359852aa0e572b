// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

/// @dev What the tests of Staking share: delegators, pay and penalties, and the equation of the ledger. Settlement and
/// Slashing are played by pranks here; that they call right is shown in their own tests.
abstract contract StakingTest is Fixture {
    address internal constant ALICE = address(0xA11CE);
    address internal constant BOB = address(0xB0B);
    uint128 internal constant ALL = type(uint128).max;

    // ---- acts

    function delegate(address from, uint64 id, uint128 amount) internal {
        fund(from, amount);
        vm.prank(from);
        staking.delegate(id, amount);
    }

    function undelegate(address from, uint64 id, uint128 amount) internal returns (uint64) {
        vm.prank(from);
        return staking.undelegate(id, amount);
    }

    function unstake(uint64 id, uint128 amount) internal returns (uint64) {
        vm.prank(staking.operators(id).owner);
        return staking.unstake(id, amount);
    }

    /// @dev Tokens with an allowance for Staking.
    function fund(address to, uint256 amount) internal {
        token.transfer(to, amount);
        vm.prank(to);
        token.approve(address(staking), amount);
    }

    function pay(uint64 id, uint128 amount) internal {
        uint256[] memory entries = new uint256[](1);
        entries[0] = pack(1, id, staking.pools(id).paid + amount);
        token.transfer(address(staking), amount);
        vm.prank(address(settlement));
        staking.credit(entries);
    }

    function slash(uint64 id, uint16 bps) internal returns (uint128) {
        vm.prank(address(slashing));
        return staking.slash(id, bps);
    }

    function wait(uint256 time) internal {
        vm.warp(block.timestamp + time);
    }

    // ---- views

    function valueOf(address delegator, uint64 id) internal view returns (uint128 value) {
        (, value) = staking.delegationOf(id, delegator);
    }

    function sharesOf(address delegator, uint64 id) internal view returns (uint128 shares) {
        (shares,) = staking.delegationOf(id, delegator);
    }

    function locked(uint64 id) internal view returns (uint128) {
        return staking.pools(id).locked;
    }

    /// @dev Tokens that are some operator's, which has to be what Staking holds.
    function booked() internal view returns (uint256 sum) {
        for (uint64 id = 1; id <= staking.operatorCount(); ++id) {
            IStaking.Pool memory p = staking.pools(id);
            sum += uint256(p.assets) + p.unshared + p.unbondingOwn + p.unbondingDelegated;
        }
    }

    function assertBooked() internal view {
        vm.assertEq(token.balanceOf(address(staking)), booked());
    }

    /// @dev Operator 1 with `own` of its own and `delegated` from Alice.
    function pool(uint128 own, uint128 delegated) internal returns (uint64 id) {
        return pool(own, delegated, COMMISSION_BPS);
    }

    function pool(uint128 own, uint128 delegated, uint16 commissionBps) internal returns (uint64 id) {
        (uint256[2] memory g1, uint256[4] memory g2) = (g1Of(1), g2Of(1));
        uint256[2] memory proof = possession(ownerOf(1), 1);
        vm.prank(ownerOf(1));
        id = staking.register(g1, g2, proof, commissionBps);
        stake(id, own);
        if (delegated != 0) delegate(ALICE, id, delegated);
    }

    function commission(uint64 id, uint16 bps) internal {
        vm.prank(staking.operators(id).owner);
        staking.announceCommission(id, bps);
    }
}
