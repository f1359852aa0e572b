//! What the contracts cost on two gas schedules: Ethereum's, which anvil charges, and Polygon's.
//!
//! Real transactions run on a real anvil; their traces are priced again by [`machine`], once per schedule. The first result
//! must equal what anvil charged, which makes the second one worth believing. [`report`] is the committed snapshot.
//!
//! Left out: fees (the price of gas), and transactions that create contracts; those are measured by their size.

pub mod bill;
pub mod chain;
pub mod machine;
pub mod modexp;
pub mod opcode;
pub mod operations;
pub mod report;
pub mod schedule;
pub mod trace;
pub mod world;
