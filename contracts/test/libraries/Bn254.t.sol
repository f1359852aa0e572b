// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {Bn254} from "../../src/libraries/Bn254.sol";
import {vm} from "../util/Vm.sol";

/// @dev The laws of the group, over multiples of the generator: the group is cyclic, so they are all its points.
contract Bn254Test {
    function point(uint256 scalar) private view returns (uint256[2] memory) {
        return Bn254.mul(Bn254.generator(), scalar);
    }

    function same(uint256[2] memory a, uint256[2] memory b) private pure {
        vm.assertEq(a[0], b[0]);
        vm.assertEq(a[1], b[1]);
    }

    function testFuzz_addition_commutes(uint256 a, uint256 b) public view {
        same(Bn254.add(point(a), point(b)), Bn254.add(point(b), point(a)));
    }

    function testFuzz_addition_associates(uint256 a, uint256 b, uint256 c) public view {
        same(
            Bn254.add(Bn254.add(point(a), point(b)), point(c)), Bn254.add(point(a), Bn254.add(point(b), point(c)))
        );
    }

    function testFuzz_scalars_distribute(uint256 a, uint256 b) public view {
        same(Bn254.add(point(a), point(b)), point(addmod(a, b, Bn254.Q)));
        same(Bn254.mul(point(a), b), point(mulmod(a, b, Bn254.Q)));
    }

    function testFuzz_doubling_is_adding_twice(uint256 a) public view {
        same(Bn254.add(point(a), point(a)), Bn254.mul(point(a), 2));
    }

    function testFuzz_infinity_changes_nothing(uint256 a) public view {
        uint256[2] memory infinity;
        same(Bn254.add(point(a), infinity), point(a));
        same(Bn254.mul(infinity, a), infinity);
    }

    function testFuzz_a_point_and_its_negation_cancel(uint256 a) public view {
        uint256[2] memory p = point(a);
        vm.assertTrue(Bn254.isInfinity(Bn254.add(p, Bn254.negate(p))));
        same(Bn254.negate(Bn254.negate(p)), p);
    }

    function test_the_order_is_Q() public view {
        vm.assertTrue(Bn254.isInfinity(point(Bn254.Q)));
        vm.assertTrue(Bn254.isInfinity(Bn254.negate(point(0))));
        same(point(Bn254.Q + 1), Bn254.generator());
    }

    function add(uint256[2] memory a, uint256[2] memory b) external view returns (uint256[2] memory) {
        return Bn254.add(a, b);
    }

    function mul(uint256[2] memory p, uint256 scalar) external view returns (uint256[2] memory) {
        return Bn254.mul(p, scalar);
    }

    /// @dev A failing precompile consumes what it is given, so the gas is bounded here; forge prices it as chains do.
    function testFuzz_reverts_off_the_curve(uint256 a, uint256 off) public {
        uint256[2] memory p = point(a);
        off = 1 + off % (Bn254.P - 1);
        p[1] = addmod(p[1], off, Bn254.P);
        vm.assume(mulmod(p[1], p[1], Bn254.P) != mulmod(point(a)[1], point(a)[1], Bn254.P));
        vm.expectRevert(Bn254.InvalidPoint.selector);
        this.add{gas: 100_000}(p, Bn254.generator());
        vm.expectRevert(Bn254.InvalidPoint.selector);
        this.mul{gas: 100_000}(p, 5);
    }

    function test_reverts_for_coordinates_that_are_not_reduced() public {
        uint256[2] memory p = [1 + Bn254.P, uint256(2)];
        vm.expectRevert(Bn254.InvalidPoint.selector);
        this.add{gas: 100_000}(p, Bn254.generator());
    }
}
