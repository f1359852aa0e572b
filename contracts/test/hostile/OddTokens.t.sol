// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Tokens} from "../../src/libraries/Tokens.sol";
import {DeliveryReceipt} from "../../src/libraries/Types.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";
import {FeeToken, OldToken} from "./Tokens.sol";

/// @dev A token that keeps a fee would leave the ledgers short: it cannot be deposited.
contract FeeTokenTest is Fixture {
    uint128 private constant AMOUNT = 10 * MIN_STAKE;

    function createToken() internal override returns (address) {
        bytes memory arguments = abi.encode(address(this), uint256(1e9) * DATA);
        return deployer.deploy(bytes.concat(type(FeeToken).creationCode, arguments));
    }

    function refused() private {
        vm.expectRevert(abi.encodeWithSelector(Tokens.InexactTransfer.selector, AMOUNT, AMOUNT - AMOUNT / 100));
    }

    function test_no_deposit_is_accepted() public {
        register(1);
        token.transfer(ownerOf(1), 3 * AMOUNT);
        token.approve(address(staking), AMOUNT);
        token.approve(address(sponsorships), AMOUNT);
        vm.prank(ownerOf(1));
        token.approve(address(staking), AMOUNT);
        vm.prank(ownerOf(1));
        refused();
        staking.stake(1, AMOUNT);
        refused();
        sponsorships.create(STREAM, 1, AMOUNT, 0, 1, 3, 5000);
        vm.assertEq(token.balanceOf(address(staking)), 0);
        vm.assertEq(token.balanceOf(address(sponsorships)), 0);
    }
}

/// @dev A token that returns nothing works; one that returns false moves nothing, and neither does any ledger.
contract OldTokenTest is Fixture {
    uint128 private constant AMOUNT = 10 * MIN_STAKE;
    address private constant DELEGATOR = address(0xde1e);
    uint256 private constant KEY = 0xbeef01;

    function createToken() internal override returns (address) {
        bytes memory arguments = abi.encode(address(this), uint256(1e9) * DATA);
        return deployer.deploy(bytes.concat(type(OldToken).creationCode, arguments));
    }

    function old() private view returns (OldToken) {
        return OldToken(address(token));
    }

    function give(address to, address spender) private {
        old().transfer(to, AMOUNT);
        vm.prank(to);
        old().approve(spender, AMOUNT);
    }

    function staked() private {
        register(1);
        give(ownerOf(1), address(staking));
        vm.prank(ownerOf(1));
        staking.stake(1, AMOUNT);
    }

    function notMoved() private {
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(token)));
    }

    function prove(bool thenExecute) private returns (bytes32) {
        address node = vm.addr(KEY);
        bytes memory a = signed(KEY, Eip712.deliveryReceipt(1, node, "a"));
        bytes memory b = signed(KEY, Eip712.deliveryReceipt(1, node, "b"));
        slashing.deliveryEquivocation(
            DeliveryReceipt(1, node, "a"), a, DeliveryReceipt(1, node, "b"), b, thenExecute
        );
        return slashing.deliverySlot(1, node);
    }

    function test_returning_nothing_is_no_failure() public {
        staked();
        addNode(1, KEY);
        give(DELEGATOR, address(staking));
        vm.prank(DELEGATOR);
        staking.delegate(1, AMOUNT);
        give(SPONSOR, address(sponsorships));
        vm.prank(SPONSOR);
        uint64 id = sponsorships.create(STREAM, 1, AMOUNT / 10, 0, 10, 3, 5000);
        vm.prank(SPONSOR);
        sponsorships.stop(id);
        vm.assertEq(old().balanceOf(SPONSOR), AMOUNT);
        prove(true);
        vm.assertEq(old().balanceOf(BURNED), AMOUNT * 2 / 10 * 9 / 10);
        vm.prank(DELEGATOR);
        uint64 request = staking.undelegate(1, type(uint128).max);
        enter(UNBONDING);
        staking.withdraw(request);
        vm.assertEq(old().balanceOf(DELEGATOR), AMOUNT);
    }

    function test_returning_false_fails_every_deposit() public {
        register(1);
        give(ownerOf(1), address(staking));
        give(SPONSOR, address(sponsorships));
        old().breakDown(true);
        vm.prank(ownerOf(1));
        notMoved();
        staking.stake(1, AMOUNT);
        vm.prank(SPONSOR);
        notMoved();
        sponsorships.create(STREAM, 1, AMOUNT, 0, 1, 3, 5000);
        vm.assertEq(staking.pools(1).assets, 0);
        vm.assertEq(sponsorships.sponsorshipCount(), 0);
    }

    function test_returning_false_fails_a_withdrawal_which_can_be_repeated() public {
        staked();
        vm.prank(ownerOf(1));
        uint64 request = staking.unstake(1, AMOUNT);
        enter(UNBONDING);
        old().breakDown(true);
        notMoved();
        staking.withdraw(request);
        old().breakDown(false);
        staking.withdraw(request);
        vm.assertEq(old().balanceOf(ownerOf(1)), AMOUNT);
    }

    function test_returning_false_fails_an_execution_which_can_be_repeated() public {
        staked();
        addNode(1, KEY);
        bytes32 slot = prove(false);
        old().breakDown(true);
        notMoved();
        slashing.execute(slot);
        vm.assertFalse(slashing.offences(slot).executed);
        old().breakDown(false);
        slashing.execute(slot);
        vm.assertEq(staking.pools(1).assets, AMOUNT * 9 / 10);
    }

    function test_returning_false_fails_a_stop_which_can_be_repeated() public {
        give(SPONSOR, address(sponsorships));
        vm.prank(SPONSOR);
        uint64 id = sponsorships.create(STREAM, 1, AMOUNT / 10, 0, 10, 3, 5000);
        old().breakDown(true);
        vm.prank(SPONSOR);
        notMoved();
        sponsorships.stop(id);
        vm.assertFalse(sponsorships.sponsorships(id).stopped);
        old().breakDown(false);
        vm.prank(SPONSOR);
        sponsorships.stop(id);
        vm.assertEq(old().balanceOf(SPONSOR), AMOUNT);
    }
}
