// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {Funds} from "./Funds.sol";
import {vm} from "../util/Vm.sol";

/// @dev Random calls, against a model that writes down each sponsorship's rate of each epoch. After every call the sums,
/// the spares and the ledger equation are compared, to the wei.
contract ModelTest is Funds {
    uint256 private constant CALLS = 40;
    uint64 private constant SPONSORSHIPS = 4;

    struct Model {
        uint128 rate;
        uint64 from;
        uint64 to;
        uint128 spare;
        uint128 refunded;
        uint128 recovered;
        bool stopped;
    }

    uint256 private seed;
    uint64 private count;
    uint64 private horizon;
    uint64 private next;
    uint256 private settled;
    uint256 private refunded;
    uint256 private released;
    mapping(uint64 id => Model) private model;
    mapping(uint64 id => mapping(uint64 epoch => uint128)) private rates;
    mapping(uint64 epoch => bool) private gone;

    function draw(uint256 below) private returns (uint256) {
        seed = uint256(keccak256(abi.encode(seed)));
        return seed % below;
    }

    function testFuzz_agrees_with_the_model(uint256 seed_) public {
        seed = seed_;
        for (uint256 i = 0; i < CALLS; ++i) {
            act();
            compare();
        }
        recoverEverything();
    }

    function act() private {
        uint256 choice = draw(16);
        if (count == 0 || (choice == 0 && count < SPONSORSHIPS)) return create_();
        if (choice < 4) return enter(now_() + uint64(draw(draw(6) == 0 ? 40 : 4)));
        if (choice < 6) return settle_();
        if (choice == 6) return lapse_();
        uint64 id = uint64(1 + draw(count));
        if (choice == 7) return restore_(id);
        if (choice == 8) return refund_(id);
        if (choice == 9) {
            recover_(id);
            return;
        }
        if (choice == 10 && draw(4) == 0) return stop_(id);
        if (choice == 11) return release_();
        if (model[id].stopped) return reclaim_(id);
        if (choice < 14) return topUp_(id);
        if (choice == 14) return setRate_(id);
        return extend_(id);
    }

    // ---- each call, on both

    function earliest() private view returns (uint64) {
        return now_() + 2;
    }

    function create_() private {
        uint128 rate = uint128(5 + draw(20));
        uint64 from = earliest() + uint64(draw(4));
        uint64 epochs = uint64(1 + draw(12));
        uint64 id = make(rate, from, epochs);
        vm.assertEq(id, ++count);
        (model[id].rate, model[id].from) = (rate, from);
        schedule(id, from, epochs);
    }

    function topUp_(uint64 id) private {
        uint128 amount = uint128(1 + draw(10 * model[id].rate));
        sponsorships.topUp(id, amount);
        model[id].spare += amount;
        prolong(id);
    }

    function extend_(uint64 id) private {
        Model storage m = model[id];
        if (m.spare < m.rate) {
            vm.expectRevert(
                abi.encodeWithSelector(ISponsorships.LessThanOneEpoch.selector, m.spare, m.rate)
            );
            sponsorships.extend(id);
        } else {
            sponsorships.extend(id);
            prolong(id);
        }
    }

    function setRate_(uint64 id) private {
        Model storage m = model[id];
        uint128 rate = uint128(5 + draw(20));
        (uint64 from, uint128 left) = changeable(id);
        uint128 funds = m.spare + left;
        if (funds < rate) {
            vm.expectRevert(abi.encodeWithSelector(ISponsorships.LessThanOneEpoch.selector, funds, rate));
            sponsorships.setRate(id, rate);
            return;
        }
        sponsorships.setRate(id, rate);
        clear(id);
        (m.rate, m.from, m.spare) = (rate, from, funds % rate);
        schedule(id, from, uint64(funds / rate));
    }

    function stop_(uint64 id) private {
        if (model[id].stopped) return;
        (, uint128 left) = changeable(id);
        vm.assertEq(sponsorships.stop(id), model[id].spare + left);
        clear(id);
        (model[id].spare, model[id].stopped) = (0, true);
    }

    function reclaim_(uint64 id) private {
        if (model[id].spare == 0) return;
        vm.assertEq(sponsorships.reclaim(id), model[id].spare);
        model[id].spare = 0;
    }

    function restore_(uint64 id) private {
        uint128 amount = uint128(1 + draw(50));
        restore(id, amount);
        model[id].spare += amount;
    }

    function refund_(uint64 id) private {
        uint128 amount = uint128(draw(settled - refunded - released + 1));
        model[id].refunded += amount;
        vm.assertEq(refund(id, model[id].refunded), amount);
        model[id].spare += amount;
        refunded += amount;
    }

    function release_() private {
        uint256 amount = draw(settled - refunded - released + 1);
        vm.prank(address(settlement));
        sponsorships.release(STRANGER, amount);
        released += amount;
    }

    function settle_() private {
        if (now_() == 0) return;
        uint64 epoch = now_() - 1 - uint64(draw(2) == 0 ? 0 : draw(now_() < LAPSE ? now_() : LAPSE));
        if (epoch < next) return;
        while (next + LAPSE < epoch + 1) {
            gone[next++] = true;
        }
        while (next <= epoch) {
            settled += sum(next++);
        }
        vm.assertEq(sponsorships.payableThrough(epoch), settled);
        vm.assertEq(settle(epoch), settled);
    }

    /// @dev An epoch is beyond every post once the one that is still in time pays only later ones.
    function lapse_() private {
        bool any;
        while (now_() >= LAPSE && next + LAPSE < now_() - LAPSE + 1) {
            gone[next++] = true;
            any = true;
        }
        if (!any) vm.expectRevert(ISponsorships.NothingLapsed.selector);
        sponsorships.lapse();
    }

    function recover_(uint64 id) private returns (bool) {
        try sponsorships.recover(id) returns (uint128 amount) {
            model[id].recovered += amount;
            model[id].spare += amount;
            return true;
        } catch (bytes memory reason) {
            vm.assertEq(
                keccak256(reason),
                keccak256(abi.encodeWithSelector(ISponsorships.NothingToRecover.selector, id))
            );
            return false;
        }
    }

    // ---- the model's own

    function schedule(uint64 id, uint64 from, uint64 epochs) private {
        for (uint64 i = 0; i < epochs; ++i) {
            rates[id][from + i] = model[id].rate;
        }
        if (epochs == 0) return;
        model[id].to = from + epochs;
        if (horizon < model[id].to) horizon = model[id].to;
    }

    function prolong(uint64 id) private {
        Model storage m = model[id];
        uint64 epochs = uint64(m.spare / m.rate);
        m.spare %= m.rate;
        if (epochs == 0) return;
        if (m.to < earliest()) m.from = earliest();
        schedule(id, m.to < earliest() ? earliest() : m.to, epochs);
    }

    /// @dev From which epoch on the schedule can change, and what it holds from there.
    function changeable(uint64 id) private view returns (uint64 from, uint128 left) {
        from = model[id].from < earliest() ? earliest() : model[id].from;
        for (uint64 epoch = from; epoch < horizon; ++epoch) {
            left += rates[id][epoch];
        }
    }

    function clear(uint64 id) private {
        (uint64 from,) = changeable(id);
        for (uint64 epoch = from; epoch < horizon; ++epoch) {
            rates[id][epoch] = 0;
        }
    }

    function sum(uint64 epoch) private view returns (uint256 all) {
        for (uint64 id = 1; id <= count; ++id) {
            all += rates[id][epoch];
        }
    }

    function compare() private {
        uint256 through;
        uint256 lapsed;
        uint256 future;
        uint64 asked = uint64(draw(horizon + 5));
        uint256 throughAsked;
        for (uint64 epoch = 0; epoch <= horizon; ++epoch) {
            uint256 all = sum(epoch);
            through += all;
            if (gone[epoch]) lapsed += all;
            if (epoch >= next) future += all;
            if (epoch == asked) throughAsked = through;
        }
        if (asked > horizon) throughAsked = through;
        vm.assertEq(sponsorships.nextEpoch(), next);
        vm.assertEq(sponsorships.settled(), settled);
        vm.assertEq(sponsorships.lapsed(), lapsed);
        vm.assertEq(sponsorships.scheduled(asked), sum(asked));
        vm.assertEq(sponsorships.scheduledThrough(asked), throughAsked);

        uint256 spares;
        for (uint64 id = 1; id <= count; ++id) {
            ISponsorships.Sponsorship memory s = get(id);
            vm.assertEq(s.spare, model[id].spare);
            vm.assertEq(s.fromEpoch, model[id].from);
            (uint128 rate,) = sponsorships.ratePerPartition(id, STREAM, asked);
            vm.assertEq(rate, rates[id][asked]);
            spares += s.spare;
            lapsed -= model[id].recovered;
        }
        vm.assertEq(held(), spares + future + lapsed + settled - refunded - released);
    }

    /// @dev Each gets back exactly what it had in the lapsed epochs.
    function recoverEverything() private {
        for (uint64 id = 1; id <= count; ++id) {
            while (recover_(id)) {}
            uint256 own;
            for (uint64 epoch = 0; epoch < next; ++epoch) {
                if (gone[epoch]) own += rates[id][epoch];
            }
            vm.assertEq(model[id].recovered, own);
        }
        compare();
    }
}
