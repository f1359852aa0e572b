// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Eip712} from "../../src/libraries/Eip712.sol";
import {Merkle} from "../../src/libraries/Merkle.sol";
import {vm} from "../util/Vm.sol";
import {SponsorActions} from "./SponsorActions.sol";

/// @dev Time, posts under real certificates of whatever set is in force, and pushes of random trees.
abstract contract SettlementActions is SponsorActions {
    /// @dev What the latest root says, cumulative.
    mapping(uint64 operatorId => uint256) internal payouts;
    mapping(uint64 sponsorshipId => uint256) internal refunds;
    /// @dev The latest root's one or two chunks.
    uint256[][2] private _chunks;
    bool private _split;

    function advance(uint256 seconds_) external action {
        uint256 kind = seconds_ % 16;
        uint256 time = block.timestamp;
        if (kind < 6) time += 1 + (seconds_ / 16) % LENGTH;
        else if (kind < 15) time += LENGTH * (1 + (seconds_ / 16) % 4);
        else time += LENGTH * (1 + (seconds_ / 16) % (2 * UNBONDING));
        vm.warp(time);
        did("advance");
    }

    function post(uint256 which, uint256 absentees, uint256 seed) external action {
        uint64 current = now_();
        uint64 least = sponsorships.nextEpoch();
        if (current > LAPSE && current - LAPSE > least) least = current - LAPSE;
        if (least >= current) return;
        uint64 epoch = uint64(pick(which, least, current - 1));
        (uint64 checkpoint, uint128 stake,,) = staking.setAt(epoch);
        if (stake == 0) return;
        postRoot(epoch, checkpoint, absentees, seed);
        did("post");
    }

    function postRoot(uint64 epoch, uint64 checkpoint, uint256 absentees, uint256 seed) private {
        uint256 total = sponsorships.payableThrough(epoch);
        divide(total - settlement.total(), seed);
        bytes32 root = plant(seed);
        settlement.post(
            epoch, root, total, certificate(epoch, Eip712.payout(epoch, checkpoint, root, total), absentees)
        );
        require(settlement.total() == total, "payable changed by being posted");
    }

    /// @dev Gives every wei of `amount` to somebody.
    function divide(uint256 amount, uint256 seed) private {
        uint64 accounts = OPERATORS + sponsorships.sponsorshipCount();
        for (uint64 i = 1; i <= accounts; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 part = i == accounts ? amount : pick(seed, 0, amount);
            if (i <= OPERATORS) payouts[i] += part;
            else refunds[i - OPERATORS] += part;
            amount -= part;
        }
    }

    /// @dev A tree of one chunk with everybody, or of one with operators and one with sponsorships.
    function plant(uint256 seed) private returns (bytes32) {
        uint64 count = sponsorships.sponsorshipCount();
        _split = seed % 2 == 0 && count != 0;
        uint256[] memory first = new uint256[](_split ? OPERATORS : OPERATORS + count);
        uint256[] memory second = new uint256[](_split ? count : 0);
        for (uint64 i = 1; i <= OPERATORS; ++i) {
            first[i - 1] = pack(Merkle.KIND_OPERATOR, i, payouts[i]);
        }
        for (uint64 i = 1; i <= count; ++i) {
            uint256 entry = pack(Merkle.KIND_SPONSORSHIP, i, refunds[i]);
            if (_split) second[i - 1] = entry;
            else first[OPERATORS + i - 1] = entry;
        }
        (_chunks[0], _chunks[1]) = (first, second);
        bytes32 leaf = Merkle.payoutLeaf(first);
        if (!_split) return leaf;
        bytes32 other = Merkle.payoutLeaf(second);
        return leaf < other ? keccak256(bytes.concat(leaf, other)) : keccak256(bytes.concat(other, leaf));
    }

    function push(uint256 which) external action {
        if (!settlement.posted()) return;
        pushChunk(_split ? which % 2 : 0);
        did("push");
    }

    function pushChunk(uint256 i) private {
        bytes32[] memory proof = new bytes32[](_split ? 1 : 0);
        if (_split) proof[0] = Merkle.payoutLeaf(_chunks[1 - i]);
        settlement.push(_chunks[i], proof);
    }

    function pushAll() internal {
        if (!settlement.posted()) return;
        pushChunk(0);
        if (_split) pushChunk(1);
    }
}
