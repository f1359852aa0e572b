// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IStaking} from "../../src/interfaces/IStaking.sol";
import {Bls} from "../../src/libraries/Bls.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {HashToCurve} from "../../src/libraries/HashToCurve.sol";
import {Certificate} from "../../src/libraries/Types.sol";
import {Fixture} from "../util/Fixture.sol";
import {G2} from "../util/G2.sol";
import {vm} from "../util/Vm.sol";

/// @dev The deployment, its actors, and what the handlers remember of what they did: the ghosts that the checks compare
/// the contracts with. Five operators; nine people, any of whom owns operators, delegates, sponsors and reports.
abstract contract World is Fixture {
    uint64 internal constant LEAD = 2;
    uint64 internal constant GRACE = 8;
    uint64 internal constant OPERATORS = 5;
    uint256 internal constant PEOPLE = 9;
    uint256 internal constant KEYS = 32;
    uint256 internal constant OPEN_REQUESTS = 32;

    struct Key {
        uint256 secret;
        uint256[2] g1;
        uint256[4] g2;
    }

    /// @dev The key with this index is the operator's from this epoch on.
    struct KeyPoint {
        uint64 fromEpoch;
        uint256 key;
    }

    Key[] private _keys;
    mapping(uint64 operatorId => KeyPoint[]) internal keyPoints;
    uint256 internal keysUsed;

    /// @dev How often each action did something, by its name.
    mapping(bytes32 action => uint256) public done;

    /// @dev A request, and what it was when it was made.
    struct Exit {
        uint64 requestId;
        uint64 operatorId;
        uint64 epoch;
        bool own;
    }

    Exit[] internal exits;
    mapping(uint64 operatorId => mapping(uint64 epoch => uint256)) internal slashedIn;
    uint256 internal burned;

    /// @dev The price of a share as of the last action, as fractions `(assets + 1) / (shares + 1e6)`.
    struct Price {
        uint256 entry;
        uint256 exit;
        uint256 shares;
        bool common;
    }

    mapping(uint64 operatorId => Price) private _prices;
    /// @dev Set by a slash that used up the operator's own stake: then the prices may fall, once.
    mapping(uint64 operatorId => bool) internal delegatorsHit;

    uint256 internal actionCount;

    /// @dev Time passes between actions, and prices are compared with those after the action before.
    modifier action() {
        if (++actionCount % 3 == 0) vm.warp(block.timestamp + 1 + actionCount % LENGTH);
        _;
        _comparePrices();
    }

    function setUp() public override {
        super.setUp();
        for (uint256 i = 1; i <= KEYS; ++i) {
            _keys.push(Key(secretOf(i), g1Of(i), g2Of(i)));
        }
        for (uint64 i = 1; i <= OPERATORS; ++i) {
            register(i);
            keyPoints[i].push(KeyPoint(0, i - 1));
            addNode(i, nodeKey(i));
        }
        keysUsed = OPERATORS;
        // The parsed file is not needed any more.
        delete keys;
    }

    // ---- choosing

    /// @dev Low and high ends come often.
    function pick(uint256 seed, uint256 low, uint256 high) internal pure returns (uint256) {
        if (seed % 8 == 0) return low;
        if (seed % 8 == 1) return high;
        return low + (seed / 8) % (high - low + 1);
    }

    /// @dev As likely of one magnitude as of another.
    function pickSize(uint256 seed, uint256 low, uint256 high) internal pure returns (uint256) {
        uint256 top = high;
        for (uint256 halvings = seed % 32; halvings != 0 && top / 8 > low; --halvings) {
            top /= 8;
        }
        return pick(seed / 32, low, top);
    }

    /// @dev A deposit: mostly of a size that matters for weights, else of any.
    function pickDeposit(uint256 seed, uint256 least, uint256 most) internal pure returns (uint256) {
        if (seed % 4 == 0 || most < 100 * MIN_STAKE) return pickSize(seed / 4, least, most);
        return pick(seed / 4, least > MIN_STAKE ? least : MIN_STAKE, 100 * MIN_STAKE);
    }

    function person(uint256 seed) internal pure returns (address) {
        return address(uint160(0x1001 + seed % PEOPLE));
    }

    function operator(uint256 seed) internal pure returns (uint64) {
        return uint64(1 + seed % OPERATORS);
    }

    function did(bytes32 name) internal {
        done[name] += 1;
    }

    // ---- money

    function grant(address who, address spender, uint256 amount) internal {
        token.transfer(who, amount);
        vm.prank(who);
        token.approve(spender, amount);
    }

    /// @dev The bounds within which a deposit is not refused: worth a share, not more shares than the pool can count.
    function depositable(uint64 operatorId) internal view returns (uint256 least, uint256 most) {
        IStaking.Pool memory p = staking.pools(operatorId);
        least = (uint256(p.assets) + p.unshared + 1) / (uint256(p.shares) + 1e6) + 1;
        uint256 shares = p.shares + uint256(p.unshared) * (uint256(p.shares) + 1e6) / (uint256(p.assets) + 1);
        uint256 room = shares < type(uint128).max ? type(uint128).max - shares : 0;
        most = room / 2 * (uint256(p.assets) + 1) / (uint256(p.shares) + 1e6);
        uint256 purse = token.balanceOf(address(this)) / 1000;
        if (most > purse) most = purse;
    }

    // ---- keys and certificates

    function key(uint256 index) internal view returns (Key memory) {
        return _keys[index];
    }

    function keyAt(uint64 operatorId, uint64 epoch) internal view returns (Key memory) {
        KeyPoint[] storage points = keyPoints[operatorId];
        uint256 i = points.length - 1;
        while (points[i].fromEpoch > epoch) {
            --i;
        }
        return _keys[points[i].key];
    }

    function attest(uint256 secret, bytes32 structHash) internal view returns (uint256[2] memory) {
        bytes32 digest = Eip712.digest(address(slashing), structHash);
        return Bn254.mul(HashToCurve.hash(digest, Bls.STATEMENT_TAG), secret);
    }

    /// @dev Bits say who is absent; nobody is if the others would not be enough.
    function absent(uint64 epoch, uint256 bits) internal view returns (uint256) {
        uint256 sum;
        uint256 there;
        for (uint64 i = 1; i <= OPERATORS; ++i) {
            uint256 weight = staking.weightAt(i, epoch);
            sum += weight;
            if ((bits >> i) & 1 == 0) there += weight;
        }
        return 3 * there > 2 * sum ? bits : 0;
    }

    /// @dev Of the members of the set in `epoch` but those whose bit is set.
    function certificate(uint64 epoch, bytes32 structHash, uint256 bits) internal view returns (Certificate memory c) {
        bits = absent(epoch, bits);
        uint256 secret;
        uint256 absentees;
        c.absentees = new uint64[](OPERATORS);
        c.keys = new uint256[2][](OPERATORS);
        for (uint64 i = 1; i <= OPERATORS; ++i) {
            if (staking.weightAt(i, epoch) == 0) continue;
            Key memory k = keyAt(i, epoch);
            c.aggregate = Bn254.add(c.aggregate, k.g1);
            if ((bits >> i) & 1 == 1) {
                (c.absentees[absentees], c.keys[absentees]) = (i, k.g1);
                ++absentees;
            } else {
                secret = addmod(secret, k.secret, Bn254.Q);
                c.apk = G2.add(c.apk, k.g2);
            }
        }
        (uint64[] memory ids, uint256[2][] memory points) = (c.absentees, c.keys);
        assembly ("memory-safe") {
            mstore(ids, absentees)
            mstore(points, absentees)
        }
        c.signature = attest(secret, structHash);
    }

    // ---- prices

    function _comparePrices() private {
        for (uint64 i = 1; i <= OPERATORS; ++i) {
            IStaking.Pool memory p = staking.pools(i);
            Price memory now_ = Price({
                entry: uint256(p.assets) + 1,
                exit: uint256(p.assets) - p.locked + 1,
                shares: uint256(p.shares) + 1e6,
                common: p.shares != p.ownShares
            });
            Price memory then = _prices[i];
            // An operator that is alone, or a pool that everybody left, has no price that matters to anybody.
            bool comparable = then.common && now_.common && !delegatorsHit[i];
            if (comparable) {
                require(now_.entry * then.shares >= then.entry * now_.shares, "the entry price fell");
                require(now_.exit * then.shares >= then.exit * now_.shares, "the exit price fell");
            }
            delegatorsHit[i] = false;
            _prices[i] = now_;
        }
    }
}
