// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Bls} from "../../src/libraries/Bls.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {HashToCurve} from "../../src/libraries/HashToCurve.sol";
import {BandwidthReceipt} from "../../src/libraries/Types.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";

/// @dev What the proofs' tests share: four operators with `STAKE` each, in force; operator 1 is the offender, `node`
/// its node and the receiver; a sponsorship of `STREAM` that pays for the epoch of the offence, `EPOCH`, which is now.
abstract contract Case is Fixture {
    address internal constant RELAYER = address(0x7e1a);
    address internal constant REPORTER = address(0x9e90);
    address internal constant STRANGER = address(0x57a6);
    uint64 internal constant EPOCH = 3;
    uint64 internal constant CHECKPOINT = 2;
    uint256 internal constant KEY = 0xbeef01;
    uint128 internal constant STAKE = 10 * MIN_STAKE;
    /// @dev What one offence takes of STAKE, and how it is divided as long as nobody is harmed.
    uint128 internal constant PENALTY = STAKE / 10;
    uint128 internal constant BOUNTY = PENALTY / 10;
    uint128 internal constant RATE = 100 * DATA;
    address internal node;
    uint64 internal sponsorshipId;

    function setUp() public virtual override {
        super.setUp();
        operators(4);
        node = addNode(1, KEY);
        sponsorshipId = sponsor(RATE, 100);
        enter(EPOCH);
    }

    function part() internal pure returns (bytes32) {
        return keccak256(bytes(string.concat(STREAM, "#0")));
    }

    function nobody() internal pure returns (ISlashing.Harm memory) {
        return ISlashing.Harm(0, "", 0);
    }

    function harmed() internal view returns (ISlashing.Harm memory) {
        return ISlashing.Harm(sponsorshipId, STREAM, 0);
    }

    function none() internal pure returns (bytes32[] memory) {
        return new bytes32[](0);
    }

    // ---- signatures

    /// @dev ERC-2098: the recovery bit in the highest bit of s.
    function compact(uint256 key, bytes32 structHash) internal view returns (bytes32 r, bytes32 vs) {
        uint8 v;
        (v, r, vs) = vm.sign(key, Eip712.digest(address(slashing), structHash));
        if (v == 28) vs |= bytes32(uint256(1) << 255);
    }

    function attest(uint256 secret, bytes32 structHash) internal view returns (uint256[2] memory) {
        bytes32 digest = Eip712.digest(address(slashing), structHash);
        return Bn254.mul(HashToCurve.hash(digest, Bls.STATEMENT_TAG), secret);
    }

    function negate(uint256[4] memory k) internal pure returns (uint256[4] memory) {
        return [k[0], k[1], (Bn254.P - k[2]) % Bn254.P, (Bn254.P - k[3]) % Bn254.P];
    }

    /// @dev On the twist, where x = 1, but not in the subgroup of the keys.
    function outsideTheSubgroup() internal pure returns (uint256[4] memory) {
        return [
            0,
            1,
            0x0d1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4,
            0x2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bb
        ];
    }

    /// @dev An offence that needs nothing but the node's key; each `nonce` has its own slot.
    function offend(uint256 nonce, bool thenExecute) internal returns (bytes32 slot) {
        return offendIn(now_(), nonce, thenExecute);
    }

    function offendIn(uint64 epoch, uint256 nonce, bool thenExecute) internal returns (bytes32 slot) {
        bytes32[2] memory r;
        bytes32[2] memory vs;
        address relayer = address(uint160(nonce));
        (bytes32 a, bytes32 b) = (keccak256("a"), keccak256("b"));
        (r[0], vs[0]) = compact(KEY, bandwidth(epoch, relayer, node, a));
        (r[1], vs[1]) = compact(KEY, bandwidth(epoch, relayer, node, b));
        vm.prank(REPORTER);
        slashing.receiptEquivocation(epoch, relayer, node, 1, [a, b], r, vs, thenExecute);
        return slashing.receiptSlot(epoch, relayer, node);
    }

    function bandwidth(uint64 epoch, address relayer, address receiver, bytes32 root)
        internal
        pure
        returns (bytes32)
    {
        return Eip712.bandwidthReceipt(BandwidthReceipt(epoch, relayer, receiver, 1, root));
    }

    // ---- money

    function delegate(address who, uint64 operatorId, uint128 amount) internal {
        token.transfer(who, amount);
        vm.startPrank(who);
        token.approve(address(staking), amount);
        staking.delegate(operatorId, amount);
        vm.stopPrank();
    }

    function spare() internal view returns (uint128) {
        return sponsorships.sponsorships(sponsorshipId).spare;
    }

    /// @dev The penalty of operator 1 was `taken` in all, `bounty` of it for REPORTER, `returned` for the sponsorship.
    function assertTaken(uint128 taken, uint128 bounty, uint128 returned) internal view {
        IStaking.Pool memory pool = staking.pools(1);
        vm.assertEq(pool.assets + pool.unbondingOwn + pool.unbondingDelegated, STAKE - taken);
        vm.assertEq(token.balanceOf(REPORTER), bounty);
        vm.assertEq(spare(), returned);
        vm.assertEq(token.balanceOf(BURNED), taken - bounty - returned);
        vm.assertEq(token.balanceOf(address(slashing)), 0);
    }

    function assertRecorded(bytes32 slot, ISlashing.Kind kind, bool executed) internal view {
        ISlashing.Offence memory offence = slashing.offences(slot);
        vm.assertEq(offence.reporter, REPORTER);
        vm.assertEq(offence.operatorId, 1);
        vm.assertEq(uint256(offence.kind), uint256(kind));
        vm.assertEq(offence.executed, executed);
    }

    // ---- reasons

    function notAConflict() internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ISlashing.NotAConflict.selector);
    }

    function tooOld() internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ISlashing.EvidenceTooOld.selector, EPOCH, EPOCH + EVIDENCE + 1);
    }

    function alreadyProven(bytes32 slot) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ISlashing.AlreadyProven.selector, slot);
    }

    function notSignedBy(uint256 signer, address receiver) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ISlashing.NotSignedByReceiver.selector, vm.addr(signer), receiver);
    }

    function highS(bytes memory signature) internal pure returns (bytes memory) {
        bytes32 s;
        assembly {
            s := mload(add(signature, 0x40))
        }
        return abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, s);
    }
}
