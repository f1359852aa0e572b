// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {Handler} from "./Handler.sol";
import {InvariantsTest} from "./Invariants.t.sol";

/// @dev Penalties that wipe pools out within a few offences.
contract HarshHandler is Handler {
    function slashingParameters(address[5] memory here)
        internal
        pure
        override
        returns (ISlashing.Parameters memory p)
    {
        p = super.slashingParameters(here);
        (p.slashBps, p.faultBps) = (9000, 2500);
    }
}

contract HarshInvariantsTest is InvariantsTest {
    function deploy() internal override returns (Handler) {
        return new HarshHandler();
    }
}
