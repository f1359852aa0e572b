//! The publisher and the subscriber of `tatum publish` and `tatum subscribe`: MQTT clients of the brokers' gateways that
//! outlive any one broker.

mod backoff;
mod outbox;
pub mod publish;
mod seen;
mod session;
pub mod subscribe;

use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;

/// The environment variable with the password.
pub const PASSWORD_VARIABLE: &str = "TATUM_MQTT_PASSWORD";

/// How to reach the brokers: the same for both commands.
#[derive(Clone, Debug, Args)]
pub struct ConnectionArgs {
    /// MQTT gateway of a broker; repeat it to name brokers to fail over to
    #[arg(long = "broker", value_name = "HOST:PORT", required = true, value_parser = parse_address)]
    pub brokers: Vec<BrokerAddress>,
    /// Stream id, `?partition=N` appended for a partition other than 0
    #[arg(long, value_name = "ID", value_parser = parse_topic)]
    pub stream: String,
    /// Name of the gateway credential that `tatum init` made. Its password is read from TATUM_MQTT_PASSWORD or
    /// --password-file, never from an argument, which other users could see
    #[arg(long, default_value = "tatum")]
    pub user: String,
    /// File with the password
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

impl ConnectionArgs {
    /// The password from the file or the environment.
    pub fn password(&self) -> anyhow::Result<String> {
        if let Some(path) = &self.password_file {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
        }
        match std::env::var(PASSWORD_VARIABLE) {
            Ok(password) if !password.is_empty() => Ok(password),
            _ => bail!("no password for `{}`: set {PASSWORD_VARIABLE} or give --password-file", self.user),
        }
    }
}

/// Host and port of a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BrokerAddress {
    pub host: String,
    pub port: u16,
}

impl std::fmt::Display for BrokerAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Name and password for a gateway.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub password: String,
}

/// Without the password.
impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

fn parse_address(text: &str) -> Result<BrokerAddress, String> {
    let expected = "expected HOST:PORT, such as 127.0.0.1:1883";
    let (host, port) = text.rsplit_once(':').ok_or(expected)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().map_err(|_| format!("`{port}` is not a port; {expected}"))?;
    if host.is_empty() || port == 0 {
        return Err(expected.to_owned());
    }
    Ok(BrokerAddress { host: host.to_owned(), port })
}

/// The topic of a stream is its id as it is; MQTT's wildcards are no part of one.
fn parse_topic(text: &str) -> Result<String, String> {
    if text.contains(['#', '+']) {
        return Err("a stream id holds no `#` or `+`; name a partition as `?partition=N`".to_owned());
    }
    match text.split_once('/') {
        Some((owner, path)) if !owner.is_empty() && !path.is_empty() => Ok(text.to_owned()),
        _ => Err("expected OWNER/PATH, such as 0xabc.../machines/telemetry".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(parse_address("[::1]:1883"), Ok(BrokerAddress { host: "::1".into(), port: 1883 }));
        assert_eq!(parse_address("broker.example:1").unwrap().to_string(), "broker.example:1");
        for wrong in ["localhost", ":1883", "host:0", "host:99999"] {
            assert!(parse_address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn topics() {
        assert!(parse_topic("0xab/c?partition=3").is_ok());
        for wrong in ["0xab/c#3", "0xab/+", "noslash", "/path", "owner/"] {
            assert!(parse_topic(wrong).is_err(), "{wrong}");
        }
    }
}
