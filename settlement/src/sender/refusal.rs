//! What a node's refusals mean: revert reasons, and the answers to a broadcast.
//!
//! Nodes agree on error texts, not on codes; the texts are those of go-ethereum, Bor, Erigon and anvil.

use alloy::primitives::Bytes;
use alloy::sol_types::{GenericContractError, SolInterface};
use alloy::transports::TransportError;

/// Shows a contract's custom error.
pub type DecodeError = fn(&[u8]) -> Option<String>;

/// A node's answer to `eth_sendRawTransaction` that is not plain acceptance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broadcast {
    /// It has this transaction already.
    Known,
    /// The nonce is used: by an attempt of ours, or by a stranger with our key.
    NonceUsed,
    /// Another transaction of this nonce pays as much.
    Underpriced,
    /// Anything else: worth trying again.
    Refused,
}

pub(crate) fn broadcast(error: &TransportError) -> Broadcast {
    let Some(payload) = error.as_error_resp() else { return Broadcast::Refused };
    let text = payload.message.to_lowercase();
    let says = |any: &[&str]| any.iter().any(|part| text.contains(part));
    if says(&["already known", "already imported", "known transaction"]) {
        Broadcast::Known
    } else if says(&["nonce too low", "nonce is too low", "old nonce"]) {
        Broadcast::NonceUsed
    } else if says(&["underpriced", "fee too low"]) {
        Broadcast::Underpriced
    } else {
        Broadcast::Refused
    }
}

/// The reason of a revert, or `None` if the error is not one (the node is away, the account is empty).
pub(crate) fn revert(error: &TransportError, decode: DecodeError) -> Option<String> {
    let payload = error.as_error_resp()?;
    match payload.as_revert_data() {
        Some(data) => Some(describe(&data, decode)),
        None if payload.message.contains("revert") => Some(payload.message.to_string()),
        None => None,
    }
}

fn describe(data: &Bytes, decode: DecodeError) -> String {
    if data.is_empty() {
        return "reverted without a reason".to_owned();
    }
    decode(data)
        .or_else(|| GenericContractError::abi_decode(data).ok().map(|error| error.to_string()))
        .unwrap_or_else(|| format!("reverted with unknown data {data}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy::transports::RpcError;

    fn error(message: &str, data: Option<&str>) -> TransportError {
        let data = data.map(|data| format!(r#", "data": "{data}""#)).unwrap_or_default();
        let payload = format!(r#"{{"code": -32000, "message": "{message}"{data}}}"#);
        RpcError::ErrorResp(serde_json::from_str(&payload).unwrap())
    }

    #[test]
    fn broadcast_answers_are_told_apart() {
        assert_eq!(broadcast(&error("already known", None)), Broadcast::Known);
        assert_eq!(broadcast(&error("nonce too low: next nonce 5, tx nonce 4", None)), Broadcast::NonceUsed);
        assert_eq!(broadcast(&error("replacement transaction underpriced", None)), Broadcast::Underpriced);
        assert_eq!(broadcast(&error("insufficient funds for gas", None)), Broadcast::Refused);
    }

    #[test]
    fn reverts_are_described_and_outages_are_not_reverts() {
        let nothing: DecodeError = |_| None;
        let custom: DecodeError = |data| (data == [1, 2, 3, 4]).then(|| "Custom()".to_owned());
        let reverted = "execution reverted";
        assert_eq!(revert(&error(reverted, Some("0x01020304")), custom).unwrap(), "Custom()");
        assert_eq!(
            revert(&error(reverted, Some("0x01020304")), nothing).unwrap(),
            "reverted with unknown data 0x01020304"
        );
        assert_eq!(revert(&error(reverted, None), nothing).unwrap(), reverted);
        assert_eq!(revert(&error("header not found", None), nothing), None);
    }
}
