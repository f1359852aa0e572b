//! `tatum-gas`: writes the gas report, or compares with it.

use anyhow::{bail, ensure};
use clap::Parser;
use tatum_gas::{
    operations,
    report::{Report, breakdown},
};

const ABOUT: &str = "Gas of the contracts on Ethereum's and Polygon's schedules, and their sizes";

const HELP: &str = "\
Runs every operation as a real transaction on an anvil of its own (from TATUM_ANVIL, PATH or contracts/node_modules), with
fixed keys and times, and prices its trace on both schedules. The Ethereum column must equal what anvil charged, to the unit.

Examples:
  cargo run -p tatum-gas                             measure, write contracts/gas/report.json, print a table
  cargo run -p tatum-gas -- --check                  measure, fail if report.json says something else
  cargo run -p tatum-gas -- --breakdown=post         what the operations named like that pay for
  cargo run -p tatum-gas -- --check --json           the same figures for a program";

#[derive(Debug, Parser)]
#[command(name = "tatum-gas", about = ABOUT, after_help = HELP)]
struct Arguments {
    /// Compare with contracts/gas/report.json instead of writing it
    #[arg(long)]
    check: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Print what each operation whose name contains NAME pays for on Polygon; writes nothing
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", require_equals = true)]
    breakdown: Option<String>,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let operations = operations::measure().await?;
    let report = Report::new(&operations);
    if arguments.json {
        print!("{}", report.json()?);
    } else if let Some(filter) = &arguments.breakdown {
        print!("{}", breakdown(&operations, filter));
    } else {
        print!("{}", report.table());
    }
    let too_large = report.too_large();
    ensure!(too_large.is_empty(), "{}", too_large.join("\n"));
    if arguments.check {
        let differences = Report::load()?.differences(&report);
        if !differences.is_empty() {
            bail!(
                "{} figures are not those of contracts/gas/report.json:\n  {}\nIf that is meant, run `cargo run -p tatum-gas` and commit the file.",
                differences.len(),
                differences.join("\n  ")
            );
        }
    } else if arguments.breakdown.is_none() {
        report.save()?;
    }
    Ok(())
}
