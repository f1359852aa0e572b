// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IEpochs} from "./IEpochs.sol";

/// @title Operators, their keys and nodes, and the pools of stake that answer for them.
/// @notice One pool per operator: the operator's own stake and its delegators' hold shares of the same assets, so
/// earnings reach all of them alike. Only the operator's own shares are burned for an offence until none are left.
/// Weights and the set's key are checkpointed per epoch: a change made during epoch `x` decides epoch `x + 2`. A
/// weight falls at once and rises when it is announced (`stake` and `sync` do).
/// Token assumptions. For safety: a transfer moves exactly the amount asked (a deposit that brings less is refused).
/// For liveness: transfers to holders do not revert.
interface IStaking is IEpochs {
    event OperatorRegistered(
        uint64 indexed operatorId, address indexed owner, uint256[2] g1, uint256[4] g2, uint16 commissionBps
    );
    /// @notice The operator signs with this key from `effectiveEpoch` on. What the old one signed stays punishable.
    event KeyRotated(uint64 indexed operatorId, uint256[2] g1, uint256[4] g2, uint64 effectiveEpoch);
    event OwnershipOffered(uint64 indexed operatorId, address indexed owner, address indexed candidate);
    event OwnershipTransferred(uint64 indexed operatorId, address indexed from, address indexed to);
    event NodeAdded(uint64 indexed operatorId, address indexed node, uint64 effectiveEpoch);
    event NodeRemoved(uint64 indexed operatorId, address indexed node, uint64 effectiveEpoch);
    event CommissionAnnounced(uint64 indexed operatorId, uint16 bps, uint64 earliestEpoch);
    event CommissionChanged(uint64 indexed operatorId, uint16 bps);
    /// @notice The operator's weight from `effectiveEpoch` on; replaces what was announced for that epoch before.
    event WeightChanged(uint64 indexed operatorId, uint64 indexed effectiveEpoch, uint128 weight);
    /// @notice `amount` of own stake, for `shares`.
    event Staked(uint64 indexed operatorId, address indexed from, uint128 amount, uint128 shares);
    event Delegated(uint64 indexed operatorId, address indexed delegator, uint128 amount, uint128 shares);
    /// @notice `shares` were burned and their `amount` waits. A `holder` of zero is the operator itself.
    event UnbondingStarted(
        uint64 indexed operatorId,
        address indexed holder,
        uint64 indexed requestId,
        uint128 amount,
        uint128 shares,
        uint64 releaseEpoch
    );
    /// @notice The request is over: `amount` was paid, less than what waited if there was a slash meanwhile.
    event Withdrawn(uint64 indexed requestId, address indexed to, uint128 amount);
    /// @notice Pay that has arrived, not yet shared out: `operatorId << 128 | amount` of each.
    event Paid(uint256[] payments);
    /// @notice Pay was shared out: `commission` to the operator for `commissionShares`, the rest vests for all shares.
    event EarningsShared(uint64 indexed operatorId, uint128 earnings, uint128 commission, uint128 commissionShares);
    event Slashed(uint64 indexed operatorId, Loss loss);

    error InvalidParameters();
    error NotOwner(uint64 operatorId, address caller);
    error NotCandidate(uint64 operatorId, address caller);
    error NotSettlement(address caller);
    error NotSlashing(address caller);
    error NotToken(address caller);
    error UnknownOperator(uint64 operatorId);
    error InvalidPossession();
    error KeyTaken();
    error InvalidConsent(address node, address signer);
    error NodeTaken(address node, uint64 operatorId);
    error NotActiveNode(address node);
    error TooManyNodes(uint64 operatorId);
    error InvalidCommission(uint16 bps);
    error NoCommissionAnnounced(uint64 operatorId);
    error TooEarly(uint64 earliestEpoch, uint64 epoch);
    error ZeroAmount();
    /// @notice More pay than the whole supply.
    error TooMuch(uint256 unshared);
    /// @notice The deposit is worth less than one share.
    error ZeroShares();
    error InvalidDeposit(uint8 kind);
    error InsufficientStake(uint128 available, uint128 requested);
    /// @notice The operator's own stake would be too small a part of its pool.
    error SelfStakeTooLow(uint256 own, uint256 total);
    error UnknownRequest(uint64 requestId);
    error InvalidAbsentee(uint64 operatorId);
    /// @notice Not as many keys as absentees.
    error LengthMismatch(uint256 absentees, uint256 keys);
    /// @notice The key given for an absentee is not the one in force.
    error WrongKey(uint64 operatorId);
    /// @notice The aggregate given is not the one in force.
    error WrongAggregate(uint64 fromEpoch);
    error NoCheckpoint(uint64 epoch);

    /// @notice Where an operator's pool stands, all in wei but the shares.
    /// @param assets Everything the shares stand for, `locked` included.
    /// @param shares All shares; `ownShares` of them are the operator's own.
    /// @param locked Earnings that have not vested yet: what an exit leaves behind.
    /// @param unshared Paid, and shared out by whatever touches the pool next.
    /// @param unbondingOwn Waits to be withdrawn; still slashable. `unbondingDelegated` likewise.
    /// @param paid Cumulative payouts.
    struct Pool {
        uint128 assets;
        uint128 shares;
        uint128 ownShares;
        uint128 locked;
        uint128 unshared;
        uint128 unbondingOwn;
        uint128 unbondingDelegated;
        uint128 paid;
    }

    struct Operator {
        address owner;
        address candidate;
        uint32 nodes;
        uint16 commissionBps;
        uint16 announcedBps;
        uint64 announcedEpoch;
        uint256[2] g1;
    }

    /// @param holder Zero: the operator itself, and whoever owns it then is paid.
    struct Request {
        uint64 operatorId;
        address holder;
        uint128 amount;
        uint64 releaseEpoch;
    }

    /// @notice What a slash took, in the order in which it takes: own stake (for `ownShares`), own unbonding, then
    /// delegated stake and delegated unbonding in proportion.
    struct Loss {
        uint128 own;
        uint128 ownShares;
        uint128 ownUnbonding;
        uint128 delegated;
        uint128 delegatedUnbonding;
    }

    // ---- identity

    /// @notice Registers the caller as the owner of a new operator without stake; ids count from 1.
    /// @param g1 The BLS key in G1. A key is used once, ever.
    /// @param g2 The same key in G2; that they are one key is checked.
    /// @param possession The key's signature of the digest of `BlsKey(owner, g1, g2)`.
    /// @param commissionBps The operator's cut of what its pool earns, before its own shares' part.
    function register(
        uint256[2] calldata g1,
        uint256[4] calldata g2,
        uint256[2] calldata possession,
        uint16 commissionBps
    ) external returns (uint64 operatorId);

    /// @notice Replaces the operator's BLS key from epoch `now + 2` on. The old one is never used again.
    function rotateKey(
        uint64 operatorId,
        uint256[2] calldata g1,
        uint256[4] calldata g2,
        uint256[2] calldata possession
    ) external;

    /// @notice Offers the operator, own stake included, to `candidate`, who has to accept; zero withdraws the offer.
    function transferOwnership(uint64 operatorId, address candidate) external;

    function acceptOwnership(uint64 operatorId) external;

    /// @notice Binds `node` to the operator, for good, and makes it one of its nodes from epoch `now + 2` on.
    /// @param consent The node's signature of `NodeConsent(owner, node)`.
    function addNode(uint64 operatorId, address node, bytes calldata consent) external;

    /// @notice The node stops being one of the operator's from epoch `now + 2` on. It stays bound: what it signed
    /// can still be punished, and it can only be added to the same operator again.
    function removeNode(uint64 operatorId, address node) external;

    /// @notice Announces a new commission, which `applyCommission` may put in force after `unbondingEpochs`; replaces
    /// an earlier announcement.
    function announceCommission(uint64 operatorId, uint16 bps) external;

    /// @notice Puts the announced commission in force. What was paid before pays the old one. Anyone may call it.
    function applyCommission(uint64 operatorId) external;

    // ---- stake

    /// @notice Adds `amount` of the owner's tokens (approved before) to the operator's own stake, and announces the
    /// weight. A pool that was slashed to almost nothing takes no deposits until the delegators' shares are gone.
    function stake(uint64 operatorId, uint128 amount) external;

    /// @notice `stake` with an ERC-2612 permit, which may have been used already if the allowance is there.
    function stakeWithPermit(uint64 operatorId, uint128 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;

    /// @notice Adds `amount` of the caller's tokens (approved before) to the operator's pool. The weight rises with
    /// the next `stake` or `sync`.
    function delegate(uint64 operatorId, uint128 amount) external;

    /// @notice `delegate` with an ERC-2612 permit, which may have been used already if the allowance is there.
    function delegateWithPermit(uint64 operatorId, uint128 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external;

    /// @notice ERC-677: `transferAndCall` with `abi.encode(uint8 kind, uint64 operatorId)` stakes (kind 1, owner only)
    /// or delegates (kind 2). Token only.
    function onTokenTransfer(address from, uint256 amount, bytes calldata data) external;

    /// @notice Burns the operator's own shares for `amount` (all of them for the greatest number), which waits
    /// `unbondingEpochs`, slashable, until `withdraw`.
    function unstake(uint64 operatorId, uint128 amount) external returns (uint64 requestId);

    /// @notice Burns the caller's shares for `amount`, likewise. Earnings that have not vested stay with the pool.
    function undelegate(uint64 operatorId, uint128 amount) external returns (uint64 requestId);

    /// @notice Pays what is left of a request whose wait is over to its holder. Anyone may call it.
    function withdraw(uint64 requestId) external;

    /// @notice Shares out earnings and announces the present weight. Anyone may call it.
    function sync(uint64 operatorId) external;

    /// @notice Notes for each operator what its cumulative payout exceeds what it was paid. Settlement only, which
    /// has the returned sum transferred afterwards.
    /// @param entries Payout entries of kind 1 whose shape Settlement has checked.
    function credit(uint256[] calldata entries) external returns (uint256 due);

    /// @notice Takes `bps` of everything the operator's pool holds, unbonding included, and transfers it to the
    /// caller. Slashing only.
    function slash(uint64 operatorId, uint16 bps) external returns (uint128 taken);

    // ---- views

    function operators(uint64 operatorId) external view returns (Operator memory);

    function pools(uint64 operatorId) external view returns (Pool memory);

    /// @notice A delegator's shares, and what an exit would pay for them now.
    function delegationOf(uint64 operatorId, address delegator) external view returns (uint128 shares, uint128 value);

    /// @notice What an exit of the operator's own stake would pay now.
    function ownValue(uint64 operatorId) external view returns (uint128);

    /// @notice A request, its `amount` as it would be paid now, rounded down; all zero once withdrawn.
    function requests(uint64 requestId) external view returns (Request memory);

    function requestCount() external view returns (uint64);

    /// @notice The latest BLS key in G1, which may not be in force yet.
    function keyOf(uint64 operatorId) external view returns (uint256[2] memory);

    /// @notice The operator that registered or rotated to a key with this `x` in G1, ever; 0 if none.
    function operatorOfKey(uint256 g1x) external view returns (uint64);

    /// @notice The operator a node is or was bound to; 0 if none.
    function operatorOf(address node) external view returns (uint64);

    function isActiveNode(address node) external view returns (bool);

    function operatorCount() external view returns (uint64);

    /// @notice The operator's weight in `epoch`, in wei, a multiple of 1e15: its pool as announced, at most what its
    /// own stake allows, and 0 if its own stake is below `minStake`.
    function weightAt(uint64 operatorId, uint64 epoch) external view returns (uint128);

    /// @notice The operator set in force in `epoch`.
    /// @param epoch Any epoch; one further away than the next may still change.
    /// @return fromEpoch The first epoch of this checkpoint (0 with all else 0 if there is none yet).
    /// @return totalStake Sum of the members' weights.
    /// @return aggregateHash `keccak256(x, y)` of the sum of the members' G1 keys.
    /// @return count How many members.
    function setAt(uint64 epoch)
        external
        view
        returns (uint64 fromEpoch, uint128 totalStake, bytes32 aggregateHash, uint32 count);

    /// @notice The part of the set in `epoch` that remains without `absentees`.
    /// @param absentees Members of the set, strictly ascending.
    /// @param keys Their G1 keys in force in `epoch`.
    /// @param aggregate Sum of the whole set's G1 keys in `epoch`.
    function signersAt(
        uint64 epoch,
        uint64[] calldata absentees,
        uint256[2][] calldata keys,
        uint256[2] calldata aggregate
    ) external view returns (uint64 fromEpoch, uint128 totalStake, uint128 signerStake, uint256[2] memory key);

    function token() external view returns (address);
    function settlement() external view returns (address);
    function slashing() external view returns (address);
    function minStake() external view returns (uint128);
    /// @notice The least part of a pool that must be the operator's own: bounds both delegation and weight.
    function minSelfBps() external view returns (uint16);
    function unbondingEpochs() external view returns (uint64);
    /// @notice Seconds over which earnings vest.
    function vestingPeriod() external view returns (uint64);
}
