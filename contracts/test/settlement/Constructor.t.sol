// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISettlement} from "../../src/interfaces/ISettlement.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

contract ConstructorTest is Fixture {
    function build(address a, address b, address c, uint16 attesters, uint16 availability) external {
        create("Settlement", abi.encode(a, b, c, GENESIS, LENGTH, attesters, availability));
    }

    function refuse(address a, address b, address c, uint16 attesters, uint16 availability) private {
        vm.expectRevert(ISettlement.InvalidParameters.selector);
        this.build(a, b, c, attesters, availability);
    }

    function test_reverts_for_zero_addresses() public {
        refuse(address(0), address(2), address(3), 500, 5000);
        refuse(address(1), address(0), address(3), 500, 5000);
        refuse(address(1), address(2), address(0), 500, 5000);
    }

    function test_reverts_for_parts_out_of_bounds() public {
        refuse(address(1), address(2), address(3), 2501, 5000);
        refuse(address(1), address(2), address(3), 500, 10_001);
        this.build(address(1), address(2), address(3), 2500, 10_000);
        this.build(address(1), address(2), address(3), 0, 0);
    }

    function test_keeps_its_parameters() public view {
        vm.assertEq(settlement.staking(), address(staking));
        vm.assertEq(settlement.sponsorships(), address(sponsorships));
        vm.assertEq(settlement.slashing(), address(slashing));
        vm.assertEq(settlement.attesterBps(), 500);
        vm.assertEq(settlement.availabilityBps(), 5000);
        vm.assertEq(settlement.genesis(), GENESIS);
        vm.assertEq(settlement.epochLength(), LENGTH);
    }

    function test_has_not_posted() public view {
        vm.assertFalse(settlement.posted());
        vm.assertEq(settlement.lastEpoch(), 0);
        vm.assertEq(settlement.root(), bytes32(0));
        vm.assertEq(settlement.total() + settlement.paid() + settlement.inFlight(), 0);
    }
}
