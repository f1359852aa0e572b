// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IStaking} from "./interfaces/IStaking.sol";
import {Epochs} from "./libraries/Epochs.sol";
import {Losses} from "./libraries/Losses.sol";
import {Pools} from "./libraries/Pools.sol";
import {StakeHistory} from "./libraries/StakeHistory.sol";
import {Tokens} from "./libraries/Tokens.sol";
import {Operators} from "./Operators.sol";

/// @title Stake of operators and their delegators: deposits, pay, exits, penalties.
/// @notice Holds the sum over all operators of `assets + unshared + unbondingOwn + unbondingDelegated` (see pools), or
/// more if tokens were sent by mistake.
contract Staking is Operators {
    using SafeCast for uint256;
    using SafeERC20 for IERC20;
    using Losses for Losses.Queue;
    using Pools for Pools.Pool;

    /// @dev Of a deposit by `transferAndCall`.
    uint8 private constant KIND_STAKE = 1;
    uint8 private constant KIND_DELEGATE = 2;
    /// @dev Amounts are kept in 96 bits: the whole supply fits eight times.
    uint256 private constant MAX_SUPPLY = 1 << 93;

    /// @dev Two slots. A `holder` of zero is the operator itself.
    struct Unbonding {
        uint64 operatorId;
        address holder;
        uint32 releaseEpoch;
        Losses.Claim claim;
    }

    /// @notice Constructor arguments.
    struct Parameters {
        address token;
        address settlement;
        address slashing;
        uint64 genesis;
        uint64 epochLength;
        uint128 minStake;
        uint16 minSelfBps;
        uint64 unbondingEpochs;
        uint64 vestingPeriod;
    }

    /// @inheritdoc IStaking
    address public immutable token;
    /// @inheritdoc IStaking
    address public immutable settlement;
    /// @inheritdoc IStaking
    uint128 public immutable minStake;
    /// @inheritdoc IStaking
    uint16 public immutable minSelfBps;
    /// @inheritdoc IStaking
    uint64 public immutable vestingPeriod;
    /// @inheritdoc IStaking
    uint64 public requestCount;

    mapping(uint64 operatorId => mapping(address delegator => uint128 shares)) private _delegations;
    mapping(uint64 requestId => Unbonding) private _requests;

    constructor(Parameters memory p)
        Epochs(p.genesis, p.epochLength)
        Operators(p.slashing, p.unbondingEpochs)
    {
        bool sane = p.token != address(0) && p.settlement != address(0) && p.minStake != 0 && p.minSelfBps != 0
            && p.minSelfBps <= Pools.BPS && p.vestingPeriod != 0 && p.vestingPeriod <= 365 days;
        if (!sane || IERC20(p.token).totalSupply() > MAX_SUPPLY) revert InvalidParameters();
        token = p.token;
        settlement = p.settlement;
        minStake = p.minStake;
        minSelfBps = p.minSelfBps;
        vestingPeriod = p.vestingPeriod;
    }

    // ---- deposits

    /// @inheritdoc IStaking
    function stake(uint64 operatorId, uint128 amount) external {
        _stake(operatorId, msg.sender, amount);
        Tokens.pullExact(token, msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function stakeWithPermit(uint64 operatorId, uint128 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        _permit(amount, deadline, v, r, s);
        _stake(operatorId, msg.sender, amount);
        Tokens.pullExact(token, msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function delegate(uint64 operatorId, uint128 amount) external {
        _delegate(operatorId, msg.sender, amount);
        Tokens.pullExact(token, msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function delegateWithPermit(uint64 operatorId, uint128 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        _permit(amount, deadline, v, r, s);
        _delegate(operatorId, msg.sender, amount);
        Tokens.pullExact(token, msg.sender, amount);
    }

    /// @inheritdoc IStaking
    function onTokenTransfer(address from, uint256 amount, bytes calldata data) external {
        if (msg.sender != token) revert NotToken(msg.sender);
        (uint8 kind, uint64 operatorId) = abi.decode(data, (uint8, uint64));
        if (kind == KIND_STAKE) _stake(operatorId, from, amount.toUint128());
        else if (kind == KIND_DELEGATE) _delegate(operatorId, from, amount.toUint128());
        else revert InvalidDeposit(kind);
    }

    // ---- exits

    /// @inheritdoc IStaking
    function unstake(uint64 operatorId, uint128 amount) external onlyOwner(operatorId) returns (uint64 requestId) {
        if (amount == 0) revert ZeroAmount();
        Pools.Pool storage pool = _accrue(operatorId);
        uint128 held = pool.ownShares;
        (uint96 out, uint128 burned) = pool.exit(held, amount);

        pool.ownShares = held - burned;
        requestId = _request(operatorId, address(0), pool.unbondingOwn.add(out), burned);
        _announce(operatorId, pool);
    }

    /// @inheritdoc IStaking
    function undelegate(uint64 operatorId, uint128 amount) external returns (uint64 requestId) {
        if (amount == 0) revert ZeroAmount();
        Pools.Pool storage pool = _accrue(operatorId);
        uint128 held = _delegations[operatorId][msg.sender];
        if (held == 0) revert InsufficientStake(0, amount);
        (uint96 out, uint128 burned) = pool.exit(held, amount);

        _delegations[operatorId][msg.sender] = held - burned;
        requestId = _request(operatorId, msg.sender, pool.unbondingDelegated.add(out), burned);
        _announce(operatorId, pool);
    }

    /// @inheritdoc IStaking
    function withdraw(uint64 requestId) external {
        Unbonding memory request = _requests[requestId];
        if (request.operatorId == 0) revert UnknownRequest(requestId);
        uint64 epoch = currentEpoch();
        if (epoch < request.releaseEpoch) revert TooEarly(request.releaseEpoch, epoch);
        Pools.Pool storage pool = _pools[request.operatorId];
        bool own = request.holder == address(0);
        address to = own ? _ownerOf(request.operatorId) : request.holder;

        delete _requests[requestId];
        uint96 amount = (own ? pool.unbondingOwn : pool.unbondingDelegated).remove(request.claim);

        emit Withdrawn(requestId, to, amount);
        if (amount != 0) IERC20(token).safeTransfer(to, amount);
    }

    // ---- pay

    /// @inheritdoc IStaking
    function credit(uint256[] calldata entries) external returns (uint256 due) {
        if (msg.sender != settlement) revert NotSettlement(msg.sender);
        uint256 last = operatorCount;
        // The event's data as it is encoded: offset, length, payments. Copying them would cost each entry.
        uint256[] memory data = new uint256[](entries.length + 2);
        uint256 end = 2;
        // Unchecked: indices, and a sum of as many amounts of 128 bits as fit into a block.
        unchecked {
            for (uint256 i = 0; i < entries.length; ++i) {
                uint256 entry = entries[i];
                uint64 operatorId = uint64(entry >> 128);
                if (operatorId == 0 || operatorId > last) revert UnknownOperator(operatorId);
                uint256 amount = _pools[operatorId].note(uint128(entry));
                if (amount == 0) continue;
                data[end++] = (uint256(operatorId) << 128) | amount;
                due += amount;
            }
        }
        if (end == 2) return 0;
        (data[0], data[1]) = (32, end - 2);
        bytes32 topic = Paid.selector;
        assembly ("memory-safe") {
            log1(add(data, 32), mul(end, 32), topic)
        }
    }

    /// @inheritdoc IStaking
    function applyCommission(uint64 operatorId) external {
        Pools.Pool storage pool = _pools[operatorId];
        (uint16 bps, uint64 earliestEpoch) = (pool.announcedBps, pool.announcedEpoch);
        if (earliestEpoch == 0) revert NoCommissionAnnounced(operatorId);
        uint64 epoch = currentEpoch();
        if (epoch < earliestEpoch) revert TooEarly(earliestEpoch, epoch);
        _accrue(operatorId);

        (pool.commissionBps, pool.announcedBps, pool.announcedEpoch) = (bps, 0, 0);

        emit CommissionChanged(operatorId, bps);
    }

    /// @inheritdoc IStaking
    function sync(uint64 operatorId) external {
        if (_ownerOf(operatorId) == address(0)) revert UnknownOperator(operatorId);
        _announce(operatorId, _accrue(operatorId));
    }

    // ---- penalties

    /// @inheritdoc IStaking
    function slash(uint64 operatorId, uint16 bps) external returns (uint128 taken) {
        if (msg.sender != slashing) revert NotSlashing(msg.sender);
        Pools.Pool storage pool = _accrue(operatorId);
        (Loss memory loss, uint256 amount) = pool.slash(bps);
        taken = uint128(amount);

        emit Slashed(operatorId, loss);
        _announce(operatorId, pool);
        if (taken != 0) IERC20(token).safeTransfer(msg.sender, taken);
    }

    // ---- views

    /// @inheritdoc IStaking
    function pools(uint64 operatorId) external view returns (Pool memory) {
        Pools.Pool storage pool = _pools[operatorId];
        return Pool({
            assets: pool.assets,
            shares: pool.shares,
            ownShares: pool.ownShares,
            locked: uint128(pool.lockedUp()),
            unshared: uint128(pool.unshared()),
            unbondingOwn: pool.unbondingOwn.total,
            unbondingDelegated: pool.unbondingDelegated.total,
            paid: uint128(pool.pay)
        });
    }

    /// @inheritdoc IStaking
    function delegationOf(uint64 operatorId, address delegator) external view returns (uint128 shares, uint128 value) {
        shares = _delegations[operatorId][delegator];
        (uint256 assets, uint256 all,, uint256 locked) = _pools[operatorId].accrued();
        value = uint128(Pools.exitDown(shares, assets, all, locked));
    }

    /// @inheritdoc IStaking
    function ownValue(uint64 operatorId) external view returns (uint128) {
        (uint256 assets, uint256 all, uint256 own, uint256 locked) = _pools[operatorId].accrued();
        return uint128(Pools.exitDown(own, assets, all, locked));
    }

    /// @inheritdoc IStaking
    function requests(uint64 requestId) external view returns (Request memory) {
        Unbonding memory request = _requests[requestId];
        Pools.Pool storage pool = _pools[request.operatorId];
        bool own = request.holder == address(0);
        return Request({
            operatorId: request.operatorId,
            holder: request.holder,
            amount: (own ? pool.unbondingOwn : pool.unbondingDelegated).valueDown(request.claim),
            releaseEpoch: request.releaseEpoch
        });
    }

    // ---- parts

    /// @dev Books own stake; the tokens are there already or follow.
    function _stake(uint64 operatorId, address from, uint128 amount) private {
        _requireOwner(operatorId, from);
        if (amount == 0) revert ZeroAmount();
        Pools.Pool storage pool = _accrue(operatorId);
        uint128 shares = pool.deposit(amount);
        pool.ownShares += shares;

        emit Staked(operatorId, from, amount, shares);
        _announce(operatorId, pool);
    }

    /// @dev Books a delegation; the tokens are there already or follow. The weight cannot fall by it, and a rise is
    /// left to the next `stake` or `sync`, so nothing is announced.
    function _delegate(uint64 operatorId, address from, uint128 amount) private {
        if (amount == 0) revert ZeroAmount();
        Pools.Pool storage pool = _accrue(operatorId);
        uint128 shares = pool.deposit(amount);
        // Also refuses an operator that does not exist: it has no own stake.
        (uint256 own, uint256 assets) = (pool.ownDown(), pool.assets);
        if (own * Pools.BPS < assets * minSelfBps) revert SelfStakeTooLow(own, assets);

        _delegations[operatorId][from] += shares;

        emit Delegated(operatorId, from, amount, shares);
    }

    function _request(uint64 operatorId, address holder, Losses.Claim memory claim, uint128 burned)
        private
        returns (uint64 requestId)
    {
        uint64 releaseEpoch = currentEpoch() + unbondingEpochs;
        requestId = ++requestCount;
        _requests[requestId] =
            Unbonding({operatorId: operatorId, holder: holder, releaseEpoch: uint32(releaseEpoch), claim: claim});
        emit UnbondingStarted(operatorId, holder, requestId, claim.amount, burned, releaseEpoch);
    }

    /// @dev Shares out what was paid since: the first thing whenever a pool is touched.
    function _accrue(uint64 operatorId) private returns (Pools.Pool storage pool) {
        pool = _pools[operatorId];
        Pools.Division memory division = pool.accrue(vestingPeriod);
        if (division.earnings == 0) return pool;
        emit EarningsShared(
            operatorId,
            uint128(division.earnings),
            uint128(division.commission),
            uint128(division.commissionShares)
        );
    }

    /// @dev Checkpoints the present weight: the pool, but at most what the own stake allows.
    function _announce(uint64 operatorId, Pools.Pool storage pool) private {
        uint256 own = pool.ownDown();
        uint256 weight;
        if (own >= minStake) {
            uint256 most = own * Pools.BPS / minSelfBps;
            weight = pool.assets < most ? pool.assets : most;
        }
        uint256 units = weight / StakeHistory.UNIT;
        _setWeight(operatorId, units < StakeHistory.MAX_UNITS ? units : StakeHistory.MAX_UNITS);
    }

    /// @dev A permit that was used already (anyone can submit one) does no harm: the allowance decides.
    function _permit(uint256 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s) private {
        try IERC20Permit(token).permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
    }
}
