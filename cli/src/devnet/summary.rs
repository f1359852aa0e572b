//! What the terminal shows: a line per settled epoch, and the table at the end.

use std::collections::BTreeSet;
use std::fmt::Write;

use tatum_protocol::amount::Wei;

use super::{Audit, EpochReport, shown};

/// DATA with four decimals, rounded down: columns stay narrow, exact amounts are in the JSON.
fn short(amount: Wei) -> String {
    const FOUR_DECIMALS: u128 = 100_000_000_000_000;
    let units = amount.0 / FOUR_DECIMALS;
    format!("{}.{:04}", units / 10_000, units % 10_000)
}

/// One line of progress.
pub(super) fn line(report: &EpochReport) -> String {
    let mut line = format!(
        "epoch {:>4} {:<10} {:>6} messages {:>9} bytes {:>4} receipts  certified {}/{}",
        report.epoch,
        report.status,
        report.messages,
        report.bytes,
        report.receipts,
        report.certified_parts,
        report.sponsored_parts,
    );
    if let Some(root) = &report.root {
        let _ = write!(line, "  root {}…", root.get(..10).unwrap_or(root));
    }
    for (operator, amount) in &report.earned {
        let _ = write!(line, "  #{operator} {}", short(*amount));
    }
    if report.scheduled != Wei::ZERO {
        let _ = write!(line, "  refunded {}", short(report.refunded));
    }
    line
}

/// The epochs of this run, a column per operator.
pub(super) fn table(reports: &[EpochReport]) -> String {
    let operators: BTreeSet<u64> = reports.iter().flat_map(|report| report.earned.keys().copied()).collect();
    let mut header: Vec<String> =
        ["epoch", "status", "messages", "receipts", "scheduled"].map(str::to_owned).to_vec();
    header.extend(operators.iter().map(|operator| format!("operator {operator}")));
    header.extend(["refunded", "exact"].map(str::to_owned));
    let mut rows = vec![header];
    for report in reports {
        let mut row = vec![
            report.epoch.to_string(),
            report.status.clone(),
            report.messages.to_string(),
            report.receipts.to_string(),
            short(report.scheduled),
        ];
        row.extend(operators.iter().map(|id| short(report.earned.get(id).copied().unwrap_or_default())));
        row.extend([short(report.refunded), if report.is_exact() { "yes" } else { "NO" }.to_owned()]);
        rows.push(row);
    }
    align(&rows)
}

fn align(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width =
        |column: usize| rows.iter().filter_map(|row| row.get(column)).map(String::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(text, "{cell:>width$}  ");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// The equations, each with its two sides.
pub(super) fn audit(audit: &Audit) -> String {
    let mut text = String::new();
    for check in &audit.checks {
        let (sign, mark) = if check.holds() { ("==", "ok") } else { ("!=", "WRONG") };
        let _ = writeln!(
            text,
            "{mark:>5}  {}: {} {sign} {}",
            check.equation,
            shown(check.left),
            shown(check.right)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn report(epoch: u64, earned: &[(u64, u128)], refunded: u128, scheduled: u128) -> EpochReport {
        EpochReport {
            epoch,
            status: "paid".into(),
            messages: 40,
            bytes: 12_345,
            receipts: 16,
            certified_parts: 1,
            sponsored_parts: 1,
            root: Some(format!("0x{}", "ab".repeat(32))),
            scheduled: Wei(scheduled),
            earned: earned.iter().map(|(id, amount)| (*id, Wei(*amount))).collect::<BTreeMap<_, _>>(),
            refunded: Wei(refunded),
        }
    }

    #[test]
    fn amounts_are_cut_not_rounded_up() {
        assert_eq!(short(Wei(1_999_999_999_999_999_999)), "1.9999");
        assert_eq!(short(Wei(0)), "0.0000");
    }

    #[test]
    fn every_operator_has_a_column_and_a_missing_wei_is_seen() {
        let data = 1_000_000_000_000_000_000;
        let table = table(&[report(7, &[(1, data)], 0, data), report(8, &[(2, data)], 0, data + 1)]);
        let lines: Vec<_> = table.lines().collect();
        assert!(lines[0].contains("operator 1") && lines[0].contains("operator 2"));
        assert!(lines[1].ends_with("yes") && lines[2].ends_with("NO"), "{table}");
        assert_eq!(lines[1].len(), lines[1].trim_end().len());
    }

    #[test]
    fn a_line_names_root_and_earnings() {
        let line = line(&report(7, &[(3, 5)], 2, 7));
        assert!(line.contains("0xabababab…") && line.contains("#3 0.0000"), "{line}");
    }
}
