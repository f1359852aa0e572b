//! Random programs on a real anvil: the model must charge what anvil does, to the unit. Needs anvil (see contracts/README.md).

use alloy::{
    primitives::{Address, B256, Bytes, U256},
    providers::ext::AnvilApi,
};
use proptest::{
    prelude::*,
    strategy::ValueTree,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use tatum_gas::{chain::Chain, machine, trace::Executed};

const PROGRAMS: usize = 500;
const SENDER: Address = Address::repeat_byte(0x11);
/// Each may call the ones after it.
const CONTRACTS: [Address; 3] =
    [Address::repeat_byte(0xa1), Address::repeat_byte(0xa2), Address::repeat_byte(0xa3)];
/// An account without code.
const NOBODY: Address = Address::repeat_byte(0xb0);

#[derive(Debug, Clone)]
enum Op {
    Load(u8),
    Store(u8, u8),
    Transient(u8),
    Log(u8, u8),
    Hash(u16, u8),
    /// To, from, length.
    Copy(u16, u16, u8),
    Power(u16),
    SizeOf(u8),
    /// Opcode and who is called, counted from the caller.
    Call(u8, usize),
    Precompile(u8, u8),
    Modexp(u8),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        3 => (0..4u8).prop_map(Op::Load),
        6 => (0..4u8, 0..3u8).prop_map(|(slot, value)| Op::Store(slot, value)),
        1 => any::<u8>().prop_map(Op::Transient),
        1 => (0..5u8, any::<u8>()).prop_map(|(topics, length)| Op::Log(topics, length)),
        1 => (0..2000u16, any::<u8>()).prop_map(|(offset, length)| Op::Hash(offset, length)),
        1 => (0..2000u16, 0..2000u16, any::<u8>()).prop_map(|(to, from, length)| Op::Copy(to, from, length)),
        1 => any::<u16>().prop_map(Op::Power),
        1 => (0..4u8).prop_map(Op::SizeOf),
        3 => (prop_oneof![Just(0xf1u8), Just(0xf4), Just(0xfa)], 1..3usize).prop_map(|(op, to)| Op::Call(op, to)),
        2 => (1..=8u8, 0..3u8).prop_map(|(number, size)| Op::Precompile(number, size)),
        1 => any::<u8>().prop_map(Op::Modexp),
    ]
}

/// What a contract does, and whether it reverts in the end.
fn program() -> impl Strategy<Value = (Vec<Op>, bool)> {
    (prop::collection::vec(op(), 1..14), prop::bool::weighted(0.3))
}

fn push(code: &mut Vec<u8>, word: impl Into<u64>) {
    let word: u64 = word.into();
    code.push(0x67);
    code.extend(word.to_be_bytes());
}

fn push_address(code: &mut Vec<u8>, address: Address) {
    code.push(0x73);
    code.extend(address);
}

/// Calls with everything the caller has left; input and output from 0.
fn call(code: &mut Vec<u8>, opcode: u8, to: Address, input: u64) {
    for word in [32, 0, input, 0] {
        push(code, word);
    }
    if opcode == 0xf1 {
        push(code, 0u64);
    }
    push_address(code, to);
    code.extend([0x5a, opcode, 0x50]);
}

fn store_word(code: &mut Vec<u8>, offset: u64, word: u64) {
    push(code, word);
    push(code, offset);
    code.push(0x52);
}

fn assemble(contract: usize, (ops, reverts): &(Vec<Op>, bool)) -> Bytes {
    let mut code = Vec::new();
    for op in ops {
        match *op {
            Op::Load(slot) => {
                push(&mut code, slot);
                code.extend([0x54, 0x50]);
            }
            // A static call may not store: SSTORE would use up its gas, which no contract of ours does.
            Op::Store(..) | Op::Log(..) | Op::Transient(_) if contract == 2 => {}
            Op::Store(slot, value) => {
                push(&mut code, value);
                push(&mut code, slot);
                code.push(0x55);
            }
            Op::Transient(slot) => {
                push(&mut code, slot);
                push(&mut code, slot);
                code.push(0x5d);
            }
            Op::Log(topics, length) => {
                (0..topics).for_each(|topic| push(&mut code, topic));
                push(&mut code, length);
                push(&mut code, 64u64);
                code.push(0xa0 + topics);
            }
            Op::Hash(offset, length) => {
                push(&mut code, length);
                push(&mut code, offset);
                code.extend([0x20, 0x50]);
            }
            Op::Copy(to, from, length) => {
                push(&mut code, length);
                push(&mut code, from);
                push(&mut code, to);
                code.push(0x5e);
            }
            Op::Power(exponent) => {
                push(&mut code, exponent);
                push(&mut code, 3u64);
                code.extend([0x0a, 0x50]);
            }
            Op::SizeOf(whom) => {
                let whom = CONTRACTS.get(usize::from(whom)).copied().unwrap_or(NOBODY);
                push_address(&mut code, whom);
                code.extend([0x3b, 0x50]);
            }
            Op::Call(opcode, to) => {
                let to = contract + to;
                // Only the last contract is fit for a static call.
                let opcode = if opcode == 0xfa && to != 2 { 0xf1 } else { opcode };
                call(&mut code, opcode, CONTRACTS.get(to).copied().unwrap_or(NOBODY), 32);
            }
            Op::Precompile(number, size) => {
                let input = match number {
                    // Points at infinity and zeroes, whatever memory held.
                    6..=8 => 192 * u64::from(size),
                    5 => 0,
                    _ => 50 * u64::from(size),
                };
                let number = if (6..=7).contains(&number) && size == 0 { 6 } else { number };
                (0..input / 32).for_each(|word| store_word(&mut code, 32 * word, 0));
                call(&mut code, 0xfa, Address::with_last_byte(number), input);
            }
            Op::Modexp(exponent) => {
                (0..3).for_each(|word| store_word(&mut code, 32 * word, 32));
                store_word(&mut code, 96, 7);
                store_word(&mut code, 128, u64::from(exponent) << 56);
                store_word(&mut code, 160, 1_000_003);
                call(&mut code, 0xfa, Address::with_last_byte(5), 192);
            }
        }
    }
    push(&mut code, 40u64);
    push(&mut code, 8u64);
    code.push(if *reverts && contract > 0 { 0xfd } else { 0xf3 });
    code.into()
}

/// Gives the first contract a program and slots, and runs it.
async fn run(chain: &Chain, code: Bytes, held: &[u8]) -> Executed {
    chain.provider().anvil_set_code(CONTRACTS[0], code).await.unwrap();
    for (slot, value) in held.iter().enumerate() {
        let (slot, value) = (U256::from(slot), B256::with_last_byte(*value));
        chain.provider().anvil_set_storage_at(CONTRACTS[0], slot, value).await.unwrap();
    }
    let receipt = chain.send(SENDER, Some(CONTRACTS[0]), Bytes::new()).await.unwrap();
    chain.trace(&receipt, Bytes::new()).await.unwrap()
}

#[tokio::test]
async fn polygon_differs_by_what_pip_88_says() {
    let chain = Chain::start().await.unwrap();
    let ops = vec![
        Op::Load(0),          // 5460 for 2100
        Op::Store(0, 2),      // 2060 for 2900
        Op::Store(1, 0),      // 5000 on both; the refund is 3960 for 4800
        Op::Store(2, 1),      // 22940 for 22100
        Op::Store(0, 1),      // as before: the refund is 1960 for 2800
        Op::Precompile(6, 1), // 540 for 150
        Op::Precompile(7, 1), // 12600 for 6000
        Op::Precompile(8, 1), // 118500 for 79000
        Op::Modexp(255),
    ];
    let executed = run(&chain, assemble(0, &(ops, false)), &[1, 1, 0]).await;
    let (ethereum, polygon) = (machine::ethereum(&executed).unwrap(), machine::polygon(&executed).unwrap());
    assert_eq!((ethereum.refunded(), polygon.refunded()), (4_800 + 2_800, 3_960 + 1_960));
    assert_eq!(
        (polygon.cold_reads, polygon.new_slots, polygon.changed_slots),
        (5_460, 22_940, 2_060 + 5_000)
    );
    let spent = 3_360 - 840 + 840 + 390 + 6_600 + 39_500;
    assert_eq!(polygon.total() - ethereum.total(), spent + 840 + 840);
}

#[tokio::test]
async fn a_gas_limit_that_only_ethereum_keeps_is_refused() {
    let chain = Chain::start().await.unwrap();
    let mut code = Vec::new();
    for word in [64u64, 0, 96, 0] {
        push(&mut code, word);
    }
    push_address(&mut code, Address::with_last_byte(7));
    // Enough for a multiplication at 6000, not at 12600.
    push(&mut code, 7_000u64);
    code.extend([0xfa, 0x50]);
    let executed = run(&chain, code.into(), &[]).await;
    machine::ethereum(&executed).unwrap();
    let error = machine::polygon(&executed).unwrap_err().to_string();
    assert!(error.contains("may use 7000 and needs 12600"), "{error}");
}

#[tokio::test]
async fn a_receipt_that_says_otherwise_is_refused() {
    let chain = Chain::start().await.unwrap();
    let code = assemble(0, &(vec![Op::Load(0), Op::Log(1, 9)], false));
    let executed = run(&chain, code, &[]).await;
    machine::ethereum(&executed).unwrap();
    let other = Executed { gas_used: executed.gas_used + 1, ..executed.clone() };
    assert!(machine::ethereum(&other).unwrap_err().to_string().contains("the receipt says"));
    let mut other = executed;
    other.steps[4].gas -= 1;
    assert!(machine::ethereum(&other).unwrap_err().to_string().contains("by the trace"));
}

#[tokio::test]
async fn the_model_charges_what_anvil_does() {
    let chain = Chain::start().await.unwrap();
    let mut runner =
        TestRunner::new_with_rng(Config::default(), TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let programs = prop::array::uniform3(program());
    let slots = prop::array::uniform12(0..3u8);
    let mut different = 0;
    for n in 0..PROGRAMS {
        let drawn = programs.new_tree(&mut runner).unwrap().current();
        let held = slots.new_tree(&mut runner).unwrap().current();
        for (contract, address) in CONTRACTS.into_iter().enumerate() {
            let code = assemble(contract, &drawn[contract]);
            chain.provider().anvil_set_code(address, code).await.unwrap();
            for slot in 0..4 {
                let value = B256::with_last_byte(held[4 * contract + slot]);
                chain.provider().anvil_set_storage_at(address, U256::from(slot), value).await.unwrap();
            }
        }
        let input = Bytes::from(vec![u8::from(n % 3 != 0); n]);
        let receipt = chain.send(SENDER, Some(CONTRACTS[0]), input.clone()).await.unwrap();
        let executed = chain.trace(&receipt, input).await.unwrap();
        let ethereum =
            machine::ethereum(&executed).unwrap_or_else(|error| panic!("{error}\n{drawn:#?}\n{held:?}"));
        assert_eq!(ethereum.total(), receipt.gas_used);
        different += usize::from(machine::polygon(&executed).unwrap().total() != receipt.gas_used);
    }
    assert!(different > PROGRAMS / 2, "only {different} programs cost something else on Polygon");
}
