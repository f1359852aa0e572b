//! The indexer on a real PostgreSQL, with the chain and the clock stated by the test.

mod api;
mod chain;
mod epochs;
mod ingest;
mod process;
mod world;
