// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Merkle} from "../../src/libraries/Merkle.sol";
import {vm} from "../util/Vm.sol";

/// @dev The chunk's assembly against the same in plain words.
contract MerkleTest {
    function check(uint256[] calldata entries) external pure returns (uint256) {
        return Merkle.checkChunk(Merkle.load(entries));
    }

    function naive(uint256[] memory entries) private pure returns (bool valid, uint256 operators) {
        if (entries.length == 0 || entries.length > 64) return (false, 0);
        for (uint256 i = 0; i < entries.length; ++i) {
            uint256 kind = entries[i] >> 248;
            uint256 padding = (entries[i] << 8) >> 200;
            if (padding != 0 || kind == 0 || kind > 2) return (false, 0);
            if (i != 0 && entries[i] >> 128 <= entries[i - 1] >> 128) return (false, 0);
            if (kind == 1) ++operators;
        }
        return (true, operators);
    }

    function compare(uint256[] memory entries) private view returns (bool valid) {
        uint256 operators;
        (valid, operators) = naive(entries);
        try this.check(entries) returns (uint256 found) {
            vm.assertTrue(valid);
            vm.assertEq(found, operators);
        } catch (bytes memory reason) {
            vm.assertFalse(valid);
            vm.assertEq(keccak256(reason), keccak256(abi.encodeWithSelector(Merkle.InvalidEntries.selector)));
        }
    }

    /// @dev A valid chunk, of which at most one bit is then turned over.
    function testFuzz_checks_like_the_plain_words(uint256 seed, uint256 count, uint256 split, uint256 bit) public view {
        uint256[] memory entries = new uint256[](count % 67);
        uint256 id;
        for (uint256 i = 0; i < entries.length; ++i) {
            uint256 kind = i < split % 67 ? 1 : 2;
            if (i == split % 67) id = 0;
            id += 1 + (uint256(keccak256(abi.encode(seed, i))) >> 200);
            entries[i] = (kind << 248) | (id << 128) | uint128(uint256(keccak256(abi.encode(i, seed))));
        }
        vm.assertEq(compare(entries), entries.length != 0 && entries.length < 65);
        if (entries.length == 0) return;
        entries[bit % entries.length] ^= 1 << (seed % 256);
        compare(entries);
    }

    function testFuzz_checks_arbitrary_words(uint256[] memory entries, uint256 common) public view {
        compare(entries);
        for (uint256 i = 0; i < entries.length; ++i) {
            entries[i] = (1 + (common & 1)) << 248 | (entries[i] % 8) << 128;
        }
        compare(entries);
    }

    function testFuzz_a_leaf_is_the_hash_of_the_encoding(uint256[] memory entries, bytes32 before) public pure {
        bytes32 expected = keccak256(bytes.concat(keccak256(abi.encode(entries))));
        bytes32[1] memory neighbour = [before];
        uint256[] memory copy = new uint256[](entries.length);
        for (uint256 i = 0; i < entries.length; ++i) {
            copy[i] = entries[i];
        }
        vm.assertEq(Merkle.payoutLeaf(copy), expected);
        // The word in front was lent and is back.
        vm.assertEq(neighbour[0], before);
        vm.assertEq(keccak256(abi.encode(copy)), keccak256(abi.encode(entries)));
    }
}
