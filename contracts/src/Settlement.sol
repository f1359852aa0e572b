// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ISettlement} from "./interfaces/ISettlement.sol";
import {ISponsorships} from "./interfaces/ISponsorships.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {Bls} from "./libraries/Bls.sol";
import {Eip712} from "./libraries/Eip712.sol";
import {Epochs} from "./libraries/Epochs.sol";
import {Merkle} from "./libraries/Merkle.sol";
import {Certificate} from "./libraries/Types.sol";

/// @title Takes payout roots that 2/3 of the stake signed, and pays them out chunk by chunk.
/// @notice Holds no tokens: what is in flight is in Sponsorships. Pushes take that and no more, so whatever is signed,
/// nobody's spare, and nothing that is scheduled for later, is paid out.
contract Settlement is ISettlement, Epochs {
    uint16 private constant BPS = 10_000;

    /// @dev One slot: what is in flight exists, so 96 bits hold it. `next` is 0 before the first post.
    struct Latest {
        uint128 total;
        uint96 inFlight;
        uint32 next;
    }

    address public immutable staking;
    address public immutable sponsorships;
    address public immutable slashing;
    uint16 public immutable attesterBps;
    uint16 public immutable availabilityBps;

    Latest private _latest;
    bytes32 public root;

    constructor(
        address staking_,
        address sponsorships_,
        address slashing_,
        uint64 genesis_,
        uint64 epochLength_,
        uint16 attesterBps_,
        uint16 availabilityBps_
    ) Epochs(genesis_, epochLength_) {
        bool sane = staking_ != address(0) && sponsorships_ != address(0) && slashing_ != address(0)
            && attesterBps_ <= BPS / 4 && availabilityBps_ <= BPS;
        if (!sane) revert InvalidParameters();
        staking = staking_;
        sponsorships = sponsorships_;
        slashing = slashing_;
        attesterBps = attesterBps_;
        availabilityBps = availabilityBps_;
    }

    /// @inheritdoc ISettlement
    function post(uint64 epoch, bytes32 root_, uint256 total_, Certificate calldata certificate) external {
        uint64 current = currentEpoch();
        if (epoch >= current) revert EpochNotClosed(epoch, current);
        Latest memory latest = _latest;
        if (epoch < latest.next) revert EpochNotNewer(epoch, latest.next - 1);
        (uint64 checkpoint, uint256[2] memory key) = _quorum(epoch, certificate);
        _check(Eip712.payout(epoch, checkpoint, root_, total_), key, certificate);
        uint256 payable_ = ISponsorships(sponsorships).settle(epoch);
        if (payable_ != total_) revert TotalMismatch(total_, payable_);

        // Sponsorships keeps both sums in as many bits, and epochs too.
        latest.inFlight += uint96(total_ - latest.total);
        latest.total = uint128(total_);
        latest.next = uint32(epoch + 1);
        _latest = latest;
        root = root_;

        emit Posted(epoch, root_, total_, certificate.absentees, msg.sender);
    }

    /// @inheritdoc ISettlement
    function push(uint256[] calldata entries, bytes32[] calldata proof) external {
        uint256[] memory chunk = Merkle.load(entries);
        uint256 operators = Merkle.checkChunk(chunk);
        bytes32 leaf = Merkle.payoutLeaf(chunk);
        bytes32 root_ = root;
        if (!MerkleProof.verifyCalldata(proof, root_, leaf)) revert InvalidProof();
        uint256 toStaking;
        uint256 toSpares;
        if (operators != 0) toStaking = IStaking(staking).credit(entries[:operators]);
        if (operators != entries.length) toSpares = ISponsorships(sponsorships).credit(entries[operators:]);
        uint256 due = toStaking + toSpares;
        uint96 left = _latest.inFlight;
        if (due > left) revert OverPaid(due, left);

        _latest.inFlight = left - uint96(due);

        emit Pushed(root_, leaf, due);
        if (toStaking != 0) ISponsorships(sponsorships).release(staking, toStaking);
    }

    /// @inheritdoc ISettlement
    function verify(uint64 epoch, bytes32 structHash, Certificate calldata certificate) external view {
        (, uint256[2] memory key) = _quorum(epoch, certificate);
        _check(structHash, key, certificate);
    }

    /// @inheritdoc ISettlement
    function posted() external view returns (bool) {
        return _latest.next != 0;
    }

    /// @inheritdoc ISettlement
    function lastEpoch() external view returns (uint64) {
        uint64 next = _latest.next;
        return next == 0 ? 0 : next - 1;
    }

    /// @inheritdoc ISettlement
    function total() external view returns (uint256) {
        return _latest.total;
    }

    /// @inheritdoc ISettlement
    function paid() external view returns (uint256) {
        return _latest.total - _latest.inFlight;
    }

    /// @inheritdoc ISettlement
    function inFlight() external view returns (uint256) {
        return _latest.inFlight;
    }

    /// @dev The signers' key, provided they hold more than 2/3 of the stake; that also means there is one.
    function _quorum(uint64 epoch, Certificate calldata certificate)
        private
        view
        returns (uint64 checkpoint, uint256[2] memory key)
    {
        uint128 totalStake;
        uint128 signerStake;
        (checkpoint, totalStake, signerStake, key) =
            IStaking(staking).signersAt(epoch, certificate.absentees, certificate.keys, certificate.aggregate);
        if (uint256(signerStake) * 3 <= uint256(totalStake) * 2) revert QuorumMissed(signerStake, totalStake);
    }

    function _check(bytes32 structHash, uint256[2] memory key, Certificate calldata certificate) private view {
        bytes32 digest = Eip712.digest(slashing, structHash);
        bool ok = Bls.verify(digest, Bls.STATEMENT_TAG, key, certificate.apk, certificate.signature);
        if (!ok) revert InvalidCertificate();
    }
}
