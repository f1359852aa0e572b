// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IEpochs} from "../../src/interfaces/IEpochs.sol";
import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Funds} from "./Funds.sol";
import {vm} from "../util/Vm.sol";

contract ConstructorTest is Funds {
    function build(address token_, address settlement_, address slashing_, uint64 lapse) private returns (ISponsorships) {
        bytes memory arguments = abi.encode(token_, settlement_, slashing_, GENESIS, LENGTH, lapse);
        return ISponsorships(create("Sponsorships", arguments));
    }

    function refuse(address token_, address settlement_, address slashing_, uint64 lapse) private {
        try this.attempt(token_, settlement_, slashing_, lapse) {
            revert("accepted");
        } catch (bytes memory reason) {
            vm.assertEq(bytes32(reason), bytes32(ISponsorships.InvalidParameters.selector));
        }
    }

    function attempt(address token_, address settlement_, address slashing_, uint64 lapse) external {
        build(token_, settlement_, slashing_, lapse);
    }

    function test_reverts_for_zero_addresses() public {
        address here = address(token);
        refuse(address(0), here, here, LAPSE);
        refuse(here, address(0), here, LAPSE);
        refuse(here, here, address(0), LAPSE);
    }

    function test_reverts_unless_epochs_lapse_after_4_to_2048() public {
        address here = address(token);
        refuse(here, here, here, 3);
        refuse(here, here, here, 2049);
        vm.assertEq(build(here, here, here, 4).lapseEpochs(), 4);
        vm.assertEq(build(here, here, here, 2048).lapseEpochs(), 2048);
    }

    function test_reverts_for_a_supply_that_does_not_fit() public {
        address here = address(token);
        refuse(create("DataToken", abi.encode(here, (uint256(1) << 93) + 1)), here, here, LAPSE);
        build(create("DataToken", abi.encode(here, uint256(1) << 93)), here, here, LAPSE);
    }

    function test_reverts_for_an_impossible_clock() public {
        address here = address(token);
        bytes memory code = abi.encode(here, here, here, uint64(block.timestamp + 1), LENGTH, LAPSE);
        vm.expectRevert(abi.encodeWithSelector(IEpochs.InvalidClock.selector, block.timestamp + 1, LENGTH));
        this.attempt(code);
    }

    function attempt(bytes calldata arguments) external {
        create("Sponsorships", arguments);
    }

    function test_keeps_its_parameters() public view {
        vm.assertEq(sponsorships.token(), address(token));
        vm.assertEq(sponsorships.settlement(), address(settlement));
        vm.assertEq(sponsorships.slashing(), address(slashing));
        vm.assertEq(sponsorships.lapseEpochs(), LAPSE);
        vm.assertEq(sponsorships.genesis(), GENESIS);
        vm.assertEq(sponsorships.epochLength(), LENGTH);
        vm.assertEq(sponsorships.nextEpoch(), 0);
    }

    function test_deployed_late_it_does_not_walk_what_was_before() public {
        enter(1_000_000);
        address here = address(token);
        ISponsorships late = build(here, address(settlement), here, LAPSE);
        vm.assertEq(late.nextEpoch(), 1_000_000);
        enter(1_000_001);
        vm.prank(address(settlement));
        vm.assertEq(late.settle(1_000_000), 0);
        vm.assertEq(late.lapseCount(), 0);
    }
}
