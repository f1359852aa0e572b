// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IEpochs} from "../../src/interfaces/IEpochs.sol";
import {ISettlement} from "../../src/interfaces/ISettlement.sol";
import {ISlashing} from "../../src/interfaces/ISlashing.sol";
import {ISponsorships} from "../../src/interfaces/ISponsorships.sol";
import {IStaking} from "../../src/interfaces/IStaking.sol";
import {IStreamRegistry} from "../../src/interfaces/IStreamRegistry.sol";
import {Bls} from "../../src/libraries/Bls.sol";
import {Bn254} from "../../src/libraries/Bn254.sol";
import {Eip712} from "../../src/libraries/Eip712.sol";
import {HashToCurve} from "../../src/libraries/HashToCurve.sol";
import {Certificate} from "../../src/libraries/Types.sol";
import {Vm, vm} from "./Vm.sol";

/// @dev Only creates, so that its nonce, and with it the addresses to come, is known.
contract Deployer {
    function deploy(bytes memory code) external returns (address created) {
        assembly {
            created := create(0, add(code, 0x20), mload(code))
            if iszero(created) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }
}

/// @dev A deployment of the committed artifacts, and operators whose keys come from tests/vectors/bls.json: G2 has no
/// scalar multiplication on chain, so keys and sums of keys are read rather than computed.
abstract contract Fixture {
    uint64 internal constant GENESIS = 1_000_000;
    uint64 internal constant LENGTH = 10;
    uint128 internal constant DATA = 1e18;
    uint128 internal constant MIN_STAKE = 1000 * DATA;
    uint64 internal constant UNBONDING = 30;
    uint64 internal constant EVIDENCE = 10;
    uint64 internal constant LAPSE = 12;
    uint64 internal constant VESTING = 100;
    uint16 internal constant MIN_SELF_BPS = 1000;
    uint16 internal constant BOUNTY_BPS = 1000;
    uint16 internal constant RETURN_BPS = 3000;
    uint16 internal constant SLASH_BPS = 1000;
    uint16 internal constant FAULT_BPS = 100;
    /// @dev The commission of every operator registered here.
    uint16 internal constant COMMISSION_BPS = 1000;
    address internal constant BURNED = 0x000000000000000000000000000000000000dEaD;
    address internal constant SPONSOR = address(0x5050);
    string internal constant STREAM = "0x00000000000000000000000000000000000000aa/machine";

    Deployer internal deployer;
    IERC20 internal token;
    IStaking internal staking;
    ISponsorships internal sponsorships;
    ISettlement internal settlement;
    ISlashing internal slashing;
    IStreamRegistry internal registry;
    string internal keys;

    struct StakingParameters {
        address token;
        address settlement;
        address slashing;
        uint64 genesis;
        uint64 epochLength;
        uint128 minStake;
        uint16 minSelfBps;
        uint64 unbondingEpochs;
        uint64 vestingPeriod;
    }

    function setUp() public virtual {
        vm.warp(GENESIS);
        keys = vm.readFile("../tests/vectors/bls.json");
        deployer = new Deployer();
        address[5] memory here;
        for (uint64 i = 0; i < 5; ++i) {
            here[i] = vm.computeCreateAddress(address(deployer), i + 1);
        }
        token = IERC20(createToken());
        staking = IStaking(create("Staking", abi.encode(stakingParameters(here[0], here[3], here[4]))));
        sponsorships = ISponsorships(
            create("Sponsorships", abi.encode(here[0], here[3], here[4], GENESIS, LENGTH, LAPSE))
        );
        settlement = ISettlement(
            create("Settlement", abi.encode(here[1], here[2], here[4], GENESIS, LENGTH, uint16(500), uint16(5000)))
        );
        slashing = ISlashing(create("Slashing", abi.encode(slashingParameters(here))));
        registry = IStreamRegistry(create("StreamRegistry", ""));
        vm.assertEq(address(slashing), here[4]);
    }

    /// @dev What the contracts take for DATA; a test of hostile tokens has another.
    function createToken() internal virtual returns (address) {
        return create("DataToken", abi.encode(address(this), uint256(1e9) * DATA));
    }

    function stakingParameters(address token_, address settlement_, address slashing_)
        internal
        pure
        returns (StakingParameters memory)
    {
        return StakingParameters(
            token_, settlement_, slashing_, GENESIS, LENGTH, MIN_STAKE, MIN_SELF_BPS, UNBONDING, VESTING
        );
    }

    /// @param here Token, Staking, Sponsorships, Settlement, Slashing.
    function slashingParameters(address[5] memory here)
        internal
        pure
        virtual
        returns (ISlashing.Parameters memory)
    {
        return ISlashing.Parameters(
            here[0],
            here[1],
            here[2],
            here[3],
            GENESIS,
            LENGTH,
            SLASH_BPS,
            FAULT_BPS,
            BOUNTY_BPS,
            RETURN_BPS,
            EVIDENCE
        );
    }

    /// @dev Creates a contract from its artifact; a revert of the constructor is passed on.
    function create(string memory name, bytes memory arguments) internal returns (address created) {
        string memory artifact = vm.readFile(string.concat("artifacts/", name, ".json"));
        return deployer.deploy(bytes.concat(vm.parseJsonBytes(artifact, ".bytecode"), arguments));
    }

    // ---- time

    function enter(uint64 epoch) internal {
        vm.warp(GENESIS + epoch * LENGTH);
    }

    function now_() internal view returns (uint64) {
        return IEpochs(address(staking)).currentEpoch();
    }

    // ---- operators; number i has key i of the vectors, counted from 1

    function ownerOf(uint256 i) internal pure returns (address) {
        return address(uint160(0x1000 + i));
    }

    function nodeKey(uint256 i) internal pure returns (uint256) {
        return 0xbeef00 + i;
    }

    function secretOf(uint256 i) internal view returns (uint256) {
        return vm.parseJsonUint(keys, string.concat(".keys[", vm.toString(i - 1), "].secret"));
    }

    function g1Of(uint256 i) internal view returns (uint256[2] memory) {
        return pair(vm.parseJsonUintArray(keys, string.concat(".keys[", vm.toString(i - 1), "].g1")));
    }

    function g2Of(uint256 i) internal view returns (uint256[4] memory) {
        return quad(vm.parseJsonUintArray(keys, string.concat(".keys[", vm.toString(i - 1), "].g2")));
    }

    function possession(address owner, uint256 i) internal view returns (uint256[2] memory) {
        bytes32 digest = Eip712.digest(address(slashing), Eip712.blsKey(owner, g1Of(i), g2Of(i)));
        return Bn254.mul(HashToCurve.hash(digest, Bls.POSSESSION_TAG), secretOf(i));
    }

    function register(uint256 i) internal returns (uint64 operatorId) {
        uint256[2] memory g1 = g1Of(i);
        uint256[4] memory g2 = g2Of(i);
        uint256[2] memory proof = possession(ownerOf(i), i);
        vm.prank(ownerOf(i));
        return staking.register(g1, g2, proof, COMMISSION_BPS);
    }

    function stake(uint64 operatorId, uint128 amount) internal {
        address owner = staking.operators(operatorId).owner;
        token.transfer(owner, amount);
        vm.startPrank(owner);
        token.approve(address(staking), amount);
        staking.stake(operatorId, amount);
        vm.stopPrank();
    }

    /// @dev Operators 1..count with equal stake, in force two epochs later.
    function operators(uint256 count) internal {
        for (uint256 i = 1; i <= count; ++i) {
            stake(register(i), 10 * MIN_STAKE);
        }
    }

    function addNode(uint64 operatorId, uint256 key) internal returns (address node) {
        address owner = staking.operators(operatorId).owner;
        node = vm.addr(key);
        bytes memory consent = signed(key, Eip712.nodeConsent(owner, node));
        vm.prank(owner);
        staking.addNode(operatorId, node, consent);
    }

    // ---- signatures

    function signed(uint256 key, bytes32 structHash) internal view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, Eip712.digest(address(slashing), structHash));
        return abi.encodePacked(r, s, v);
    }

    /// @dev The same signature with the other s, which a lax verifier accepts as well.
    function twin(bytes memory signature) internal pure returns (bytes memory) {
        uint256 n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        bytes32 r;
        uint256 s;
        assembly {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
        }
        return abi.encodePacked(r, n - s, uint8(signature[64]) == 27 ? uint8(28) : uint8(27));
    }

    /// @dev Operators 1..signers sign; the vectors hold their sum for the numbers used.
    function certify(uint256 signers, uint256 count, bytes32 structHash) internal view returns (Certificate memory c) {
        c.absentees = new uint64[](count - signers);
        c.keys = new uint256[2][](count - signers);
        for (uint256 i = 0; i < c.absentees.length; ++i) {
            c.absentees[i] = uint64(signers + 1 + i);
            c.keys[i] = g1Of(signers + 1 + i);
        }
        c.aggregate = aggregateOf(count);
        uint256 secret;
        for (uint256 i = 1; i <= signers; ++i) {
            secret = addmod(secret, secretOf(i), Bn254.Q);
        }
        c.apk = quad(vm.parseJsonUintArray(keys, string.concat(".aggregates[", vm.toString(place(signers)), "].g2")));
        bytes32 digest = Eip712.digest(address(slashing), structHash);
        c.signature = Bn254.mul(HashToCurve.hash(digest, Bls.STATEMENT_TAG), secret);
    }

    /// @dev Sum of the G1 keys of operators 1..count.
    function aggregateOf(uint256 count) internal view returns (uint256[2] memory sum) {
        uint256 secret;
        for (uint256 i = 1; i <= count; ++i) {
            secret = addmod(secret, secretOf(i), Bn254.Q);
        }
        return Bn254.mul(Bn254.generator(), secret);
    }

    function place(uint256 signers) private pure returns (uint256) {
        uint8[8] memory members = [4, 3, 16, 11, 64, 43, 14, 55];
        for (uint256 i = 0; i < 8; ++i) {
            if (members[i] == signers) return i;
        }
        revert("no aggregate of so many in the vectors");
    }

    // ---- money

    function sponsor(uint128 rate, uint64 epochs) internal returns (uint64) {
        token.transfer(SPONSOR, uint256(rate) * epochs);
        vm.startPrank(SPONSOR);
        token.approve(address(sponsorships), uint256(rate) * epochs);
        uint64 id = sponsorships.create(STREAM, 1, rate, 0, epochs, 3, 5000);
        vm.stopPrank();
        return id;
    }

    function pack(uint256 kind, uint256 id, uint256 cumulative) internal pure returns (uint256) {
        return (kind << 248) | (id << 128) | cumulative;
    }

    function pair(uint256[] memory words) internal pure returns (uint256[2] memory) {
        return [words[0], words[1]];
    }

    function quad(uint256[] memory words) internal pure returns (uint256[4] memory) {
        return [words[0], words[1], words[2], words[3]];
    }
}
