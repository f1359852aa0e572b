// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Credit} from "./Types.sol";

/// @title Leaves of the three trees, and the packing of a payout entry.
/// @dev Trees are OpenZeppelin's StandardMerkleTree: a leaf is hashed twice, so no inner node can pass for one.
/// Proofs are checked by OpenZeppelin's MerkleProof.
library Merkle {
    /// @notice A chunk or entry that no honest tree contains.
    error InvalidEntries();

    uint256 internal constant CHUNK_LIMIT = 64;
    uint256 internal constant KIND_OPERATOR = 1;
    uint256 internal constant KIND_SPONSORSHIP = 2;

    function creditLeaf(Credit memory c) internal pure returns (bytes32) {
        return _twice(abi.encode(c.streamPart, c.messages, c.bytes_, c.servedBytes));
    }

    function deliveryLeaf(bytes32 streamPart, uint64 messages, uint64 bytes_, bytes32 custody)
        internal
        pure
        returns (bytes32)
    {
        return _twice(abi.encode(streamPart, messages, bytes_, custody));
    }

    /// @dev `_twice(abi.encode(entries))`, hashed where the entries are: the word in front of them, which abi.encode
    /// would make the offset 0x20, is borrowed for it.
    function payoutLeaf(uint256[] memory entries) internal pure returns (bytes32 leaf) {
        assembly ("memory-safe") {
            let start := sub(entries, 0x20)
            let borrowed := mload(start)
            mstore(start, 0x20)
            mstore(0x00, keccak256(start, add(0x40, shl(5, mload(entries)))))
            mstore(start, borrowed)
            leaf := keccak256(0x00, 0x20)
        }
    }

    /// @notice `kind << 248 | id << 128 | cumulative`; the 56 bits between kind and id are zero.
    function unpack(uint256 entry) internal pure returns (uint256 kind, uint64 id, uint128 cumulative) {
        kind = entry >> 248;
        id = uint64(entry >> 128);
        cumulative = uint128(entry);
    }

    /// @notice Checks a chunk's shape and returns how many of its entries, all at the front, are operators'.
    /// @dev In assembly, like the copy and the leaf: every push does this 64 times, at half the gas.
    function checkChunk(uint256[] memory entries) internal pure returns (uint256 operators) {
        uint256 length = entries.length;
        if (length == 0 || length > CHUNK_LIMIT) revert InvalidEntries();
        bool ascending = true;
        uint256 union;
        uint256 previous;
        assembly ("memory-safe") {
            let end := add(entries, shl(5, add(length, 1)))
            for { let at := add(entries, 0x20) } lt(at, end) { at := add(at, 0x20) } {
                let account := shr(128, mload(at))
                ascending := and(ascending, gt(account, previous))
                union := or(union, account)
                operators := add(operators, lt(account, shl(120, KIND_SPONSORSHIP)))
                previous := account
            }
        }
        // As they ascend, the first has the least kind and the last the greatest.
        bool kinds = entries[0] >> 248 >= KIND_OPERATOR && previous >> 120 <= KIND_SPONSORSHIP;
        bool padded = uint56(union >> 64) == 0;
        if (!ascending || !kinds || !padded) revert InvalidEntries();
    }

    /// @notice The entries in memory, copied at once.
    function load(uint256[] calldata entries) internal pure returns (uint256[] memory copy) {
        assembly ("memory-safe") {
            copy := mload(0x40)
            let size := shl(5, entries.length)
            mstore(copy, entries.length)
            calldatacopy(add(copy, 0x20), entries.offset, size)
            mstore(0x40, add(add(copy, 0x20), size))
        }
    }

    function _twice(bytes memory encoded) private pure returns (bytes32) {
        return keccak256(bytes.concat(keccak256(encoded)));
    }
}
