// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISettlement} from "../../src/interfaces/ISettlement.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Merkle} from "../../src/libraries/Merkle.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

/// @dev Trees of one or two chunks: the root of one is its leaf.
contract PushTest is Fixture {
    uint128 private constant RATE = 100 * DATA;
    bytes32[] private none;

    function prepare() private {
        operators(4);
        sponsor(RATE, 10);
    }

    function post(uint64 epoch, bytes32 root, uint256 total) private {
        enter(epoch + 1);
        settlement.post(epoch, root, total, certify(4, 4, Eip712.payout(epoch, 2, root, total)));
    }

    /// @dev Operators 1 and 2 earn, the sponsor gets the rest back.
    function chunk(uint256 a, uint256 b, uint256 refund) private pure returns (uint256[] memory entries) {
        entries = new uint256[](3);
        entries[0] = pack(1, 1, a);
        entries[1] = pack(1, 2, b);
        entries[2] = pack(2, 1, refund);
    }

    function test_reverts_for_an_empty_chunk() public {
        vm.expectRevert(Merkle.InvalidEntries.selector);
        settlement.push(new uint256[](0), none);
    }

    function test_reverts_for_more_than_64_entries() public {
        uint256[] memory entries = new uint256[](65);
        for (uint256 i = 0; i < 65; ++i) {
            entries[i] = pack(1, i + 1, 1);
        }
        vm.expectRevert(Merkle.InvalidEntries.selector);
        settlement.push(entries, none);
    }

    function refuse(uint256 first, uint256 second) private {
        uint256[] memory entries = new uint256[](2);
        (entries[0], entries[1]) = (first, second);
        vm.expectRevert(Merkle.InvalidEntries.selector);
        settlement.push(entries, none);
    }

    function test_reverts_unless_strictly_ascending() public {
        refuse(pack(1, 2, 1), pack(1, 1, 1));
        refuse(pack(1, 1, 1), pack(1, 1, 2));
        refuse(pack(2, 1, 1), pack(1, 2, 1));
    }

    function test_reverts_for_unknown_kinds_and_dirty_bits() public {
        refuse(pack(0, 1, 1), pack(1, 1, 1));
        refuse(pack(1, 1, 1), pack(3, 1, 1));
        refuse(pack(1, 1, 1) | (1 << 192), pack(1, 2, 1));
        refuse(pack(1, 1, 1) | (1 << 247), pack(2, 2, 1));
    }

    function test_reverts_outside_the_latest_root() public {
        prepare();
        uint256[] memory old = chunk(60 * DATA, 30 * DATA, 10 * DATA);
        post(2, Merkle.payoutLeaf(old), RATE);
        post(3, keccak256("newer"), 2 * RATE);
        vm.expectRevert(ISettlement.InvalidProof.selector);
        settlement.push(old, none);
    }

    function test_reverts_before_any_root() public {
        prepare();
        vm.expectRevert(ISettlement.InvalidProof.selector);
        settlement.push(chunk(1, 1, 1), none);
    }

    function test_reverts_for_an_unknown_operator() public {
        prepare();
        uint256[] memory entries = new uint256[](1);
        entries[0] = pack(1, 5, RATE);
        post(2, Merkle.payoutLeaf(entries), RATE);
        vm.expectRevert(abi.encodeWithSelector(IStaking.UnknownOperator.selector, 5));
        settlement.push(entries, none);
    }

    function test_reverts_for_an_unknown_sponsorship() public {
        prepare();
        uint256[] memory entries = new uint256[](1);
        entries[0] = pack(2, 2, RATE);
        post(2, Merkle.payoutLeaf(entries), RATE);
        vm.expectRevert(abi.encodeWithSelector(ISponsorships.UnknownSponsorship.selector, 2));
        settlement.push(entries, none);
    }

    function test_never_pays_more_than_was_posted() public {
        prepare();
        uint256[] memory entries = chunk(60 * DATA, 30 * DATA, 10 * DATA + 1);
        post(2, Merkle.payoutLeaf(entries), RATE);
        vm.expectRevert(abi.encodeWithSelector(ISettlement.OverPaid.selector, RATE + 1, RATE));
        settlement.push(entries, none);
    }

    function test_pays_operators_and_refunds_the_sponsor() public {
        prepare();
        uint256[] memory entries = chunk(60 * DATA, 30 * DATA, 10 * DATA);
        bytes32 leaf = Merkle.payoutLeaf(entries);
        post(2, leaf, RATE);
        uint256 held = token.balanceOf(address(staking));
        vm.expectEmit(address(settlement));
        emit ISettlement.Pushed(leaf, leaf, RATE);
        settlement.push(entries, none);

        vm.assertEq(staking.pools(1).paid, 60 * DATA);
        vm.assertEq(staking.pools(2).paid, 30 * DATA);
        vm.assertEq(token.balanceOf(address(staking)) - held, 90 * DATA);
        vm.assertEq(sponsorships.sponsorships(1).refunded, 10 * DATA);
        vm.assertEq(sponsorships.sponsorships(1).spare, 10 * DATA);
        vm.assertEq(token.balanceOf(address(sponsorships)), 9 * RATE + 10 * DATA);
        vm.assertEq(settlement.inFlight(), 0);
        vm.assertEq(token.balanceOf(address(settlement)), 0);
    }

    function test_a_replay_pays_nothing() public {
        prepare();
        uint256[] memory entries = chunk(60 * DATA, 30 * DATA, 10 * DATA);
        post(2, Merkle.payoutLeaf(entries), RATE);
        settlement.push(entries, none);
        uint256 held = token.balanceOf(address(staking));
        settlement.push(entries, none);
        vm.assertEq(token.balanceOf(address(staking)), held);
        vm.assertEq(settlement.paid(), RATE);
    }

    function test_one_push_catches_up_missed_epochs() public {
        prepare();
        post(2, Merkle.payoutLeaf(chunk(60 * DATA, 30 * DATA, 10 * DATA)), RATE);
        uint256[] memory entries = chunk(120 * DATA, 70 * DATA, 10 * DATA);
        post(3, Merkle.payoutLeaf(entries), 2 * RATE);
        settlement.push(entries, none);
        vm.assertEq(staking.pools(1).paid, 120 * DATA);
        vm.assertEq(settlement.inFlight(), 0);
    }

    function test_refunds_alone_move_no_tokens() public {
        prepare();
        uint256[] memory entries = new uint256[](1);
        entries[0] = pack(2, 1, RATE);
        post(2, Merkle.payoutLeaf(entries), RATE);
        settlement.push(entries, none);
        vm.assertEq(token.balanceOf(address(sponsorships)), 10 * RATE);
        vm.assertEq(sponsorships.sponsorships(1).spare, RATE);
        vm.assertEq(settlement.paid(), RATE);
    }

    function test_an_operator_that_left_is_paid_and_blocks_nobody() public {
        prepare();
        uint256[] memory entries = chunk(60 * DATA, 30 * DATA, 10 * DATA);
        post(2, Merkle.payoutLeaf(entries), RATE);
        vm.prank(ownerOf(1));
        staking.unstake(1, type(uint128).max);
        vm.prank(SPONSOR);
        sponsorships.stop(1);
        settlement.push(entries, none);
        vm.assertEq(staking.pools(1).unshared, 60 * DATA);
        vm.assertEq(settlement.inFlight(), 0);
    }

    function test_a_root_that_owes_too_much_does_not_block_the_next() public {
        prepare();
        uint256[] memory greedy = chunk(60 * DATA, 30 * DATA, 10 * DATA + 1);
        post(2, Merkle.payoutLeaf(greedy), RATE);
        uint256[] memory entries = chunk(120 * DATA, 70 * DATA, 10 * DATA);
        post(3, Merkle.payoutLeaf(entries), 2 * RATE);
        settlement.push(entries, none);
        vm.assertEq(settlement.inFlight(), 0);
    }

    function test_pushes_chunk_by_chunk_with_proofs() public {
        prepare();
        uint256[] memory first = new uint256[](1);
        uint256[] memory second = new uint256[](1);
        (first[0], second[0]) = (pack(1, 1, 70 * DATA), pack(2, 1, 30 * DATA));
        (bytes32 a, bytes32 b) = (Merkle.payoutLeaf(first), Merkle.payoutLeaf(second));
        bytes32 root = a < b ? keccak256(abi.encode(a, b)) : keccak256(abi.encode(b, a));
        post(2, root, RATE);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = a;
        settlement.push(second, proof);
        vm.assertEq(settlement.inFlight(), 70 * DATA);
        proof[0] = b;
        settlement.push(first, proof);
        vm.assertEq(settlement.inFlight(), 0);
    }

    /// @dev Two chunks, pushed in any order and again, after a first root of which only one chunk was pushed.
    function testFuzz_pays_what_was_posted_and_no_more(
        uint128[4] memory parts,
        bool firstOnly,
        bool reversed,
        uint8 again
    ) public {
        prepare();
        uint256[2] memory totals = [uint256(RATE), 2 * RATE];
        uint256[] memory a;
        uint256[] memory b;
        for (uint256 i = 0; i < 2; ++i) {
            // Cumulative, so the second part of each is at least the first; the sponsorship takes the rest.
            uint256 one = (parts[0] % (RATE / 2)) + i * (parts[2] % (RATE / 2));
            uint256 two = (parts[1] % (RATE / 2)) + i * (parts[3] % (RATE / 2));
            (a, b) = (new uint256[](2), new uint256[](1));
            (a[0], a[1], b[0]) = (pack(1, 1, one), pack(1, 3, two), pack(2, 1, totals[i] - one - two));
            (bytes32 x, bytes32 y) = (Merkle.payoutLeaf(a), Merkle.payoutLeaf(b));
            post(uint64(2 + i), x < y ? keccak256(abi.encode(x, y)) : keccak256(abi.encode(y, x)), totals[i]);
            if (i == 0) firstOnly ? open(a, y) : open(b, x);
        }
        bytes32[2] memory leaves = [Merkle.payoutLeaf(a), Merkle.payoutLeaf(b)];
        for (uint256 i = 0; i < 2 + (again % 3); ++i) {
            (i % 2 == 0) == reversed ? open(b, leaves[0]) : open(a, leaves[1]);
        }
        vm.assertEq(settlement.inFlight(), 0);
        vm.assertEq(settlement.paid(), 2 * RATE);
        uint256 operatorsPart = uint256(uint128(a[0])) + uint128(a[1]);
        vm.assertEq(staking.pools(1).paid, uint128(a[0]));
        vm.assertEq(staking.pools(3).paid, uint128(a[1]));
        vm.assertEq(sponsorships.sponsorships(1).spare, uint128(b[0]));
        vm.assertEq(token.balanceOf(address(staking)), 40 * MIN_STAKE + operatorsPart);
        vm.assertEq(token.balanceOf(address(sponsorships)), 10 * RATE - operatorsPart);
    }

    function open(uint256[] memory entries, bytes32 sibling) private {
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = sibling;
        settlement.push(entries, proof);
    }

    function gasOf(uint256 kind, uint256 count, string memory name) private {
        if (kind == 2) {
            operators(4);
            for (uint256 i = 0; i < count; ++i) {
                sponsor(RATE, 10);
            }
        } else {
            for (uint256 i = 1; i <= (count < 4 ? 4 : count); ++i) {
                uint64 id = register(i);
                if (i <= 4) stake(id, 10 * MIN_STAKE);
            }
            sponsor(RATE * uint128(count), 10);
        }
        uint256[] memory entries = new uint256[](count);
        for (uint256 epoch = 2; epoch <= 3; ++epoch) {
            for (uint256 i = 0; i < count; ++i) {
                entries[i] = pack(kind, i + 1, (epoch - 1) * RATE);
            }
            post(uint64(epoch), Merkle.payoutLeaf(entries), (epoch - 1) * RATE * count);
            settlement.push(entries, none);
        }
        vm.snapshotGasLastCall("settlement", name);
    }

    function test_gas_1_operator() public {
        gasOf(1, 1, "push, 1 operator");
    }

    function test_gas_16_operators() public {
        gasOf(1, 16, "push, 16 operators");
    }

    function test_gas_64_operators() public {
        gasOf(1, 64, "push, 64 operators");
    }

    function test_gas_64_refunds() public {
        gasOf(2, 64, "push, 64 refunds");
    }
}
