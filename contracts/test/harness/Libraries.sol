// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Bls} from "../../src/libraries/Bls.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {HashToCurve} from "../../src/libraries/HashToCurve.sol";
import {Merkle} from "../../src/libraries/Merkle.sol";
import {Shares} from "../../src/libraries/Shares.sol";
import {BandwidthReceipt, Credit} from "../../src/libraries/Types.sol";

/// @dev The libraries' functions as a contract's, for tests outside of Solidity to call and compare with.
contract Libraries {
    // ---- Shares

    function toSharesDown(uint256 amount, uint256 assets, uint256 shares) external pure returns (uint256) {
        return Shares.toSharesDown(amount, assets, shares);
    }

    function toSharesUp(uint256 amount, uint256 assets, uint256 shares) external pure returns (uint256) {
        return Shares.toSharesUp(amount, assets, shares);
    }

    function toAssetsDown(uint256 held, uint256 assets, uint256 shares) external pure returns (uint256) {
        return Shares.toAssetsDown(held, assets, shares);
    }

    function toAssetsUp(uint256 held, uint256 assets, uint256 shares) external pure returns (uint256) {
        return Shares.toAssetsUp(held, assets, shares);
    }

    // ---- Bn254, HashToCurve and Bls

    function add(uint256[2] memory a, uint256[2] memory b) external view returns (uint256[2] memory) {
        return Bn254.add(a, b);
    }

    function subtract(uint256[2] memory sum, uint256[2] calldata p) external view returns (uint256[2] memory) {
        Bn254.subtract(sum, p);
        return sum;
    }

    function mul(uint256[2] memory p, uint256 scalar) external view returns (uint256[2] memory) {
        return Bn254.mul(p, scalar);
    }

    function negate(uint256[2] memory p) external pure returns (uint256[2] memory) {
        return Bn254.negate(p);
    }

    function hash(bytes32 message, string memory tag) external view returns (uint256[2] memory) {
        return HashToCurve.hash(message, tag);
    }

    function mapToCurve(uint256 u) external view returns (uint256[2] memory) {
        return HashToCurve.mapToCurve(u);
    }

    function verify(
        bytes32 message,
        string memory tag,
        uint256[2] memory key1,
        uint256[4] memory key2,
        uint256[2] memory signature
    ) external view returns (bool) {
        return Bls.verify(message, tag, key1, key2, signature);
    }

    function verifyBoth(
        bytes32[2] memory digests,
        string memory tag,
        uint256[2] memory key1,
        uint256[4] memory key2,
        uint256[2] memory signatureA,
        uint256[2] memory signatureB
    ) external view returns (bool) {
        return Bls.verifyBoth(digests, tag, key1, key2, signatureA, signatureB);
    }

    // ---- Merkle

    function creditLeaf(Credit memory credit) external pure returns (bytes32) {
        return Merkle.creditLeaf(credit);
    }

    function deliveryLeaf(bytes32 streamPart, uint64 messages, uint64 bytes_, bytes32 custody)
        external
        pure
        returns (bytes32)
    {
        return Merkle.deliveryLeaf(streamPart, messages, bytes_, custody);
    }

    /// @return operators How many of the entries are operators'.
    function checkChunk(uint256[] calldata entries) external pure returns (uint256 operators, bytes32 leaf) {
        uint256[] memory chunk = Merkle.load(entries);
        return (Merkle.checkChunk(chunk), Merkle.payoutLeaf(chunk));
    }

    function unpack(uint256 entry) external pure returns (uint256 kind, uint64 id, uint128 cumulative) {
        return Merkle.unpack(entry);
    }

    // ---- Eip712

    function typedDigest(address slashing, bytes32 structHash) external view returns (bytes32) {
        return Eip712.digest(slashing, structHash);
    }

    function frame(
        bytes32 streamPart,
        address publisher,
        uint64 chain,
        uint64 firstSequence,
        uint32 count,
        bytes32 contentHash
    ) external pure returns (bytes32) {
        return Eip712.frame(streamPart, publisher, chain, firstSequence, count, contentHash);
    }

    function bandwidthReceipt(BandwidthReceipt memory receipt) external pure returns (bytes32) {
        return Eip712.bandwidthReceipt(receipt);
    }

    function deliveryReceipt(uint64 epoch, address receiver, bytes32 deliveriesRoot) external pure returns (bytes32) {
        return Eip712.deliveryReceipt(epoch, receiver, deliveriesRoot);
    }

    function volume(
        uint64 epoch,
        uint64 checkpoint,
        bytes32 streamPart,
        bytes32 setDigest,
        uint64 messages,
        uint64 bytes_
    ) external pure returns (bytes32) {
        return Eip712.volume(epoch, checkpoint, streamPart, setDigest, messages, bytes_);
    }

    function payout(uint64 epoch, uint64 checkpoint, bytes32 root, uint256 total) external pure returns (bytes32) {
        return Eip712.payout(epoch, checkpoint, root, total);
    }

    function fault(uint64 epoch, uint64 checkpoint, bytes32 streamPart, uint64 operatorId)
        external
        pure
        returns (bytes32)
    {
        return Eip712.fault(epoch, checkpoint, streamPart, operatorId);
    }

    function blsKey(address owner, uint256[2] memory g1, uint256[4] memory g2) external pure returns (bytes32) {
        return Eip712.blsKey(owner, g1, g2);
    }

    function nodeConsent(address owner, address node) external pure returns (bytes32) {
        return Eip712.nodeConsent(owner, node);
    }
}
