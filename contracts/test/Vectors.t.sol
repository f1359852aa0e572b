// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.30;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {Bls} from "../src/libraries/Bls.sol";
import {Eip712} from "../src/libraries/Eip712.sol";
import {HashToCurve} from "../src/libraries/HashToCurve.sol";
import {Merkle} from "../src/libraries/Merkle.sol";
import {BandwidthReceipt, Credit} from "../src/libraries/Types.sol";
import {vm} from "./util/Vm.sol";

/// @dev The libraries agree with tests/vectors, which implementations that are not ours have written.
contract VectorsTest {
    string private json;

    function load(string memory name) private {
        json = vm.readFile(string.concat("../tests/vectors/", name, ".json"));
    }

    function b32(string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32(json, key);
    }

    function u64(string memory key) private view returns (uint64) {
        return uint64(vm.parseJsonUint(json, key));
    }

    function adr(string memory key) private view returns (address) {
        return vm.parseJsonAddress(json, key);
    }

    function g1(string memory key) private view returns (uint256[2] memory) {
        uint256[] memory w = vm.parseJsonUintArray(json, key);
        return [w[0], w[1]];
    }

    function g2(string memory key) private view returns (uint256[4] memory) {
        uint256[] memory w = vm.parseJsonUintArray(json, key);
        return [w[0], w[1], w[2], w[3]];
    }

    function agree(string memory name, bytes32 structHash) private view {
        string memory here = string.concat(".structs.", name);
        vm.assertEq(structHash, b32(string.concat(here, ".structHash")));
        address slashing = adr(".domain.verifyingContract");
        vm.assertEq(Eip712.digest(slashing, structHash), b32(string.concat(here, ".digest")));
    }

    function test_eip712() public {
        load("eip712");
        vm.chainId(vm.parseJsonUint(json, ".domain.chainId"));
        vm.assertEq(Eip712.separator(adr(".domain.verifyingContract")), b32(".domain.separator"));
        string memory v = ".structs.Frame.value";
        agree(
            "Frame",
            Eip712.frame(
                b32(string.concat(v, ".streamPart")),
                adr(string.concat(v, ".publisher")),
                u64(string.concat(v, ".chain")),
                u64(string.concat(v, ".firstSequence")),
                uint32(u64(string.concat(v, ".count"))),
                b32(string.concat(v, ".contentHash"))
            )
        );
        agree("BandwidthReceipt", Eip712.bandwidthReceipt(receipt()));
        v = ".structs.DeliveryReceipt.value";
        agree(
            "DeliveryReceipt",
            Eip712.deliveryReceipt(
                u64(string.concat(v, ".epoch")),
                adr(string.concat(v, ".receiver")),
                b32(string.concat(v, ".deliveriesRoot"))
            )
        );
        v = ".structs.Volume.value";
        agree(
            "Volume",
            Eip712.volume(
                u64(string.concat(v, ".epoch")),
                u64(string.concat(v, ".checkpoint")),
                b32(string.concat(v, ".streamPart")),
                b32(string.concat(v, ".setDigest")),
                u64(string.concat(v, ".messages")),
                u64(string.concat(v, ".bytes"))
            )
        );
        v = ".structs.Payout.value";
        agree(
            "Payout",
            Eip712.payout(
                u64(string.concat(v, ".epoch")),
                u64(string.concat(v, ".checkpoint")),
                b32(string.concat(v, ".root")),
                vm.parseJsonUint(json, string.concat(v, ".total"))
            )
        );
        v = ".structs.Fault.value";
        agree(
            "Fault",
            Eip712.fault(
                u64(string.concat(v, ".epoch")),
                u64(string.concat(v, ".checkpoint")),
                b32(string.concat(v, ".streamPart")),
                u64(string.concat(v, ".operatorId"))
            )
        );
        v = ".structs.BlsKey.value";
        agree(
            "BlsKey",
            Eip712.blsKey(adr(string.concat(v, ".owner")), g1(string.concat(v, ".g1")), g2(string.concat(v, ".g2")))
        );
        v = ".structs.NodeConsent.value";
        agree("NodeConsent", Eip712.nodeConsent(adr(string.concat(v, ".owner")), adr(string.concat(v, ".node"))));
    }

    function receipt() private view returns (BandwidthReceipt memory r) {
        string memory v = ".structs.BandwidthReceipt.value";
        r.epoch = u64(string.concat(v, ".epoch"));
        r.relayer = adr(string.concat(v, ".relayer"));
        r.receiver = adr(string.concat(v, ".receiver"));
        r.sequence = uint32(u64(string.concat(v, ".sequence")));
        r.creditsRoot = b32(string.concat(v, ".creditsRoot"));
    }

    function recover(bytes32 digest, bytes memory signature) external pure returns (address) {
        return ECDSA.recover(digest, signature);
    }

    function test_secp256k1_refuses_the_high_s_twin() public {
        load("secp256k1");
        bytes32 digest = b32(".digest");
        vm.assertEq(ECDSA.recover(digest, vm.parseJsonBytes(json, ".signature")), adr(".address"));
        bytes memory twin = vm.parseJsonBytes(json, ".highS");
        bytes32 s;
        assembly {
            s := mload(add(twin, 0x40))
        }
        vm.expectRevert(abi.encodeWithSelector(ECDSA.ECDSAInvalidSignatureS.selector, s));
        this.recover(digest, twin);
    }

    function test_hash_to_curve() public {
        load("bls");
        for (uint256 i = 0; i < 32; ++i) {
            string memory here = string.concat(".hashToCurve[", vm.toString(i), "]");
            string memory tag = vm.parseJsonString(json, string.concat(here, ".tag"));
            uint256[2] memory point = HashToCurve.hash(b32(string.concat(here, ".digest")), tag);
            uint256[2] memory expected = g1(string.concat(here, ".point"));
            vm.assertEq(point[0], expected[0]);
            vm.assertEq(point[1], expected[1]);
        }
    }

    function test_bls_signatures() public {
        load("bls");
        bytes32 statement = b32(".statement");
        bytes32 possession = b32(".possession");
        for (uint256 i = 0; i < 4; ++i) {
            string memory key = string.concat(".keys[", vm.toString(i), "]");
            string memory here = string.concat(".signatures[", vm.toString(i), "]");
            uint256[2] memory key1 = g1(string.concat(key, ".g1"));
            uint256[4] memory key2 = g2(string.concat(key, ".g2"));
            uint256[2] memory s = g1(string.concat(here, ".statement"));
            uint256[2] memory p = g1(string.concat(here, ".possession"));
            vm.assertTrue(Bls.verify(statement, Bls.STATEMENT_TAG, key1, key2, s));
            vm.assertTrue(Bls.verify(possession, Bls.POSSESSION_TAG, key1, key2, p));
            vm.assertFalse(Bls.verify(possession, Bls.STATEMENT_TAG, key1, key2, p));
            vm.assertFalse(Bls.verify(possession, Bls.POSSESSION_TAG, key1, key2, s));
        }
        for (uint256 i = 0; i < 6; ++i) {
            string memory here = string.concat(".aggregates[", vm.toString(i), "]");
            uint256[2] memory sum = g1(string.concat(here, ".g1"));
            uint256[4] memory apk = g2(string.concat(here, ".g2"));
            vm.assertTrue(Bls.verify(statement, Bls.STATEMENT_TAG, sum, apk, g1(string.concat(here, ".signature"))));
        }
    }

    function test_a_key_in_g1_must_be_the_key_in_g2() public {
        load("bls");
        uint256[2] memory other = g1(".keys[1].g1");
        uint256[4] memory key2 = g2(".keys[0].g2");
        uint256[2] memory s = g1(".signatures[0].statement");
        vm.assertFalse(Bls.verify(b32(".statement"), Bls.STATEMENT_TAG, other, key2, s));
    }

    function test_infinity_is_neither_key_nor_signature() public {
        load("bls");
        uint256[2] memory none1;
        uint256[4] memory none2;
        uint256[2] memory key1 = g1(".keys[0].g1");
        uint256[4] memory key2 = g2(".keys[0].g2");
        uint256[2] memory s = g1(".signatures[0].statement");
        vm.assertFalse(Bls.verify(b32(".statement"), Bls.STATEMENT_TAG, none1, none2, none1));
        vm.assertFalse(Bls.verify(b32(".statement"), Bls.STATEMENT_TAG, none1, key2, s));
        vm.assertFalse(Bls.verify(b32(".statement"), Bls.STATEMENT_TAG, key1, none2, s));
        vm.assertFalse(Bls.verify(b32(".statement"), Bls.STATEMENT_TAG, key1, key2, none1));
    }

    function test_merkle_trees() public {
        load("merkle");
        for (uint256 i = 0; i < 5; ++i) {
            string memory n = string.concat("[", vm.toString(i), "]");
            string memory here = string.concat(".credits.list", n);
            bytes32 streamPart = b32(string.concat(here, ".streamPart"));
            uint64 messages = u64(string.concat(here, ".messages"));
            uint64 bytes_ = u64(string.concat(here, ".bytes"));
            bytes32 leaf =
                Merkle.creditLeaf(Credit(streamPart, messages, bytes_, u64(string.concat(here, ".servedBytes"))));
            open("credits", n, leaf);
            leaf = Merkle.deliveryLeaf(
                streamPart, messages, bytes_, b32(string.concat(".deliveries.list", n, ".custody"))
            );
            open("deliveries", n, leaf);
        }
        for (uint256 i = 0; i < 3; ++i) {
            string memory n = string.concat("[", vm.toString(i), "]");
            uint256[] memory chunk = vm.parseJsonUintArray(json, string.concat(".payouts.chunks", n));
            open("payouts", n, Merkle.payoutLeaf(chunk));
            this.unpack(chunk, i * 64);
        }
        bytes32 custody =
            keccak256(abi.encodePacked(b32(".custody.setDigest"), adr(".custody.receiver")));
        vm.assertEq(custody, b32(".custody.custody"));
    }

    function open(string memory list, string memory n, bytes32 leaf) private view {
        string memory here = string.concat(".", list, ".leaves", n);
        vm.assertEq(leaf, b32(string.concat(here, ".hash")));
        bytes32[] memory proof = vm.parseJsonBytes32Array(json, string.concat(here, ".proof"));
        vm.assertTrue(MerkleProof.verify(proof, b32(string.concat(".", list, ".root")), leaf));
    }

    function unpack(uint256[] calldata chunk, uint256 first) external view {
        uint256 operators = Merkle.checkChunk(chunk);
        for (uint256 i = 0; i < chunk.length; ++i) {
            (uint256 kind, uint64 id, uint128 cumulative) = Merkle.unpack(chunk[i]);
            string memory here = string.concat(".payouts.entries[", vm.toString(first + i), "]");
            vm.assertEq(kind, u64(string.concat(here, ".kind")));
            vm.assertEq(id, u64(string.concat(here, ".id")));
            vm.assertEq(cumulative, vm.parseJsonUint(json, string.concat(here, ".cumulative")));
            vm.assertEq(kind == 1, i < operators);
        }
    }

    function test_identifiers() public {
        load("identifiers");
        for (uint256 i = 0; i < 3; ++i) {
            string memory here = string.concat(".streamParts[", vm.toString(i), "]");
            string memory stream = vm.parseJsonString(json, string.concat(here, ".stream"));
            string memory partition = vm.toString(u64(string.concat(here, ".partition")));
            vm.assertEq(keccak256(bytes(string.concat(stream, "#", partition))), b32(string.concat(here, ".key")));
            here = string.concat(".seeds[", vm.toString(i), "]");
            bytes32 seed = keccak256(abi.encodePacked(b32(string.concat(here, ".root")), u64(string.concat(here, ".epoch"))));
            vm.assertEq(seed, b32(string.concat(here, ".seed")));
        }
    }
}
