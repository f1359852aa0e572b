// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

interface IERC677Receiver {
    function onTokenTransfer(address sender, uint256 value, bytes calldata data) external;
}

/// @title The DATA token's stand-in on development chains: ERC-20 with permit and ERC-677. Nobody can mint.
/// @notice On Polygon the deployed DATA token is configured instead.
contract DataToken is ERC20, ERC20Permit {
    /// @notice ERC-677's form of the transfer event, beside ERC-20's.
    event Transfer(address indexed from, address indexed to, uint256 value, bytes data);

    constructor(address holder, uint256 supply) ERC20("DATA (development)", "DATA") ERC20Permit("DATA (development)") {
        _mint(holder, supply);
    }

    /// @notice Transfers and, if `to` is a contract, calls its `onTokenTransfer`.
    function transferAndCall(address to, uint256 value, bytes calldata data) external returns (bool) {
        _transfer(msg.sender, to, value);
        emit Transfer(msg.sender, to, value, data);
        if (to.code.length != 0) IERC677Receiver(to).onTokenTransfer(msg.sender, value, data);
        return true;
    }
}
