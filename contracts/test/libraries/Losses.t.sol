// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Losses} from "../../src/libraries/Losses.sol";
import {vm} from "../util/Vm.sol";

contract LossesTest {
    using Losses for Losses.Queue;

    Losses.Queue private queue;
    Losses.Claim[] private claims;

    function value(uint256 i) private view returns (uint96) {
        return Losses.valueDown(queue, claims[i]);
    }

    function test_a_claim_is_worth_its_amount_until_there_is_a_loss() public {
        claims.push(queue.add(100));
        claims.push(queue.add(50));
        queue.take(0);
        vm.assertEq(value(0), 100);
        vm.assertEq(queue.kept, 0);
        vm.assertEq(queue.remove(claims[1]), 50);
        vm.assertEq(queue.total, 100);
    }

    function test_a_loss_is_shared_and_spares_later_claims() public {
        claims.push(queue.add(100));
        claims.push(queue.add(300));
        queue.take(100);
        vm.assertEq(value(0), 75);
        vm.assertEq(value(1), 225);
        claims.push(queue.add(100));
        vm.assertEq(value(2), 100);
        queue.take(200);
        vm.assertEq(value(0), 37);
        vm.assertEq(value(1), 112);
        vm.assertEq(value(2), 50);
        vm.assertEq(queue.total, 200);
    }

    function test_a_total_loss_ends_the_era_and_the_queue_goes_on() public {
        claims.push(queue.add(100));
        queue.take(100);
        vm.assertEq(value(0), 0);
        vm.assertEq(queue.era, 1);
        claims.push(queue.add(60));
        queue.take(30);
        vm.assertEq(value(0), 0);
        vm.assertEq(value(1), 30);
        vm.assertEq(queue.remove(claims[0]), 0);
        vm.assertEq(queue.remove(claims[1]), 30);
        vm.assertEq(queue.total, 0);
    }

    /// @dev However often it is hit, a claim can be closed and the books stay right.
    function test_ten_thousand_losses_of_a_tenth() public {
        claims.push(queue.add(1e27));
        for (uint256 i = 0; i < 10_000; ++i) {
            // Each time somebody new comes, so there is always something to lose.
            queue.add(1e18);
            queue.take(uint96((uint256(queue.total) + 9) / 10));
            vm.assertLe(value(0), queue.total);
        }
        vm.assertGe(queue.era, 10);
        vm.assertEq(value(0), 0);
        vm.assertEq(queue.remove(claims[0]), 0);
    }

    /// @dev Random joining, losing and leaving: the claims never exceed the total, and nobody has more than the exact
    /// share of what the losses left.
    function testFuzz_the_sum_of_all_claims_is_covered(uint256 seed) public {
        uint256[] memory exact = new uint256[](40);
        for (uint256 step = 0; step < 40; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint256 act = seed % 4;
            if (act < 2) {
                exact[claims.length] = (uint96(seed >> 8) >> 6) >> ((seed >> 200) % 90);
                claims.push(queue.add(uint96(exact[claims.length])));
            } else if (act == 2 && queue.total != 0) {
                uint96 loss = uint96((seed >> 8) % (uint256(queue.total) + 1));
                for (uint256 i = 0; i < claims.length; ++i) {
                    // Rounded up: no claim may be worth more.
                    exact[i] = (exact[i] * (queue.total - loss) + queue.total - 1) / queue.total;
                }
                queue.take(loss);
            } else if (claims.length != 0) {
                uint256 i = (seed >> 8) % claims.length;
                uint96 before = queue.total;
                uint96 out = queue.remove(claims[i]);
                vm.assertEq(queue.total, before - out);
                claims[i].amount = 0;
                exact[i] = 0;
            }
            uint256 sum;
            for (uint256 i = 0; i < claims.length; ++i) {
                vm.assertLe(value(i), exact[i]);
                sum += value(i);
            }
            vm.assertLe(sum, queue.total);
        }
    }
}
