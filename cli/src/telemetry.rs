//! One JSON sample of this machine: what a sensor on it would report.
//!
//! The devnet's publisher sends these, so that the messages that get paid for carry real, changing data. A sample
//! names its `device` and has a gapless `sequence`, so that a receiver can tell loss from silence.

use std::time::Duration;

use serde::Serialize;
use sysinfo::{Components, Disks, MemoryRefreshKind, Networks, System};

use tatum_node::clock::now_ms;

/// Bytes are totals since boot for the network and current values elsewhere; `time` is Unix milliseconds.
#[derive(Debug, Serialize)]
pub struct Sample {
    /// Host name and a random session: a restarted publisher counts from 0 again as another device.
    pub device: String,
    pub sequence: u64,
    pub time: u64,
    pub host: String,
    pub uptime_seconds: u64,
    pub cpu: Cpu,
    pub load: [f64; 3],
    pub memory: Memory,
    pub network: Network,
    pub disk: Disk,
    /// Empty on machines without sensors, as most virtual ones are.
    pub temperatures: Vec<Temperature>,
}

#[derive(Debug, Serialize)]
pub struct Cpu {
    pub percent: f32,
    pub cores: Vec<f32>,
}

#[derive(Debug, Serialize)]
pub struct Memory {
    pub total_bytes: u64,
    pub used_bytes: u64,
    pub swap_used_bytes: u64,
}

#[derive(Debug, Serialize)]
pub struct Network {
    pub received_bytes: u64,
    pub sent_bytes: u64,
}

#[derive(Debug, Serialize)]
pub struct Disk {
    pub total_bytes: u64,
    pub available_bytes: u64,
}

#[derive(Debug, Serialize)]
pub struct Temperature {
    pub sensor: String,
    pub celsius: f32,
}

/// Takes samples. CPU use is measured between two of them; the first reports 0.
#[derive(Debug)]
pub struct Sampler {
    device: String,
    host: String,
    sequence: u64,
    system: System,
    networks: Networks,
    disks: Disks,
    components: Components,
    slow_refreshed: std::time::Instant,
}

/// Disks and sensors change slowly and cost most to read.
const SLOW_REFRESH: Duration = Duration::from_secs(5);

impl Sampler {
    /// `session` tells this run from earlier ones of the same host.
    pub fn new(session: u32) -> Self {
        let host = System::host_name().unwrap_or_else(|| "unknown".to_owned());
        let mut system = System::new();
        system.refresh_cpu_usage();
        Self {
            device: format!("{host}/{session:08x}"),
            host,
            sequence: 0,
            system,
            networks: Networks::new_with_refreshed_list(),
            disks: Disks::new_with_refreshed_list(),
            components: Components::new_with_refreshed_list(),
            slow_refreshed: std::time::Instant::now(),
        }
    }

    /// The next sample; its sequence is one more than the last one's.
    pub fn sample(&mut self) -> Sample {
        self.refresh();
        let sequence = self.sequence;
        self.sequence += 1;
        let load = System::load_average();
        Sample {
            device: self.device.clone(),
            sequence,
            time: now_ms(),
            host: self.host.clone(),
            uptime_seconds: System::uptime(),
            cpu: Cpu {
                percent: round(self.system.global_cpu_usage()),
                cores: self.system.cpus().iter().map(|cpu| round(cpu.cpu_usage())).collect(),
            },
            load: [load.one, load.five, load.fifteen],
            memory: Memory {
                total_bytes: self.system.total_memory(),
                used_bytes: self.system.used_memory(),
                swap_used_bytes: self.system.used_swap(),
            },
            network: Network {
                received_bytes: self.networks.values().map(|network| network.total_received()).sum(),
                sent_bytes: self.networks.values().map(|network| network.total_transmitted()).sum(),
            },
            disk: self.disk(),
            temperatures: self.temperatures(),
        }
    }

    fn refresh(&mut self) {
        self.system.refresh_cpu_usage();
        self.system.refresh_memory_specifics(MemoryRefreshKind::everything());
        self.networks.refresh(true);
        if self.slow_refreshed.elapsed() >= SLOW_REFRESH {
            self.slow_refreshed = std::time::Instant::now();
            self.disks.refresh(true);
            self.components.refresh(true);
        }
    }

    /// The file system mounted at `/`, or the first one there is.
    fn disk(&self) -> Disk {
        let disks = self.disks.list();
        let root = disks.iter().find(|disk| disk.mount_point() == std::path::Path::new("/"));
        let disk = root.or_else(|| disks.first());
        Disk {
            total_bytes: disk.map_or(0, sysinfo::Disk::total_space),
            available_bytes: disk.map_or(0, sysinfo::Disk::available_space),
        }
    }

    fn temperatures(&self) -> Vec<Temperature> {
        self.components
            .iter()
            .filter_map(|component| {
                let celsius = component.temperature().filter(|celsius| celsius.is_finite())?;
                Some(Temperature { sensor: component.label().to_owned(), celsius: round(celsius) })
            })
            .collect()
    }
}

/// Two decimals: more would be noise and bytes.
fn round(value: f32) -> f32 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_count_up_and_serialize_with_their_identity() {
        let mut sampler = Sampler::new(7);
        let first = serde_json::to_value(sampler.sample()).unwrap();
        let second = serde_json::to_value(sampler.sample()).unwrap();
        assert_eq!(first["sequence"], 0);
        assert_eq!(second["sequence"], 1);
        assert_eq!(first["device"], second["device"]);
        assert!(first["device"].as_str().unwrap().ends_with("/00000007"));
        assert!(first["memory"]["total_bytes"].as_u64().unwrap() > 0);
        assert!(first["time"].as_u64().unwrap() > 1_600_000_000_000);
    }
}
