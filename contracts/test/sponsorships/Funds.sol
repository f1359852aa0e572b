// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

/// @dev The test is the sponsor, and stands in for Settlement and Slashing where it says so.
abstract contract Funds is Fixture {
    uint128 internal constant RATE = 100 * DATA;
    address internal constant STRANGER = address(0x57);

    function setUp() public virtual override {
        super.setUp();
        token.approve(address(sponsorships), type(uint256).max);
    }

    /// @dev One partition, from `start` on (0: the earliest).
    function make(uint128 rate, uint64 start, uint64 epochs) internal returns (uint64) {
        return sponsorships.create(STREAM, 1, rate, start, epochs, 3, 5000);
    }

    function get(uint64 id) internal view returns (ISponsorships.Sponsorship memory) {
        return sponsorships.sponsorships(id);
    }

    function settle(uint64 epoch) internal returns (uint256) {
        vm.prank(address(settlement));
        return sponsorships.settle(epoch);
    }

    /// @dev What Settlement does when a chunk refunds one sponsorship.
    function refund(uint64 id, uint256 cumulative) internal returns (uint256) {
        uint256[] memory entries = new uint256[](1);
        entries[0] = pack(2, id, cumulative);
        vm.prank(address(settlement));
        return sponsorships.credit(entries);
    }

    /// @dev What Slashing does with the part of a penalty that returns.
    function restore(uint64 id, uint128 amount) internal {
        token.transfer(address(sponsorships), amount);
        vm.prank(address(slashing));
        sponsorships.restore(id, amount);
    }

    function held() internal view returns (uint256) {
        return token.balanceOf(address(sponsorships));
    }

    function expect(uint64 id, uint64 fromEpoch, uint64 toEpoch, uint128 rate) internal {
        vm.expectEmit(address(sponsorships));
        emit ISponsorships.Scheduled(id, fromEpoch, toEpoch, rate);
    }
}
