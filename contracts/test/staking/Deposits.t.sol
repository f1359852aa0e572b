// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {DataToken} from "../../src/DataToken.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {vm} from "../util/Vm.sol";
import {StakingTest} from "./StakingTest.sol";

/// @dev Deposits without a separate approval: permit and transferAndCall.
contract DepositsTest is StakingTest {
    uint256 private constant KEY = 0x5eed;
    bytes32 private constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    struct Signature {
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    function permit(uint256 key, uint256 amount, uint256 deadline) private view returns (Signature memory out) {
        IERC20Permit t = IERC20Permit(address(token));
        address owner = vm.addr(key);
        bytes32 hash = keccak256(abi.encode(PERMIT, owner, address(staking), amount, t.nonces(owner), deadline));
        (out.v, out.r, out.s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", t.DOMAIN_SEPARATOR(), hash)));
    }

    /// @dev Operator 1 in the hands of an account whose key is known, with some own stake.
    function owned() private returns (uint64 id) {
        id = pool(MIN_STAKE, 0);
        vm.prank(ownerOf(1));
        staking.transferOwnership(id, vm.addr(KEY));
        vm.prank(vm.addr(KEY));
        staking.acceptOwnership(id);
        token.transfer(vm.addr(KEY), 10 * DATA);
    }

    // ---- permit

    function test_delegateWithPermit_reverts_for_a_bad_permit_without_allowance() public {
        uint64 id = owned();
        Signature memory p = permit(KEY, DATA, block.timestamp);
        vm.prank(vm.addr(KEY));
        (bool done,) = address(staking)
            .call(abi.encodeCall(IStaking.delegateWithPermit, (id, 2 * DATA, block.timestamp, p.v, p.r, p.s)));
        vm.assertFalse(done);
        vm.assertEq(sharesOf(vm.addr(KEY), id), 0);
    }

    function test_stakeWithPermit_reverts_unless_owner() public {
        uint64 id = owned();
        Signature memory p = permit(0xb0b, DATA, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, id, vm.addr(0xb0b)));
        vm.prank(vm.addr(0xb0b));
        staking.stakeWithPermit(id, DATA, block.timestamp, p.v, p.r, p.s);
    }

    function test_a_permit_is_the_allowance() public {
        uint64 id = owned();
        Signature memory p = permit(KEY, DATA, block.timestamp);
        vm.prank(vm.addr(KEY));
        staking.stakeWithPermit(id, DATA, block.timestamp, p.v, p.r, p.s);
        vm.assertEq(staking.ownValue(id), MIN_STAKE + DATA);
        p = permit(KEY, 2 * DATA, block.timestamp);
        vm.prank(vm.addr(KEY));
        staking.delegateWithPermit(id, 2 * DATA, block.timestamp, p.v, p.r, p.s);
        vm.assertEq(valueOf(vm.addr(KEY), id), 2 * DATA);
        assertBooked();
    }

    /// @dev Whoever sees a permit in the mempool can use it up; the deposit goes through all the same.
    function test_a_permit_used_up_by_another_does_not_stop_the_deposit() public {
        uint64 id = owned();
        Signature memory p = permit(KEY, DATA, block.timestamp);
        IERC20Permit(address(token)).permit(vm.addr(KEY), address(staking), DATA, block.timestamp, p.v, p.r, p.s);
        vm.prank(vm.addr(KEY));
        staking.delegateWithPermit(id, DATA, block.timestamp, p.v, p.r, p.s);
        vm.assertEq(valueOf(vm.addr(KEY), id), DATA);
    }

    // ---- transferAndCall

    function send(address from, uint256 amount, bytes memory data) private {
        vm.prank(from);
        DataToken(address(token)).transferAndCall(address(staking), amount, data);
    }

    function test_onTokenTransfer_reverts_for_all_but_the_token() public {
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotToken.selector, address(this)));
        staking.onTokenTransfer(ALICE, 1, abi.encode(uint8(2), uint64(1)));
    }

    function test_onTokenTransfer_reverts_for_an_unknown_kind() public {
        uint64 id = owned();
        for (uint8 kind = 0; kind < 4; kind += 3) {
            vm.expectRevert(abi.encodeWithSelector(IStaking.InvalidDeposit.selector, kind));
            send(address(this), DATA, abi.encode(kind, id));
        }
    }

    function test_onTokenTransfer_reverts_if_another_stakes() public {
        uint64 id = owned();
        vm.expectRevert(abi.encodeWithSelector(IStaking.NotOwner.selector, id, address(this)));
        send(address(this), DATA, abi.encode(uint8(1), id));
    }

    function test_onTokenTransfer_reverts_for_zero() public {
        uint64 id = owned();
        vm.expectRevert(IStaking.ZeroAmount.selector);
        send(address(this), 0, abi.encode(uint8(2), id));
    }

    function test_onTokenTransfer_reverts_for_an_amount_that_does_not_fit() public {
        uint64 id = owned();
        uint256 amount = 1 << 128;
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 128, amount));
        vm.prank(address(token));
        staking.onTokenTransfer(ALICE, amount, abi.encode(uint8(2), id));
        amount = 1 << 96;
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 96, amount));
        vm.prank(address(token));
        staking.onTokenTransfer(vm.addr(KEY), amount, abi.encode(uint8(1), id));
    }

    function test_one_transfer_stakes_or_delegates() public {
        uint64 id = owned();
        send(vm.addr(KEY), 3 * DATA, abi.encode(uint8(1), id));
        vm.assertEq(staking.ownValue(id), MIN_STAKE + 3 * DATA);
        send(address(this), 4 * DATA, abi.encode(uint8(2), id));
        vm.assertEq(valueOf(address(this), id), 4 * DATA);
        assertBooked();
    }
}
