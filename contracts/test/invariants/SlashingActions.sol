// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {Attestation, BandwidthReceipt, Certificate, DeliveryReceipt, Volume} from "../../src/libraries/Types.sol";
import {vm} from "../util/Vm.sol";
import {SettlementActions} from "./SettlementActions.sol";

/// @dev Offences with real signatures, and their execution.
abstract contract SlashingActions is SettlementActions {
    bytes32[] internal proven;
    mapping(bytes32 slot => uint64) private _harmed;
    uint256 private _nonce;

    /// @dev Any epoch that evidence may still be of.
    function evidenceEpoch(uint256 seed) private view returns (uint64) {
        uint64 current = now_();
        return uint64(pick(seed, current > EVIDENCE ? current - EVIDENCE : 0, current + 1));
    }

    function contradict(uint256 what, uint256 who, uint256 when, uint256 how, uint256 reporter) external action {
        (uint64 id, uint64 epoch) = (operator(who), evidenceEpoch(when));
        if (what % 3 == 0) contradictReceipts(nodeKey(id), epoch, person(reporter));
        else if (what % 3 == 1) contradictDeliveries(nodeKey(id), epoch, person(reporter));
        else contradictVolumes(id, epoch, how, person(reporter));
    }

    function contradictReceipts(uint256 secret, uint64 epoch, address reporter) private {
        address node = vm.addr(secret);
        address relayer = address(uint160(++_nonce));
        bytes32[2] memory r;
        bytes32[2] memory vs;
        for (uint256 i = 0; i < 2; ++i) {
            BandwidthReceipt memory receipt = BandwidthReceipt(epoch, relayer, node, 1, bytes32(i));
            (uint8 v, bytes32 r_, bytes32 s) = vm.sign(secret, digest(Eip712.bandwidthReceipt(receipt)));
            (r[i], vs[i]) = (r_, v == 28 ? s | bytes32(uint256(1) << 255) : s);
        }
        vm.prank(reporter);
        slashing.receiptEquivocation(epoch, relayer, node, 1, [bytes32(0), bytes32(uint256(1))], r, vs, false);
        proven.push(slashing.receiptSlot(epoch, relayer, node));
        did("contradictReceipts");
    }

    function contradictDeliveries(uint256 secret, uint64 epoch, address reporter) private {
        DeliveryReceipt memory a = DeliveryReceipt(epoch, vm.addr(secret), "a");
        DeliveryReceipt memory b = DeliveryReceipt(epoch, a.receiver, "b");
        bytes32 slot = slashing.deliverySlot(epoch, a.receiver);
        if (slashing.offences(slot).kind != ISlashing.Kind.None) return;
        bytes memory sa = signed(secret, Eip712.deliveryReceipt(epoch, a.receiver, "a"));
        bytes memory sb = signed(secret, Eip712.deliveryReceipt(epoch, a.receiver, "b"));
        vm.prank(reporter);
        slashing.deliveryEquivocation(a, sa, b, sb, false);
        proven.push(slot);
        did("contradictDeliveries");
    }

    /// @dev Under any key the operator ever had.
    function contradictVolumes(uint64 id, uint64 epoch, uint256 how, address reporter) private {
        (ISlashing.Harm memory harmed, bytes32 streamPart) = victim(how);
        Volume memory a = Volume(epoch, 0, streamPart, "digest", 1, 1);
        Volume memory b = Volume(epoch, 0, streamPart, "digest", 2, 2);
        bytes32 slot = slashing.volumeSlot(epoch, streamPart, id);
        if (slashing.offences(slot).kind != ISlashing.Kind.None) return;
        Key memory k = key(keyPoints[id][how % keyPoints[id].length].key);
        Attestation memory first = Attestation(k.g1, k.g2, attest(k.secret, hashOf(a)));
        uint256[2] memory second = attest(k.secret, hashOf(b));
        vm.prank(reporter);
        slashing.volumeEquivocation(a, b, first, second, harmed, false);
        _harmed[slot] = harmed.sponsorshipId;
        proven.push(slot);
        did("contradictVolumes");
    }

    function hashOf(Volume memory v) private pure returns (bytes32) {
        return Eip712.volume(v.epoch, v.checkpoint, v.streamPart, v.setDigest, v.messages, v.bytes_);
    }

    function blame(uint256 who, uint256 when, uint256 absentees, uint256 harm, uint256 reporter)
        external
        action
    {
        uint64 id = operator(who);
        uint64 epoch = evidenceEpoch(when);
        (ISlashing.Harm memory harmed, bytes32 streamPart) = victim(harm);
        bytes32 slot = slashing.faultSlot(epoch, streamPart, id);
        (uint64 checkpoint, uint128 total,,) = staking.setAt(epoch);
        if (total == 0 || slashing.offences(slot).kind != ISlashing.Kind.None) return;
        Certificate memory votes =
            certificate(epoch, Eip712.fault(epoch, checkpoint, streamPart, id), absentees);
        vm.prank(person(reporter));
        slashing.fault(epoch, streamPart, id, votes, harmed, false);
        _harmed[slot] = harmed.sponsorshipId;
        proven.push(slot);
        did("blame");
    }

    /// @dev A sponsorship and one of its stream's parts; or nobody, and a part that is nobody's.
    function victim(uint256 seed) private view returns (ISlashing.Harm memory harm, bytes32 streamPart) {
        (uint64 id, ISponsorships.Sponsorship memory s) = some(seed / 4);
        if (id == 0 || seed % 4 == 0) return (harm, keccak256(abi.encode(seed / 4)));
        harm = ISlashing.Harm(id, STREAM, uint32((seed / 64) % s.partitions));
        streamPart = keccak256(bytes(string.concat(STREAM, "#", vm.toString(uint256(harm.partition)))));
    }

    function digest(bytes32 structHash) private view returns (bytes32) {
        return Eip712.digest(address(slashing), structHash);
    }

    function execute(uint256 which) external action {
        if (proven.length == 0) return;
        uint256 i = which % proven.length;
        bytes32 slot = proven[i];
        (proven[i], proven[proven.length - 1]) = (proven[proven.length - 1], slot);
        proven.pop();
        executeSlot(slot, slashing.offences(slot));
        did("execute");
    }

    /// @dev Takes exactly its part of the pool, and every wei of it goes where the rules say.
    function executeSlot(bytes32 slot, ISlashing.Offence memory offence) private {
        uint64 id = offence.operatorId;
        IStaking.Pool memory p = staking.pools(id);
        uint256 pool = uint256(p.assets) + p.unshared + p.unbondingOwn + p.unbondingDelegated;
        uint256 bps = offence.kind == ISlashing.Kind.Fault ? slashing.faultBps() : slashing.slashBps();
        uint256 taken = (pool * bps + 9999) / 10_000;
        uint256[4] memory before = balances(offence.reporter, _harmed[slot]);
        slashing.execute(slot);
        uint256[4] memory moved = balances(offence.reporter, _harmed[slot]);
        for (uint256 i = 0; i < 4; ++i) {
            moved[i] = i == 0 ? before[0] - moved[0] : moved[i] - before[i];
        }
        require(moved[0] == taken && taken <= pool, "the penalty is not its part of the pool");
        require(moved[1] == taken * BOUNTY_BPS / 10_000, "the bounty is not its part");
        require(moved[2] <= taken * RETURN_BPS / 10_000, "more than its part returned");
        require(moved[3] == taken - moved[1] - moved[2], "the rest was not burned");
        burned += moved[3];
        slashedIn[id][now_()] += taken;
        p = staking.pools(id);
        if (uint256(p.ownShares) * (uint256(p.assets) + 1) / (uint256(p.shares) + 1e6) == 0) delegatorsHit[id] = true;
    }

    /// @dev Of Staking, the reporter, the harmed sponsorship's spare, and what is burned.
    function balances(address reporter, uint64 harmed) private view returns (uint256[4] memory) {
        return [
            token.balanceOf(address(staking)),
            token.balanceOf(reporter),
            harmed == 0 ? 0 : sponsorships.sponsorships(harmed).spare,
            token.balanceOf(BURNED)
        ];
    }
}
