// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {ISlashing} from "./interfaces/ISlashing.sol";
import {ISponsorships} from "./interfaces/ISponsorships.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {Epochs} from "./libraries/Epochs.sol";

/// @title What was proven, and its penalty: the half of Slashing that moves money.
/// @notice Holds nothing: what a penalty brings leaves in the same transaction.
abstract contract Offences is ISlashing, Epochs {
    using SafeERC20 for IERC20;

    /// @dev Where penalties end: DATA cannot be burned by others, and address zero refuses transfers.
    address private constant BURNED = 0x000000000000000000000000000000000000dEaD;
    uint256 private constant BPS = 10_000;
    /// @dev The least penalty of an offence other than a fault: less would be a fee that a cheat can afford.
    uint256 private constant LEAST_SLASH_BPS = 100;
    /// @dev Epochs for executing what is proven at the last moment, before any stake of that time is free.
    uint256 private constant GRACE = 8;

    /// @dev `cap` is what the sponsorship paid for the stream part in the epoch.
    struct Harmed {
        uint64 sponsorshipId;
        uint128 cap;
    }

    address public immutable token;
    address public immutable staking;
    address public immutable sponsorships;
    address public immutable settlement;
    uint16 public immutable slashBps;
    uint16 public immutable faultBps;
    uint16 public immutable bountyBps;
    uint16 public immutable returnBps;
    uint64 public immutable evidenceEpochs;

    /// @dev One storage slot each.
    mapping(bytes32 slot => Offence) private _offences;
    /// @dev Only of offences that name somebody, so that the others do not pay for it.
    mapping(bytes32 slot => Harmed) private _harmed;

    /// @param p Of contracts that are deployed already, Staking's unbonding is asked for.
    constructor(Parameters memory p) Epochs(p.genesis, p.epochLength) {
        bool known = p.token != address(0) && p.staking != address(0) && p.sponsorships != address(0)
            && p.settlement != address(0);
        bool priced = p.slashBps >= LEAST_SLASH_BPS && p.slashBps <= BPS && p.faultBps != 0
            && p.faultBps <= p.slashBps;
        // Half or more would pay whoever slashes itself and plays every role.
        bool losing = p.bountyBps != 0 && uint256(p.bountyBps) + p.returnBps < BPS / 2;
        if (!known || !priced || !losing || p.evidenceEpochs == 0) revert InvalidParameters();
        // Stake leaves the set LEAD epochs after unbonding begins, and answers for what it signs until then.
        uint256 answers = uint256(p.evidenceEpochs) + LEAD + GRACE;
        if (answers > IStaking(p.staking).unbondingEpochs()) revert InvalidParameters();
        token = p.token;
        staking = p.staking;
        sponsorships = p.sponsorships;
        settlement = p.settlement;
        slashBps = p.slashBps;
        faultBps = p.faultBps;
        bountyBps = p.bountyBps;
        returnBps = p.returnBps;
        evidenceEpochs = p.evidenceEpochs;
    }

    /// @inheritdoc ISlashing
    function execute(bytes32 slot) public {
        Offence memory offence = _offences[slot];
        if (offence.kind == Kind.None) revert NotProven(slot);
        if (offence.executed) revert AlreadyExecuted(slot);
        Harmed memory harmed = _harmed[slot];

        // Before any call: nothing that the token may call back into finds the offence open.
        _offences[slot].executed = true;

        uint16 bps = offence.kind == Kind.Fault ? faultBps : slashBps;
        uint128 taken = IStaking(staking).slash(offence.operatorId, bps);
        uint128 bounty = _partDown(taken, bountyBps);
        uint128 returned = _partDown(taken, returnBps);
        if (returned > harmed.cap) returned = harmed.cap;
        uint128 burned = taken - bounty - returned;

        emit OffenceExecuted(slot, offence.operatorId, bounty, returned, burned);
        if (bounty != 0) IERC20(token).safeTransfer(offence.reporter, bounty);
        if (returned != 0) {
            IERC20(token).safeTransfer(sponsorships, returned);
            ISponsorships(sponsorships).restore(harmed.sponsorshipId, returned);
        }
        if (burned != 0) IERC20(token).safeTransfer(BURNED, burned);
    }

    /// @inheritdoc ISlashing
    function offences(bytes32 slot) external view returns (Offence memory) {
        return _offences[slot];
    }

    /// @dev Records an offence that harms no single stream.
    function _prove(Kind kind, bytes32 slot, uint64 operatorId, bool thenExecute) internal {
        _record(kind, slot, operatorId, 0);
        if (thenExecute) execute(slot);
    }

    /// @dev Records an offence on `streamPart` in `epoch`, and whom it harms.
    function _proveHarm(
        Kind kind,
        bytes32 slot,
        uint64 operatorId,
        uint64 epoch,
        bytes32 streamPart,
        Harm calldata harm,
        bool thenExecute
    ) internal {
        if (harm.sponsorshipId != 0) {
            _harmed[slot] = Harmed({sponsorshipId: harm.sponsorshipId, cap: _cap(harm, epoch, streamPart)});
        }
        _record(kind, slot, operatorId, harm.sponsorshipId);
        if (thenExecute) execute(slot);
    }

    /// @dev Evidence of an epoch that is not over is welcome: whoever signs ahead of time has signed.
    function _checkAge(uint64 epoch) internal view {
        uint64 current = currentEpoch();
        if (epoch < current && current - epoch > evidenceEpochs) revert EvidenceTooOld(epoch, current);
    }

    function _record(Kind kind, bytes32 slot, uint64 operatorId, uint64 sponsorshipId) private {
        if (_offences[slot].kind != Kind.None) revert AlreadyProven(slot);

        _offences[slot] = Offence({reporter: msg.sender, operatorId: operatorId, kind: kind, executed: false});

        emit OffenceProven(slot, operatorId, msg.sender, kind, sponsorshipId);
    }

    /// @dev What the sponsorship pays for the stream part in the epoch, provided it is one of its stream's.
    function _cap(Harm calldata harm, uint64 epoch, bytes32 streamPart) private view returns (uint128 cap) {
        bytes memory name = bytes.concat(bytes(harm.streamId), "#", bytes(Strings.toString(harm.partition)));
        if (keccak256(name) != streamPart) revert WrongStream();
        uint32 partitions;
        (cap, partitions) = ISponsorships(sponsorships).ratePerPartition(harm.sponsorshipId, harm.streamId, epoch);
        if (harm.partition >= partitions) revert WrongStream();
    }

    function _partDown(uint128 amount, uint16 bps) private pure returns (uint128) {
        // Less than half of a uint128.
        return uint128(uint256(amount) * bps / BPS);
    }
}
