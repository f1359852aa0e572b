// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

/// @notice What `receiver` confirms that `relayer` served it in `epoch`, over all their stream parts.
/// @param sequence Counts up from one receipt of the pair to the next; totals never go down with it.
/// @param creditsRoot Merkle root of the credits list (see Merkle.creditLeaf).
struct BandwidthReceipt {
    uint64 epoch;
    address relayer;
    address receiver;
    uint32 sequence;
    bytes32 creditsRoot;
}

/// @notice One leaf of a credits list: the totals of one stream part since the epoch began.
struct Credit {
    bytes32 streamPart;
    uint64 messages;
    uint64 bytes_;
    uint64 servedBytes;
}

/// @notice Signatures of more than 2/3 of the stake under one statement.
/// @param absentees Operators of the set that did not sign, strictly ascending.
/// @param apk Sum of the signers' keys, in G2.
/// @param signature Sum of their signatures, in G1.
struct Certificate {
    uint64[] absentees;
    uint256[4] apk;
    uint256[2] signature;
}
