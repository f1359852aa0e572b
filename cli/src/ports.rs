//! Which TCP and UDP ports the services of one devnet get.
//!
//! A service has a default port. If that is taken, another free one is handed out and said so; a port that the
//! user asked for is either free or an error. Ports handed out are remembered, because the services that will
//! listen on them start later.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::sync::{Mutex, PoisonError};

/// Why no port was handed out.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    #[error("{service}: port {port} was asked for but is in use ({reason}); free it or choose another")]
    Taken { service: String, port: u16, reason: String },
    #[error("{service}: no free port found in {attempts} attempts: {reason}")]
    NoneFree { service: String, attempts: u32, reason: String },
}

/// Hands out ports on the loopback interface, each at most once.
#[derive(Debug, Default)]
pub struct Ports {
    claimed: Mutex<BTreeSet<u16>>,
}

/// Which protocols the port must be free for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocols {
    Tcp,
    /// The same number for both, as a libp2p node wants for TCP and QUIC.
    TcpAndUdp,
}

const ATTEMPTS: u32 = 50;

impl Ports {
    /// The port for `service`: `requested` if given, else `default` if it is free, else any free one.
    pub fn claim(
        &self,
        service: &str,
        requested: Option<u16>,
        default: u16,
        protocols: Protocols,
    ) -> Result<u16, PortError> {
        if let Some(port) = requested {
            return self.try_claim(port, protocols).map_err(|reason| PortError::Taken {
                service: service.to_owned(),
                port,
                reason,
            });
        }
        match self.try_claim(default, protocols) {
            Ok(port) => Ok(port),
            Err(reason) => {
                let port = self.claim_any(service, protocols)?;
                tracing::info!("{service}: port {default} is in use ({reason}), using {port}");
                Ok(port)
            }
        }
    }

    /// Any free port.
    pub fn claim_any(&self, service: &str, protocols: Protocols) -> Result<u16, PortError> {
        let mut reason = String::new();
        for _ in 0..ATTEMPTS {
            match self.try_claim(0, protocols) {
                Ok(port) => return Ok(port),
                Err(why) => reason = why,
            }
        }
        Err(PortError::NoneFree { service: service.to_owned(), attempts: ATTEMPTS, reason })
    }

    /// Claims `port`, 0 meaning any, by listening on it for a moment.
    fn try_claim(&self, port: u16, protocols: Protocols) -> Result<u16, String> {
        let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let listener = TcpListener::bind(address(port)).map_err(|error| error.to_string())?;
        let port = listener.local_addr().map_err(|error| error.to_string())?.port();
        if protocols == Protocols::TcpAndUdp {
            UdpSocket::bind(address(port)).map_err(|error| format!("UDP: {error}"))?;
        }
        let mut claimed = self.claimed.lock().unwrap_or_else(PoisonError::into_inner);
        if claimed.insert(port) { Ok(port) } else { Err("another service of this devnet has it".to_owned()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_default_gives_another_port() {
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = holder.local_addr().unwrap().port();
        let port = Ports::default().claim("anvil", None, taken, Protocols::Tcp).unwrap();
        assert_ne!(port, taken);
    }

    #[test]
    fn a_taken_request_is_an_error_naming_port_and_service() {
        let holder = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = holder.local_addr().unwrap().port();
        let error = Ports::default().claim("anvil", Some(taken), 1, Protocols::Tcp).unwrap_err();
        assert!(error.to_string().contains(&taken.to_string()), "{error}");
        assert!(error.to_string().starts_with("anvil"), "{error}");
    }

    #[test]
    fn no_port_is_handed_out_twice() {
        let ports = Ports::default();
        let first = ports.claim_any("one", Protocols::TcpAndUdp).unwrap();
        let second = ports.claim("two", None, first, Protocols::Tcp).unwrap();
        assert_ne!(first, second);
        assert!(matches!(
            ports.claim("three", Some(first), 1, Protocols::Tcp),
            Err(PortError::Taken { port, .. }) if port == first
        ));
    }

    #[test]
    fn a_port_taken_for_udp_is_not_free_for_both() {
        let holder = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = holder.local_addr().unwrap().port();
        assert!(Ports::default().claim("node", Some(taken), 1, Protocols::TcpAndUdp).is_err());
    }
}
