//! Counters of the shells, and everything countable as Prometheus text.

use crate::core::Counters;
use crate::net::links::LinkCounters;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only goes up.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Totals since the start of what happens outside the core.
#[derive(Debug, Default)]
pub struct Metrics {
    pub evidence_accepted: Counter,
    pub evidence_rejected: Counter,
    pub volumes_attested: Counter,
    pub payouts_attested: Counter,
    pub payouts_refused: Counter,
    pub mqtt_connections: Counter,
    pub mqtt_refused: Counter,
    pub mqtt_published: Counter,
    pub mqtt_delivered: Counter,
    /// Messages that a slow client's queue had no room for.
    pub mqtt_dropped: Counter,
}

impl Metrics {
    fn rows(&self) -> [(&'static str, u64); 10] {
        [
            ("evidence_accepted", self.evidence_accepted.get()),
            ("evidence_rejected", self.evidence_rejected.get()),
            ("volumes_attested", self.volumes_attested.get()),
            ("payouts_attested", self.payouts_attested.get()),
            ("payouts_refused", self.payouts_refused.get()),
            ("mqtt_connections", self.mqtt_connections.get()),
            ("mqtt_refused", self.mqtt_refused.get()),
            ("mqtt_published", self.mqtt_published.get()),
            ("mqtt_delivered", self.mqtt_delivered.get()),
            ("mqtt_dropped", self.mqtt_dropped.get()),
        ]
    }
}

/// All totals by name, without those of refusals.
pub(crate) fn totals(metrics: &Metrics, core: &Counters, links: &LinkCounters) -> Vec<(&'static str, u64)> {
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let mut rows = vec![
        ("frames_in", core.frames_in),
        ("messages", core.messages),
        ("bytes", core.bytes),
        ("published", core.published),
        ("copies", core.copies),
        ("offers_in", core.offers_in),
        ("late_frames", core.late),
        ("receipts_signed", core.receipts_signed),
        ("receipts_held", core.receipts_held),
        ("incomplete_epochs", core.incomplete_epochs),
        ("chains", core.chains),
        ("link_packets_in", load(&links.packets_in)),
        ("link_bytes_in", load(&links.bytes_in)),
        ("link_packets_out", load(&links.packets_out)),
        ("link_bytes_out", load(&links.bytes_out)),
        ("link_dropped", load(&links.dropped)),
        ("link_protocol_errors", load(&links.protocol_errors)),
    ];
    rows.extend(metrics.rows());
    rows
}

/// Prometheus text format.
pub(crate) fn render(metrics: &Metrics, core: &Counters, links: &LinkCounters) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    for (name, value) in totals(metrics, core, links) {
        let _ = writeln!(text, "tatum_node_{name} {value}");
    }
    for (refusal, count) in &core.refusals {
        let _ = writeln!(text, "tatum_node_refused{{reason=\"{refusal}\"}} {count}");
    }
    text
}
