// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

interface IObserver {
    function onMove() external;
}

/// @dev Hands control to an observer before and after every movement, whoever's tokens move: more than ERC-777's hooks
/// or ERC-677's callback give to anybody.
contract ReenteringToken is ERC20 {
    IObserver private _observer;

    constructor(address holder, uint256 supply) ERC20("Reentering", "R") {
        _mint(holder, supply);
    }

    function observe(IObserver observer) external {
        _observer = observer;
    }

    function _update(address from, address to, uint256 value) internal override {
        IObserver observer = _observer;
        if (address(observer) != address(0)) observer.onMove();
        super._update(from, to, value);
        if (address(observer) != address(0)) observer.onMove();
    }
}

/// @dev Keeps a hundredth of what it moves.
contract FeeToken is ERC20 {
    constructor(address holder, uint256 supply) ERC20("Fee", "F") {
        _mint(holder, supply);
    }

    function _update(address from, address to, uint256 value) internal override {
        bool minted = from == address(0);
        super._update(from, to, minted ? value : value - value / 100);
        if (!minted) super._update(from, address(this), value / 100);
    }
}

/// @dev Returns nothing, as tokens older than the standard do. `broken`, it moves nothing and returns false.
contract OldToken {
    mapping(address holder => uint256) public balanceOf;
    mapping(address holder => mapping(address spender => uint256)) public allowance;
    uint256 public totalSupply;
    bool public broken;

    constructor(address holder, uint256 supply) {
        balanceOf[holder] = supply;
        totalSupply = supply;
    }

    function breakDown(bool broken_) external {
        broken = broken_;
    }

    function approve(address spender, uint256 value) external {
        allowance[msg.sender][spender] = value;
    }

    function transfer(address to, uint256 value) external {
        _move(msg.sender, to, value);
    }

    function transferFrom(address from, address to, uint256 value) external {
        if (!broken) allowance[from][msg.sender] -= value;
        _move(from, to, value);
    }

    function _move(address from, address to, uint256 value) private {
        if (broken) {
            assembly {
                mstore(0, 0)
                return(0, 0x20)
            }
        }
        balanceOf[from] -= value;
        balanceOf[to] += value;
    }
}
