// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Taking deposits.
/// @notice A ledger that books what was asked for must not hold less: a token that keeps a fee is refused rather
/// than booked short. Tokens that return nothing work; a token that returns false is refused.
library Tokens {
    using SafeERC20 for IERC20;

    /// @notice The transfer moved another amount than asked.
    error InexactTransfer(uint256 expected, uint256 found);

    /// @notice Transfers exactly `amount` of `from`'s tokens, approved before, to this contract.
    /// @dev The caller must let nothing else move this contract's tokens meanwhile.
    function pullExact(address token, address from, uint256 amount) internal {
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(from, address(this), amount);
        uint256 found = IERC20(token).balanceOf(address(this)) - before;
        if (found != amount) revert InexactTransfer(amount, found);
    }
}
