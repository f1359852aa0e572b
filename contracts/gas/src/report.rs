//! The figures, the committed snapshot of them, and how the two differ.

use alloy::primitives::Bytes;
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
};

use tatum_contracts::abi::{DataToken, Settlement, Slashing, Sponsorships, Staking, StreamRegistry};

use crate::{
    operations::Operation,
    schedule::{ETHEREUM, POLYGON, Schedule},
};

/// Bytes of code that a contract may have (EIP-170).
const RUNTIME_LIMIT: usize = 24_576;
/// Bytes of code that may create one, arguments included (EIP-3860).
const INIT_LIMIT: usize = 2 * RUNTIME_LIMIT;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    pub ethereum: Schedule,
    pub polygon: Schedule,
    pub operations: Vec<Line>,
    pub contracts: Vec<Size>,
}

/// Gas of one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    pub operation: String,
    pub ethereum: u64,
    pub polygon: u64,
    /// At most so much on Polygon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<u64>,
    /// How many are served together; the target counts them all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Bytes of a contract; `init` is without the constructor's arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Size {
    pub contract: String,
    pub runtime: usize,
    pub init: usize,
}

/// Of the committed artifacts.
fn sizes() -> Vec<Size> {
    let size = |contract: &str, runtime: &Bytes, init: &Bytes| Size {
        contract: contract.into(),
        runtime: runtime.len(),
        init: init.len(),
    };
    vec![
        size("DataToken", &DataToken::DEPLOYED_BYTECODE, &DataToken::BYTECODE),
        size("Staking", &Staking::DEPLOYED_BYTECODE, &Staking::BYTECODE),
        size("Sponsorships", &Sponsorships::DEPLOYED_BYTECODE, &Sponsorships::BYTECODE),
        size("Settlement", &Settlement::DEPLOYED_BYTECODE, &Settlement::BYTECODE),
        size("Slashing", &Slashing::DEPLOYED_BYTECODE, &Slashing::BYTECODE),
        size("StreamRegistry", &StreamRegistry::DEPLOYED_BYTECODE, &StreamRegistry::BYTECODE),
    ]
}

impl Report {
    pub fn new(operations: &[Operation]) -> Self {
        let line = |operation: &Operation| Line {
            operation: operation.name.clone(),
            ethereum: operation.ethereum.total(),
            polygon: operation.polygon.total(),
            target: operation.target.map(|target| target.gas * target.count),
            count: operation.target.map(|target| target.count).filter(|count| *count > 1),
        };
        let operations = operations.iter().map(line).collect();
        Self { ethereum: ETHEREUM, polygon: POLYGON, operations, contracts: sizes() }
    }

    /// Where the snapshot is committed.
    pub fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("report.json")
    }

    pub fn load() -> anyhow::Result<Self> {
        let path = Self::path();
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is not a gas report", path.display()))
    }

    pub fn save(&self) -> anyhow::Result<()> {
        let path = Self::path();
        std::fs::write(&path, self.json()?).with_context(|| format!("writing {}", path.display()))
    }

    /// One figure per line, so that a change shows as one.
    pub fn json(&self) -> anyhow::Result<String> {
        fn lines<T: Serialize>(items: &[T]) -> anyhow::Result<String> {
            let lines: Result<Vec<String>, _> = items.iter().map(serde_json::to_string).collect();
            Ok(format!("[\n    {}\n  ]", lines?.join(",\n    ")))
        }
        let ethereum = serde_json::to_string(&self.ethereum)?;
        let polygon = serde_json::to_string(&self.polygon)?;
        let (operations, contracts) = (lines(&self.operations)?, lines(&self.contracts)?);
        Ok(format!(
            "{{\n  \"ethereum\": {ethereum},\n  \"polygon\": {polygon},\n  \"operations\": {operations},\n  \"contracts\": {contracts}\n}}\n"
        ))
    }

    /// What is too large to be deployed.
    pub fn too_large(&self) -> Vec<String> {
        let over = |size: &Size| {
            let Size { contract, runtime, init } = size;
            (*runtime > RUNTIME_LIMIT || *init > INIT_LIMIT).then(|| {
                format!("{contract} has {runtime} bytes ({init} to create it); {RUNTIME_LIMIT} ({INIT_LIMIT}) are allowed")
            })
        };
        self.contracts.iter().filter_map(over).collect()
    }

    /// Every figure of this snapshot that is another in `found`, in words.
    pub fn differences(&self, found: &Self) -> Vec<String> {
        let (expected, found) = (self.figures(), found.figures());
        let mut differences = Vec::new();
        for (name, expected) in &expected {
            match found.get(name) {
                None => differences.push(format!("{name}: expected {expected}, not measured any more")),
                Some(found) if found != expected => {
                    differences.push(format!("{name}: expected {expected}, found {found}"));
                }
                Some(_) => {}
            }
        }
        let new = found.iter().filter(|(name, _)| !expected.contains_key(*name));
        differences.extend(new.map(|(name, found)| format!("{name}: not in the snapshot, found {found}")));
        differences
    }

    fn figures(&self) -> BTreeMap<String, String> {
        let mut figures = BTreeMap::new();
        for (chain, schedule) in [("Ethereum", &self.ethereum), ("Polygon", &self.polygon)] {
            figures.insert(format!("{chain}'s schedule"), format!("{schedule:?}"));
        }
        for line in &self.operations {
            let name = &line.operation;
            figures.insert(format!("{name} (Ethereum)"), line.ethereum.to_string());
            figures.insert(format!("{name} (Polygon)"), line.polygon.to_string());
            if let Some(target) = line.target {
                figures.insert(format!("{name} (target)"), target.to_string());
            }
        }
        for size in &self.contracts {
            figures.insert(format!("{} (runtime bytes)", size.contract), size.runtime.to_string());
            figures.insert(format!("{} (init bytes)", size.contract), size.init.to_string());
        }
        figures
    }

    /// For people.
    pub fn table(&self) -> String {
        let mut table = format!("{:<54}{:>10}{:>10}  {}\n", "gas", "Ethereum", "Polygon", "target (Polygon)");
        for line in &self.operations {
            let name = &line.operation;
            let _ = writeln!(table, "{name:<54}{:>10}{:>10}{}", line.ethereum, line.polygon, line.verdict());
        }
        let _ = writeln!(table, "\n{:<54}{:>10}{:>10}", "bytes", "runtime", "init");
        for size in &self.contracts {
            let left = RUNTIME_LIMIT.saturating_sub(size.runtime);
            let name = &size.contract;
            let _ = writeln!(table, "{name:<54}{:>10}{:>10}  {left} left", size.runtime, size.init);
        }
        table
    }
}

impl Line {
    fn verdict(&self) -> String {
        let Some(target) = self.target else { return String::new() };
        let verdict = if self.polygon <= target { "met" } else { "missed" };
        match self.count {
            Some(n) => format!("  {} each, {} each {verdict}", self.polygon.div_ceil(n), target / n),
            None => format!("  {target} {verdict}"),
        }
    }
}

/// What each operation whose name contains `filter` pays for on Polygon.
pub fn breakdown(operations: &[Operation], filter: &str) -> String {
    let mut table = String::new();
    for operation in operations.iter().filter(|operation| operation.name.contains(filter)) {
        let bill = &operation.polygon;
        let _ = writeln!(table, "{}: {} on Polygon", operation.name, bill.total());
        for (part, gas) in bill.parts().into_iter().filter(|(_, gas)| *gas != 0) {
            let _ = writeln!(table, "{gas:>12}  {part}");
        }
        if bill.refunded() != 0 {
            let _ = writeln!(table, "{:>12}  refund", format!("-{}", bill.refunded()));
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let line = |name: &str, target| Line {
            operation: name.into(),
            ethereum: 10,
            polygon: 640,
            target,
            count: target.map(|_| 64),
        };
        Report { operations: vec![line("post", None), line("push", Some(640))], ..Report::new(&[]) }
    }

    #[test]
    fn the_snapshot_reads_back() {
        let report = report();
        let json = report.json().unwrap();
        assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
        assert!(json.contains("\n    {\"operation\":\"post\",\"ethereum\":10,\"polygon\":640},\n"), "{json}");
    }

    #[test]
    fn every_difference_is_named() {
        let expected = report();
        assert_eq!(expected.differences(&report()), Vec::<String>::new());
        let mut found = report();
        found.polygon.ec_add += 1;
        found.operations[0].polygon = 641;
        found.operations[1].operation = "pull".into();
        found.contracts[0].init += 1;
        let differences = expected.differences(&found).join("\n");
        assert!(differences.contains("post (Polygon): expected 640, found 641"), "{differences}");
        assert!(differences.contains("push (Ethereum): expected 10, not measured any more"), "{differences}");
        assert!(differences.contains("pull (target): not in the snapshot, found 640"), "{differences}");
        assert!(differences.contains("Polygon's schedule"), "{differences}");
        assert!(differences.contains("DataToken (init bytes)"), "{differences}");
        assert_eq!(differences.lines().count(), 9, "{differences}");
    }

    #[test]
    fn targets_count_all_that_are_served() {
        let mut report = report();
        assert_eq!(report.operations[1].verdict(), "  10 each, 10 each met");
        report.operations[1].polygon = 641;
        assert_eq!(report.operations[1].verdict(), "  11 each, 10 each missed");
        assert_eq!(report.operations[0].verdict(), "");
    }

    #[test]
    fn code_beyond_the_limit_is_refused() {
        let mut report = report();
        assert_eq!(report.too_large(), Vec::<String>::new());
        report.contracts[0].runtime = RUNTIME_LIMIT + 1;
        assert_eq!(report.too_large().len(), 1);
    }
}
