//! The devnet's own processes: their names and where they listen.

mod configs;

use std::net::{Ipv4Addr, SocketAddr};

use crate::ports::{Ports, Protocols};
pub(super) use configs::Common;

const INDEXER_PORT: u16 = 8700;
const MQTT_PORT: u16 = 1883;

/// Names of the children.
pub const INDEXER: &str = "indexer";
pub const SETTLEMENT: &str = "settlement";
pub const PUBLISHER: &str = "publisher";
pub const SUBSCRIBER: &str = "subscriber";
pub const LIGHT: &str = "light";

/// Name of a broker's process; brokers count from 1.
pub fn broker(number: u8) -> String {
    format!("broker-{number}")
}

/// Where one node listens.
#[derive(Clone, Copy, Debug)]
pub(super) struct NodePorts {
    p2p: u16,
    mqtt: Option<u16>,
    http: u16,
}

/// All ports of the devnet's own processes.
#[derive(Clone, Debug)]
pub(super) struct Addresses {
    indexer_p2p: u16,
    indexer_http: u16,
    settlement_http: u16,
    brokers: Vec<NodePorts>,
    light: NodePorts,
}

impl Addresses {
    pub(super) fn claim(
        ports: &Ports,
        brokers: u8,
        http: Option<u16>,
        mqtt: Option<u16>,
    ) -> anyhow::Result<Self> {
        let node = |number: u8, requested: Option<u16>| -> anyhow::Result<NodePorts> {
            let name = broker(number);
            let default = MQTT_PORT.saturating_add(u16::from(number) - 1);
            Ok(NodePorts {
                p2p: ports.claim_any(&name, Protocols::TcpAndUdp)?,
                mqtt: Some(ports.claim(&format!("{name} MQTT"), requested, default, Protocols::Tcp)?),
                http: ports.claim_any(&name, Protocols::Tcp)?,
            })
        };
        Ok(Self {
            indexer_http: ports.claim("dashboard", http, INDEXER_PORT, Protocols::Tcp)?,
            indexer_p2p: ports.claim_any(INDEXER, Protocols::TcpAndUdp)?,
            settlement_http: ports.claim_any(SETTLEMENT, Protocols::Tcp)?,
            brokers: (1..=brokers)
                .map(|number| node(number, mqtt.filter(|_| number == 1)))
                .collect::<anyhow::Result<_>>()?,
            light: NodePorts {
                p2p: ports.claim_any(LIGHT, Protocols::TcpAndUdp)?,
                mqtt: None,
                http: ports.claim_any(LIGHT, Protocols::Tcp)?,
            },
        })
    }

    /// The indexer's API and dashboard.
    pub(super) fn dashboard(&self) -> String {
        format!("http://127.0.0.1:{}", self.indexer_http)
    }

    pub(super) fn settlement(&self) -> String {
        format!("http://127.0.0.1:{}", self.settlement_http)
    }

    pub(super) fn light_http(&self) -> String {
        format!("http://127.0.0.1:{}", self.light.http)
    }

    /// Host and port of each broker's MQTT gateway.
    pub(super) fn mqtt(&self) -> Vec<SocketAddr> {
        self.brokers.iter().filter_map(|broker| broker.mqtt).map(local).collect()
    }

    /// Status pages of the brokers.
    pub(super) fn broker_http(&self) -> Vec<String> {
        self.brokers.iter().map(|broker| format!("http://127.0.0.1:{}", broker.http)).collect()
    }
}

fn local(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}
