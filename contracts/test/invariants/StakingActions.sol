// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Bls} from "../../src/libraries/Bls.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {HashToCurve} from "../../src/libraries/HashToCurve.sol";
import {vm} from "../util/Vm.sol";
import {World} from "./World.sol";

interface ICallable {
    function transferAndCall(address to, uint256 value, bytes calldata data) external returns (bool);
}

/// @dev Operators and delegators.
abstract contract StakingActions is World {
    function stake(uint256 who, uint256 size, uint256 how) external action {
        uint64 id = operator(who);
        address owner = staking.operators(id).owner;
        (uint256 least, uint256 most) = depositable(id);
        if (least > most) return;
        uint128 amount = uint128(pickDeposit(size, least, most));
        grant(owner, address(staking), amount);
        vm.prank(owner);
        if (how % 2 == 0) ICallable(address(token)).transferAndCall(address(staking), amount, abi.encode(uint8(1), id));
        else staking.stake(id, amount);
        did("stake");
    }

    function delegate(uint256 who, uint256 whom, uint256 size, uint256 how) external action {
        uint64 id = operator(whom);
        (uint256 least, uint256 most) = depositable(id);
        uint256 room = delegationRoom(id);
        if (most > room) most = room;
        if (least > most) return;
        uint128 amount = uint128(pickDeposit(size, least, most));
        address from = person(who);
        grant(from, address(staking), amount);
        vm.prank(from);
        if (how % 2 == 0) ICallable(address(token)).transferAndCall(address(staking), amount, abi.encode(uint8(2), id));
        else staking.delegate(id, amount);
        did("delegate");
    }

    /// @dev At most as much as the operator's own stake, valued low, allows; pay shared out first only adds to it.
    function delegationRoom(uint64 id) private view returns (uint256) {
        IStaking.Pool memory p = staking.pools(id);
        uint256 own = uint256(p.ownShares) * (uint256(p.assets) + 1) / (uint256(p.shares) + 1e6);
        uint256 allowed = own * 10_000 / MIN_SELF_BPS;
        uint256 taken = uint256(p.assets) + p.unshared;
        return allowed > taken ? allowed - taken : 0;
    }

    function unstake(uint256 who, uint256 size) external action {
        uint64 id = operator(who);
        IStaking.Pool memory p = staking.pools(id);
        uint128 amount = exitAmount(p, p.ownShares, size);
        if (amount == 0 || exits.length >= OPEN_REQUESTS) return;
        vm.prank(staking.operators(id).owner);
        exits.push(Exit(staking.unstake(id, amount), id, now_(), true));
        did("unstake");
    }

    function undelegate(uint256 who, uint256 whom, uint256 size) external action {
        uint64 id = operator(whom);
        (address from, uint128 held) = delegator(id, who);
        uint128 amount = exitAmount(staking.pools(id), held, size);
        if (amount == 0 || exits.length >= OPEN_REQUESTS) return;
        vm.prank(from);
        exits.push(Exit(staking.undelegate(id, amount), id, now_(), false));
        did("undelegate");
    }

    /// @dev Somebody who delegates to the operator, or somebody who does not if nobody does.
    function delegator(uint64 id, uint256 seed) private view returns (address who, uint128 held) {
        seed %= PEOPLE;
        for (uint256 i = 0; i < PEOPLE && held == 0; ++i) {
            who = person(seed + i);
            (held,) = staking.delegationOf(id, who);
        }
    }

    /// @dev What is worth at least as much now, for a share never loses exit value when pay is shared out; or all.
    function exitAmount(IStaking.Pool memory p, uint128 held, uint256 size) private pure returns (uint128) {
        if (held == 0) return 0;
        if (size % 4 == 0) return type(uint128).max;
        uint256 value = uint256(held) * (uint256(p.assets) - p.locked + 1) / (uint256(p.shares) + 1e6);
        // All but a wei: few shares, whose price pay then drives up.
        if (size % 4 == 1 && value > 1) return uint128(value - 1);
        return value == 0 ? 0 : uint128(pickSize(size / 4, 1, value));
    }

    function withdraw(uint256 which) external action {
        if (exits.length == 0) return;
        uint256 i = which % exits.length;
        IStaking.Request memory request = staking.requests(exits[i].requestId);
        if (request.releaseEpoch > now_()) return;
        close(i, request);
        did("withdraw");
    }

    /// @dev Pays exactly what it said it would, to whom it said.
    function close(uint256 i, IStaking.Request memory request) internal {
        Exit memory exit = exits[i];
        require(request.operatorId == exit.operatorId, "a request is another's");
        address to = exit.own ? staking.operators(exit.operatorId).owner : request.holder;
        uint256 before = token.balanceOf(to);
        staking.withdraw(exit.requestId);
        require(token.balanceOf(to) == before + request.amount, "withdraw paid something else");
        exits[i] = exits[exits.length - 1];
        exits.pop();
    }

    function sync(uint256 who) external action {
        staking.sync(operator(who));
        did("sync");
    }

    /// @dev What operators do rarely.
    function manage(uint256 what, uint256 who, uint256 how) external action {
        if (what % 4 == 0) announceCommission(operator(who), how);
        else if (what % 4 == 1) applyCommission(operator(who));
        else if (what % 4 == 2) handOver(operator(who), person(how));
        else toggleNode(operator(who));
    }

    function announceCommission(uint64 id, uint256 bps) private {
        // Each announcement makes the one before wait anew.
        if (staking.operators(id).announcedEpoch != 0 && bps % 4 != 0) return;
        vm.prank(staking.operators(id).owner);
        staking.announceCommission(id, uint16(pick(bps, 0, 10_000)));
        did("announceCommission");
    }

    function applyCommission(uint64 id) private {
        uint64 earliest = staking.operators(id).announcedEpoch;
        if (earliest == 0 || earliest > now_()) return;
        staking.applyCommission(id);
        did("applyCommission");
    }

    function rotateKey(uint256 who) external action {
        if (keysUsed == KEYS) return;
        uint64 id = operator(who);
        address owner = staking.operators(id).owner;
        Key memory k = key(keysUsed);
        bytes32 digest = Eip712.digest(address(slashing), Eip712.blsKey(owner, k.g1, k.g2));
        uint256[2] memory proven = Bn254.mul(HashToCurve.hash(digest, Bls.POSSESSION_TAG), k.secret);
        vm.prank(owner);
        staking.rotateKey(id, k.g1, k.g2, proven);
        keyPoints[id].push(KeyPoint(now_() + LEAD, keysUsed));
        keysUsed += 1;
        did("rotateKey");
    }

    function handOver(uint64 id, address to) private {
        vm.prank(staking.operators(id).owner);
        staking.transferOwnership(id, to);
        vm.prank(to);
        staking.acceptOwnership(id);
        did("handOver");
    }

    function toggleNode(uint64 id) private {
        address node = vm.addr(nodeKey(id));
        if (staking.isActiveNode(node)) {
            vm.prank(staking.operators(id).owner);
            staking.removeNode(id, node);
        } else {
            addNode(id, nodeKey(id));
        }
        did("toggleNode");
    }
}
