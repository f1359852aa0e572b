// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

interface ITransferAndCall {
    function transferAndCall(address to, uint256 value, bytes calldata data) external returns (bool);
}

contract Receiver {
    address public sender;
    uint256 public value;
    bytes public data;

    error Refused();

    function onTokenTransfer(address sender_, uint256 value_, bytes calldata data_) external {
        if (data_.length == 0) revert Refused();
        (sender, value, data) = (sender_, value_, data_);
    }
}

contract DataTokenTest is Fixture {
    function test_the_whole_supply_is_the_holders() public view {
        vm.assertEq(token.totalSupply(), uint256(1e9) * DATA);
        vm.assertEq(token.balanceOf(address(this)), token.totalSupply());
    }

    function test_transferAndCall_calls_a_contract_and_its_refusal_undoes_the_transfer() public {
        Receiver receiver = new Receiver();
        ITransferAndCall(address(token)).transferAndCall(address(receiver), 5, "x");
        vm.assertEq(receiver.sender(), address(this));
        vm.assertEq(receiver.value(), 5);
        vm.expectRevert(Receiver.Refused.selector);
        ITransferAndCall(address(token)).transferAndCall(address(receiver), 5, "");
        vm.assertEq(token.balanceOf(address(receiver)), 5);
    }

    function test_transferAndCall_to_an_account_is_a_transfer() public {
        ITransferAndCall(address(token)).transferAndCall(address(0xACC), 7, "x");
        vm.assertEq(token.balanceOf(address(0xACC)), 7);
    }

    function test_permit_approves_by_signature() public {
        address owner = vm.addr(0xA);
        IERC20Permit permit = IERC20Permit(address(token));
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"),
                owner,
                address(this),
                9,
                0,
                GENESIS
            )
        );
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(0xA, keccak256(abi.encodePacked("\x19\x01", permit.DOMAIN_SEPARATOR(), structHash)));
        permit.permit(owner, address(this), 9, GENESIS, v, r, s);
        vm.assertEq(token.allowance(owner, address(this)), 9);
    }
}
