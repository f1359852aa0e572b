// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IEpochs} from "../../src/interfaces/IEpochs.sol";
import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

contract SlashingConstructorTest is Fixture {
    ISlashing.Parameters private good;

    function setUp() public override {
        super.setUp();
        address[5] memory here =
            [address(token), address(staking), address(sponsorships), address(settlement), address(slashing)];
        good = slashingParameters(here);
    }

    function refused(ISlashing.Parameters memory p) private {
        bytes memory code = abi.encode(p);
        vm.expectRevert(ISlashing.InvalidParameters.selector);
        create("Slashing", code);
    }

    function accepted(ISlashing.Parameters memory p) private returns (ISlashing) {
        return ISlashing(create("Slashing", abi.encode(p)));
    }

    function test_reverts_if_a_contract_is_missing() public {
        ISlashing.Parameters memory p = good;
        p.token = address(0);
        refused(p);
        p = good;
        p.sponsorships = address(0);
        refused(p);
        p = good;
        p.settlement = address(0);
        refused(p);
        p = good;
        p.staking = address(0);
        refused(p);
    }

    function test_reverts_if_a_penalty_is_out_of_bounds() public {
        ISlashing.Parameters memory p = good;
        p.slashBps = 99;
        p.faultBps = 1;
        refused(p);
        p.slashBps = 10_001;
        refused(p);
        p.slashBps = 500;
        p.faultBps = 501;
        refused(p);
        p.faultBps = 0;
        refused(p);
    }

    function test_reverts_if_slashing_oneself_could_pay() public {
        ISlashing.Parameters memory p = good;
        p.bountyBps = 2000;
        p.returnBps = 3000;
        refused(p);
        p.returnBps = 65_535;
        refused(p);
    }

    function test_reverts_without_a_bounty() public {
        ISlashing.Parameters memory p = good;
        p.bountyBps = 0;
        refused(p);
    }

    function test_reverts_if_the_evidence_outlasts_the_stake() public {
        ISlashing.Parameters memory p = good;
        p.evidenceEpochs = 0;
        refused(p);
        p.evidenceEpochs = UNBONDING - 9;
        refused(p);
        p.evidenceEpochs = type(uint64).max;
        refused(p);
    }

    function test_reverts_for_an_impossible_clock() public {
        ISlashing.Parameters memory p = good;
        p.epochLength = 3;
        vm.expectRevert(abi.encodeWithSelector(IEpochs.InvalidClock.selector, GENESIS, 3));
        create("Slashing", abi.encode(p));
    }

    function test_accepts_what_is_on_the_bounds() public {
        ISlashing.Parameters memory p = good;
        (p.slashBps, p.faultBps, p.bountyBps, p.returnBps) = (100, 1, 1, 4998);
        p.evidenceEpochs = UNBONDING - 10;
        vm.assertEq(accepted(p).evidenceEpochs(), UNBONDING - 10);
        (p.slashBps, p.faultBps, p.bountyBps, p.returnBps) = (10_000, 10_000, 4999, 0);
        p.evidenceEpochs = 1;
        vm.assertEq(accepted(p).slashBps(), 10_000);
    }

    function test_keeps_its_parameters() public view {
        vm.assertEq(slashing.token(), good.token);
        vm.assertEq(slashing.staking(), good.staking);
        vm.assertEq(slashing.sponsorships(), good.sponsorships);
        vm.assertEq(slashing.settlement(), good.settlement);
        vm.assertEq(slashing.slashBps(), good.slashBps);
        vm.assertEq(slashing.faultBps(), good.faultBps);
        vm.assertEq(slashing.bountyBps(), good.bountyBps);
        vm.assertEq(slashing.returnBps(), good.returnBps);
        vm.assertEq(slashing.evidenceEpochs(), good.evidenceEpochs);
    }
}
