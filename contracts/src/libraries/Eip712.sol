// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {BandwidthReceipt} from "./Types.sol";

/// @title Every type Tatum signs, as EIP-712 struct hashes, and the one domain they live in.
/// @dev The domain's verifying contract is the Slashing contract, whichever contract checks the signature.
library Eip712 {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant NAME = keccak256("Tatum");
    bytes32 private constant VERSION = keccak256("1");

    bytes32 private constant FRAME = keccak256(
        "Frame(bytes32 streamPart,address publisher,uint64 chain,uint64 firstSequence,uint32 count,bytes32 contentHash)"
    );
    bytes32 private constant BANDWIDTH_RECEIPT = keccak256(
        "BandwidthReceipt(uint64 epoch,address relayer,address receiver,uint32 sequence,bytes32 creditsRoot)"
    );
    bytes32 private constant DELIVERY_RECEIPT =
        keccak256("DeliveryReceipt(uint64 epoch,address receiver,bytes32 deliveriesRoot)");
    bytes32 private constant VOLUME = keccak256(
        "Volume(uint64 epoch,uint64 checkpoint,bytes32 streamPart,bytes32 setDigest,uint64 messages,uint64 bytes)"
    );
    bytes32 private constant PAYOUT = keccak256("Payout(uint64 epoch,uint64 checkpoint,bytes32 root,uint256 total)");
    bytes32 private constant FAULT =
        keccak256("Fault(uint64 epoch,uint64 checkpoint,bytes32 streamPart,uint64 operatorId)");
    bytes32 private constant BLS_KEY = keccak256("BlsKey(address owner,uint256[2] g1,uint256[4] g2)");
    bytes32 private constant NODE_CONSENT = keccak256("NodeConsent(address owner,address node)");

    /// @notice The domain separator; computed on each call so that a fork of the chain has its own.
    function separator(address slashing) internal view returns (bytes32) {
        return keccak256(abi.encode(DOMAIN, NAME, VERSION, block.chainid, slashing));
    }

    /// @notice What is signed for `structHash`.
    function digest(address slashing, bytes32 structHash) internal view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(separator(slashing), structHash);
    }

    function frame(
        bytes32 streamPart,
        address publisher,
        uint64 chain,
        uint64 firstSequence,
        uint32 count,
        bytes32 contentHash
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(FRAME, streamPart, publisher, chain, firstSequence, count, contentHash));
    }

    function bandwidthReceipt(BandwidthReceipt memory r) internal pure returns (bytes32) {
        return keccak256(abi.encode(BANDWIDTH_RECEIPT, r.epoch, r.relayer, r.receiver, r.sequence, r.creditsRoot));
    }

    function deliveryReceipt(uint64 epoch, address receiver, bytes32 deliveriesRoot) internal pure returns (bytes32) {
        return keccak256(abi.encode(DELIVERY_RECEIPT, epoch, receiver, deliveriesRoot));
    }

    function volume(
        uint64 epoch,
        uint64 checkpoint,
        bytes32 streamPart,
        bytes32 setDigest,
        uint64 messages,
        uint64 bytes_
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(VOLUME, epoch, checkpoint, streamPart, setDigest, messages, bytes_));
    }

    function payout(uint64 epoch, uint64 checkpoint, bytes32 root, uint256 total) internal pure returns (bytes32) {
        return keccak256(abi.encode(PAYOUT, epoch, checkpoint, root, total));
    }

    function fault(uint64 epoch, uint64 checkpoint, bytes32 streamPart, uint64 operatorId)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(FAULT, epoch, checkpoint, streamPart, operatorId));
    }

    function blsKey(address owner, uint256[2] memory g1, uint256[4] memory g2) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(BLS_KEY, owner, keccak256(abi.encodePacked(g1)), keccak256(abi.encodePacked(g2)))
        );
    }

    function nodeConsent(address owner, address node) internal pure returns (bytes32) {
        return keccak256(abi.encode(NODE_CONSENT, owner, node));
    }
}
