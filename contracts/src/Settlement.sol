// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
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
/// @notice Holds exactly what was posted and not pushed yet (`inFlight`), or more if tokens were sent by mistake.
contract Settlement is ISettlement, Epochs {
    using SafeERC20 for IERC20;

    uint16 private constant BPS = 10_000;

    address public immutable token;
    address public immutable staking;
    address public immutable sponsorships;
    address public immutable slashing;
    uint16 public immutable attesterBps;
    uint16 public immutable availabilityBps;

    bool public posted;
    uint64 public lastEpoch;
    bytes32 public root;
    uint256 public total;
    uint256 public paid;

    constructor(
        address token_,
        address staking_,
        address sponsorships_,
        address slashing_,
        uint64 genesis_,
        uint64 epochLength_,
        uint16 attesterBps_,
        uint16 availabilityBps_
    ) Epochs(genesis_, epochLength_) {
        bool sane = token_ != address(0) && staking_ != address(0) && sponsorships_ != address(0)
            && slashing_ != address(0) && attesterBps_ <= BPS / 4 && availabilityBps_ <= BPS;
        if (!sane) revert InvalidParameters();
        token = token_;
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
        if (posted && epoch <= lastEpoch) revert EpochNotNewer(epoch, lastEpoch);
        (uint64 checkpoint, uint256[2] memory key) = _quorum(epoch, certificate);
        _check(Eip712.payout(epoch, checkpoint, root_, total_), key, certificate);

        posted = true;
        lastEpoch = epoch;
        root = root_;
        total = total_;

        emit Posted(epoch, root_, total_, certificate.absentees, msg.sender);
        uint256 scheduled = ISponsorships(sponsorships).settle(epoch);
        if (scheduled != total_) revert TotalMismatch(total_, scheduled);
    }

    /// @inheritdoc ISettlement
    function push(uint256[] calldata entries, bytes32[] calldata proof) external {
        uint256 operators = Merkle.checkChunk(entries);
        bytes32 leaf = Merkle.payoutLeaf(entries);
        bytes32 root_ = root;
        if (!MerkleProof.verifyCalldata(proof, root_, leaf)) revert InvalidProof();

        uint256 toStaking;
        uint256 toSponsorships;
        if (operators != 0) toStaking = IStaking(staking).credit(entries[:operators]);
        if (operators != entries.length) toSponsorships = ISponsorships(sponsorships).credit(entries[operators:]);
        uint256 due = toStaking + toSponsorships;
        if (due > total - paid) revert OverPaid(due, total - paid);

        paid += due;

        emit Pushed(root_, leaf, due);
        if (toStaking != 0) IERC20(token).safeTransfer(staking, toStaking);
        if (toSponsorships != 0) IERC20(token).safeTransfer(sponsorships, toSponsorships);
    }

    /// @inheritdoc ISettlement
    function verify(uint64 epoch, bytes32 digest, Certificate calldata certificate) external view {
        (, uint256[2] memory key) = _quorum(epoch, certificate);
        _checkDigest(digest, key, certificate);
    }

    /// @inheritdoc ISettlement
    function inFlight() external view returns (uint256) {
        return total - paid;
    }

    /// @dev The signers' key, provided they hold more than 2/3 of the stake; that also means there is one.
    function _quorum(uint64 epoch, Certificate calldata certificate)
        private
        view
        returns (uint64 checkpoint, uint256[2] memory key)
    {
        uint128 totalStake;
        uint128 signerStake;
        (checkpoint, totalStake, signerStake, key) = IStaking(staking).signersAt(epoch, certificate.absentees);
        if (uint256(signerStake) * 3 <= uint256(totalStake) * 2) revert QuorumMissed(signerStake, totalStake);
    }

    function _check(bytes32 structHash, uint256[2] memory key, Certificate calldata certificate) private view {
        _checkDigest(Eip712.digest(slashing, structHash), key, certificate);
    }

    function _checkDigest(bytes32 digest, uint256[2] memory key, Certificate calldata certificate) private view {
        bool ok = Bls.verify(digest, Bls.STATEMENT_TAG, key, certificate.apk, certificate.signature);
        if (!ok) revert InvalidCertificate();
    }
}
