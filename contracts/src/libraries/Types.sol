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

/// @notice Everything that reached `receiver` in `epoch`, signed once at the close.
/// @param deliveriesRoot Merkle root of the deliveries list (see Merkle.deliveryLeaf).
struct DeliveryReceipt {
    uint64 epoch;
    address receiver;
    bytes32 deliveriesRoot;
}

/// @notice One leaf of a deliveries list: what reached the receiver of one stream part.
struct Delivery {
    bytes32 streamPart;
    uint64 messages;
    uint64 bytes_;
    bytes32 custody;
}

/// @notice What an operator attests that was published of a stream part in `epoch`.
/// @param checkpoint First epoch of the operator set in force.
struct Volume {
    uint64 epoch;
    uint64 checkpoint;
    bytes32 streamPart;
    bytes32 setDigest;
    uint64 messages;
    uint64 bytes_;
}

/// @notice What an operator attests that is to be paid through `epoch`, cumulative since genesis.
struct Payout {
    uint64 epoch;
    uint64 checkpoint;
    bytes32 root;
    uint256 total;
}

/// @notice A BLS signature of one operator, with the key that it is under.
struct Attestation {
    uint256[2] g1;
    uint256[4] g2;
    uint256[2] signature;
}

/// @notice Signatures of more than 2/3 of the stake under one statement.
/// @param absentees Operators of the set that did not sign, strictly ascending.
/// @param keys The absentees' keys in force, in G1.
/// @param aggregate Sum of the keys of the whole set, in G1.
/// @param apk Sum of the signers' keys, in G2.
/// @param signature Sum of their signatures, in G1.
struct Certificate {
    uint64[] absentees;
    uint256[2][] keys;
    uint256[2] aggregate;
    uint256[4] apk;
    uint256[2] signature;
}
