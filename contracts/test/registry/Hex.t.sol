// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {Hex} from "../../src/libraries/Hex.sol";
import {vm} from "../util/Vm.sol";

contract HexTest {
    function testFuzz_addresses_are_written_as_openzeppelin_does(address value) public pure {
        vm.assertEq(Hex.toString(value), Strings.toHexString(value));
    }

    function test_every_byte_is_written_as_openzeppelin_does() public pure {
        uint160 ones = type(uint160).max / 255;
        for (uint160 b = 0; b < 256; ++b) {
            address value = address(b * ones);
            vm.assertEq(Hex.toString(value), Strings.toHexString(value));
        }
    }
}
