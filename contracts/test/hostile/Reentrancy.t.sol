// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Merkle} from "../../src/libraries/Merkle.sol";
import {Certificate, DeliveryReceipt} from "../../src/libraries/Types.sol";
import {Fixture} from "../util/Fixture.sol";
import {vm} from "../util/Vm.sol";
import {IObserver, ReenteringToken} from "./Tokens.sol";

/// @dev Makes one call, and whenever tokens move meanwhile another, as long as that fails.
contract Attacker is IObserver {
    address private _target;
    bytes private _inner;
    bool private _inside;
    bool public entered;
    bytes public answer;

    function prepare(address target, bytes calldata inner) external {
        (_target, _inner, entered) = (target, inner, false);
    }

    function run(address target, bytes calldata data) external returns (bool ok, bytes memory result) {
        (ok, result) = target.call(data);
    }

    function onMove() external {
        if (_inside || entered || _target == address(0)) return;
        _inside = true;
        (entered, answer) = _target.call(_inner);
        _inside = false;
    }
}

/// @dev Every action that moves tokens, with every action inside it, by one who is owner, delegator, sponsor and
/// reporter at once: whatever succeeds, the ledgers stay equal to the balances, and nobody else has less.
contract ReentrancyTest is Fixture {
    uint128 private constant STAKE = 10 * MIN_STAKE;
    uint128 private constant RATE = 100 * DATA;
    uint256 private constant KEY = 0xbeef01;
    address private constant OTHER = address(0x0de1);
    uint64 private constant NOW = 34;

    Attacker private attacker;
    bytes32[3] private slots;
    uint256[] private chunk;
    bytes32[] private proof;
    uint256 private recoveredBefore;

    struct Act {
        address target;
        bytes data;
    }

    function createToken() internal override returns (address) {
        bytes memory arguments = abi.encode(address(this), uint256(1e9) * DATA);
        return deployer.deploy(bytes.concat(type(ReenteringToken).creationCode, arguments));
    }

    /// @dev The attacker owns operator 1, delegates to it, has requests that are due, sponsors three streams, one of
    /// them stopped with something to reclaim, has a lapse to recover and two offences of its operator proven. A chunk
    /// of the latest root is not pushed yet.
    function setUp() public override {
        super.setUp();
        operators(4);
        addNode(1, KEY);
        attacker = new Attacker();
        vm.prank(ownerOf(1));
        staking.transferOwnership(1, address(attacker));
        token.transfer(address(attacker), 100 * STAKE);
        must(address(token), abi.encodeCall(token.approve, (address(staking), type(uint256).max)));
        must(address(token), abi.encodeCall(token.approve, (address(sponsorships), type(uint256).max)));
        must(address(staking), abi.encodeCall(IStaking.acceptOwnership, (1)));
        must(address(staking), abi.encodeCall(IStaking.delegate, (1, STAKE)));
        for (uint256 i = 0; i < 3; ++i) {
            must(address(sponsorships), abi.encodeCall(ISponsorships.create, (STREAM, 1, RATE, 0, 100, 3, 5000)));
        }
        sponsor(RATE, 100);
        token.transfer(OTHER, STAKE);
        vm.startPrank(OTHER);
        token.approve(address(staking), STAKE);
        staking.delegate(1, STAKE);
        vm.stopPrank();
        enter(1);
        must(address(staking), abi.encodeCall(IStaking.announceCommission, (1, 2000)));
        must(address(staking), abi.encodeCall(IStaking.unstake, (1, STAKE / 10)));
        must(address(staking), abi.encodeCall(IStaking.undelegate, (1, STAKE / 10)));
        enter(NOW);
        settle();
        must(address(sponsorships), abi.encodeCall(ISponsorships.stop, (3)));
        must(address(sponsorships), abi.encodeCall(ISponsorships.recover, (3)));
        recoveredBefore = sponsorships.sponsorships(3).spare;
        for (uint256 i = 0; i < 3; ++i) {
            slots[i] = prove(NOW - uint64(i));
        }
    }

    /// @dev Posts a root of two chunks and pushes the refunds; the operators' chunk waits.
    function settle() private {
        uint256 total = sponsorships.payableThrough(NOW - 1);
        uint256[] memory refunds = new uint256[](4);
        for (uint64 i = 1; i <= 4; ++i) {
            refunds[i - 1] = pack(Merkle.KIND_SPONSORSHIP, i, total / 8);
            chunk.push(pack(Merkle.KIND_OPERATOR, i, total / 8));
        }
        (bytes32 a, bytes32 b) = (Merkle.payoutLeaf(refunds), Merkle.payoutLeaf(chunk));
        post(a < b ? keccak256(bytes.concat(a, b)) : keccak256(bytes.concat(b, a)), total);
        proof.push(b);
        settlement.push(refunds, proof);
        proof[0] = a;
    }

    function post(bytes32 root, uint256 total) private {
        (uint64 checkpoint,,,) = staking.setAt(NOW - 1);
        Certificate memory c = certify(4, 4, Eip712.payout(NOW - 1, checkpoint, root, total));
        settlement.post(NOW - 1, root, total, c);
    }

    function prove(uint64 epoch) private returns (bytes32) {
        address node = vm.addr(KEY);
        bytes memory a = signed(KEY, Eip712.deliveryReceipt(epoch, node, "a"));
        bytes memory b = signed(KEY, Eip712.deliveryReceipt(epoch, node, "b"));
        bytes memory data = abi.encodeCall(
            slashing.deliveryEquivocation,
            (DeliveryReceipt(epoch, node, "a"), a, DeliveryReceipt(epoch, node, "b"), b, false)
        );
        must(address(slashing), data);
        return slashing.deliverySlot(epoch, node);
    }

    function must(address target, bytes memory data) private {
        (bool ok,) = attacker.run(target, data);
        vm.assertTrue(ok);
    }

    // ---- what moves tokens, and what else there is

    function moving() private view returns (Act[] memory acts) {
        acts = new Act[](9);
        acts[0] = Act(address(staking), abi.encodeCall(IStaking.stake, (1, STAKE)));
        acts[1] = Act(address(staking), abi.encodeCall(IStaking.delegate, (1, STAKE)));
        acts[2] = Act(address(staking), abi.encodeCall(IStaking.withdraw, (1)));
        acts[3] = Act(address(sponsorships), abi.encodeCall(ISponsorships.create, (STREAM, 1, RATE, 0, 10, 3, 5000)));
        acts[4] = Act(address(sponsorships), abi.encodeCall(ISponsorships.topUp, (1, RATE)));
        acts[5] = Act(address(sponsorships), abi.encodeCall(ISponsorships.stop, (1)));
        acts[6] = Act(address(sponsorships), abi.encodeCall(ISponsorships.reclaim, (3)));
        acts[7] = Act(address(slashing), abi.encodeCall(slashing.execute, (slots[0])));
        acts[8] = Act(address(settlement), abi.encodeCall(settlement.push, (chunk, proof)));
    }

    function entries() private view returns (Act[] memory acts) {
        Act[] memory first = moving();
        acts = new Act[](20);
        for (uint256 i = 0; i < 9; ++i) {
            acts[i] = first[i];
        }
        acts[9] = Act(address(staking), abi.encodeCall(IStaking.withdraw, (2)));
        acts[10] = Act(address(staking), abi.encodeCall(IStaking.unstake, (1, STAKE / 10)));
        acts[11] = Act(address(staking), abi.encodeCall(IStaking.undelegate, (1, type(uint128).max)));
        acts[12] = Act(address(staking), abi.encodeCall(IStaking.sync, (1)));
        acts[13] = Act(address(staking), abi.encodeCall(IStaking.applyCommission, (1)));
        acts[14] = Act(address(sponsorships), abi.encodeCall(ISponsorships.extend, (1)));
        acts[15] = Act(address(sponsorships), abi.encodeCall(ISponsorships.setRate, (1, RATE / 2)));
        acts[16] = Act(address(sponsorships), abi.encodeCall(ISponsorships.stop, (2)));
        acts[17] = Act(address(sponsorships), abi.encodeCall(ISponsorships.recover, (1)));
        acts[18] = Act(address(slashing), abi.encodeCall(slashing.execute, (slots[1])));
        acts[19] = Act(address(token), abi.encodeCall(token.transfer, (address(staking), 1)));
    }

    function test_every_entry_point_inside_every_movement() public {
        Act[] memory outer = moving();
        Act[] memory inner = entries();
        uint256[20] memory entered;
        uint256[9] memory passed;
        for (uint256 i = 0; i < outer.length; ++i) {
            for (uint256 j = 0; j < inner.length; ++j) {
                uint256 state = vm.snapshotState();
                (bool ok, bool inside) = attack(outer[i], inner[j]);
                if (ok) passed[i] += 1;
                if (ok && inside) entered[j] += 1;
                vm.revertToState(state);
            }
        }
        // None of them is refused for any other reason than what it is inside of, or the test would show nothing.
        for (uint256 i = 0; i < outer.length; ++i) {
            vm.assertTrue(passed[i] >= 5);
        }
        for (uint256 j = 0; j < inner.length; ++j) {
            vm.assertTrue(entered[j] >= 3);
        }
    }

    function attack(Act memory outer, Act memory inner) private returns (bool ok, bool inside) {
        bytes32 others = bystanders();
        attacker.prepare(inner.target, inner.data);
        ReenteringToken(address(token)).observe(attacker);
        (ok,) = attacker.run(outer.target, outer.data);
        ReenteringToken(address(token)).observe(IObserver(address(0)));
        inside = attacker.entered();
        uint256 stray = ok && inside && inner.target == address(token) ? 1 : 0;
        bool recovered = ok && inside && bytes4(inner.data) == ISponsorships.recover.selector;
        checkStaking(stray);
        checkSponsorships(recovered ? abi.decode(attacker.answer(), (uint128)) : 0);
        vm.assertEq(token.balanceOf(address(slashing)), 0);
        vm.assertEq(token.balanceOf(address(settlement)), 0);
        vm.assertEq(bystanders(), others);
        (, uint128 value) = staking.delegationOf(1, OTHER);
        vm.assertTrue(value >= STAKE - 1);
    }

    function checkStaking(uint256 stray) private view {
        uint256 sum = stray;
        for (uint64 i = 1; i <= 4; ++i) {
            IStaking.Pool memory p = staking.pools(i);
            sum += uint256(p.assets) + p.unshared + p.unbondingOwn + p.unbondingDelegated;
        }
        vm.assertEq(token.balanceOf(address(staking)), sum);
    }

    function checkSponsorships(uint256 recovered) private view {
        uint256 sum = sponsorships.scheduledThrough(200) - recoveredBefore - recovered;
        for (uint64 i = 1; i <= sponsorships.sponsorshipCount(); ++i) {
            ISponsorships.Sponsorship memory s = sponsorships.sponsorships(i);
            sum = sum + s.spare - s.refunded;
        }
        for (uint64 i = 1; i <= 4; ++i) {
            sum -= staking.pools(i).paid;
        }
        vm.assertEq(token.balanceOf(address(sponsorships)), sum);
    }

    /// @dev What others have, pay of theirs aside: stake, and the sponsorship of somebody else.
    function bystanders() private view returns (bytes32 all) {
        for (uint64 i = 2; i <= 4; ++i) {
            IStaking.Pool memory p = staking.pools(i);
            all = keccak256(abi.encode(all, p.assets, p.shares, p.unbondingOwn, p.unbondingDelegated));
        }
        all = keccak256(abi.encode(all, sponsorships.sponsorships(4)));
    }
}
