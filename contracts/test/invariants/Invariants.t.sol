// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Handler} from "./Handler.sol";

/// @dev Random sequences of actions by everybody. No action may revert, and after each of them everything holds. The
/// number of calls is set in foundry.toml: 10,000 by default, more than 1,000,000 with FOUNDRY_PROFILE=long.
contract InvariantsTest {
    Handler internal handler;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    function setUp() public {
        handler = deploy();
        handler.setUp();
    }

    function deploy() internal virtual returns (Handler) {
        return new Handler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), handler.actions());
    }

    /// forge-config: default.isolate = false
    function invariant_everything_holds() external view {
        handler.checkEverything();
    }

    /// @dev At the end of a sequence everybody leaves, and nothing is left behind.
    function afterInvariant() external {
        handler.windDown();
    }
}
