// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @title Shares of a pool of assets, and what they are worth.
/// @notice Every conversion says which way it rounds; its callers round against whoever enters or leaves.
/// @dev `VIRTUAL_SHARES` shares over `VIRTUAL_ASSETS` wei are always counted in and belong to nobody. They fix the
/// price of an empty pool, and they make inflating the price a loss: to take a victim's rounding, an attacker has to
/// give the virtual shares more than that.
/// Shares are at most 128 bits and assets at most 96, so no product here overflows 256 bits.
library Shares {
    uint256 internal constant VIRTUAL_SHARES = 1e6;
    uint256 internal constant VIRTUAL_ASSETS = 1;

    function toSharesDown(uint256 amount, uint256 assets, uint256 shares) internal pure returns (uint256) {
        return amount * (shares + VIRTUAL_SHARES) / (assets + VIRTUAL_ASSETS);
    }

    function toSharesUp(uint256 amount, uint256 assets, uint256 shares) internal pure returns (uint256) {
        return (amount * (shares + VIRTUAL_SHARES) + assets) / (assets + VIRTUAL_ASSETS);
    }

    function toAssetsDown(uint256 held, uint256 assets, uint256 shares) internal pure returns (uint256) {
        return held * (assets + VIRTUAL_ASSETS) / (shares + VIRTUAL_SHARES);
    }

    function toAssetsUp(uint256 held, uint256 assets, uint256 shares) internal pure returns (uint256) {
        return (held * (assets + VIRTUAL_ASSETS) + shares + VIRTUAL_SHARES - 1) / (shares + VIRTUAL_SHARES);
    }
}
