//! Packets to the client, in its version of the protocol.

use crate::core::Refusal;
use crate::gateway::credentials::AuthError;
use crate::gateway::topic::TopicError;
use mqtt_protocol_core::mqtt::Version;
use mqtt_protocol_core::mqtt::packet::{Packet, Qos, v3_1_1, v5_0};
use mqtt_protocol_core::mqtt::result_code::{
    ConnectReasonCode, ConnectReturnCode, MqttError, PubackReasonCode, SubackReasonCode, SubackReturnCode,
    UnsubackReasonCode,
};

pub(super) type Reply = Result<Packet, MqttError>;

/// Why a subscription was not granted.
#[derive(Debug, thiserror::Error)]
pub(super) enum SubscribeError {
    #[error(transparent)]
    Topic(#[from] TopicError),
    #[error("the node has no subscribe permission on the stream")]
    Permission,
    #[error("the connection has as many subscriptions as are allowed")]
    TooMany,
}

pub(super) fn connack(version: Version, outcome: Result<(), AuthError>) -> Reply {
    if version == Version::V5_0 {
        let code = match outcome {
            Ok(()) => ConnectReasonCode::Success,
            Err(AuthError::Wrong) => ConnectReasonCode::BadUserNameOrPassword,
            Err(AuthError::Missing) => ConnectReasonCode::NotAuthorized,
            Err(AuthError::TooMany) => ConnectReasonCode::ConnectionRateExceeded,
        };
        return Ok(v5_0::Connack::builder().session_present(false).reason_code(code).build()?.into());
    }
    let code = match outcome {
        Ok(()) => ConnectReturnCode::Accepted,
        Err(AuthError::Wrong) => ConnectReturnCode::BadUserNameOrPassword,
        Err(AuthError::Missing) => ConnectReturnCode::NotAuthorized,
        Err(AuthError::TooMany) => ConnectReturnCode::ServerUnavailable,
    };
    Ok(v3_1_1::Connack::builder().session_present(false).return_code(code).build()?.into())
}

/// `None` if this version of the protocol cannot say it: the connection is to be closed.
pub(super) fn puback(version: Version, id: u16, outcome: Result<(), Refusal>) -> Option<Reply> {
    if version == Version::V5_0 {
        let code = match outcome {
            Ok(()) => PubackReasonCode::Success,
            Err(Refusal::PublishPermission) => PubackReasonCode::NotAuthorized,
            Err(Refusal::NotSponsored) => PubackReasonCode::TopicNameInvalid,
            Err(Refusal::Rate | Refusal::Busy) => PubackReasonCode::QuotaExceeded,
            Err(_) => PubackReasonCode::ImplementationSpecificError,
        };
        let packet = v5_0::Puback::builder().packet_id(id).reason_code(code).build();
        return Some(packet.map(Into::into));
    }
    let packet = v3_1_1::Puback::builder().packet_id(id);
    outcome.is_ok().then(|| packet.build().map(Into::into))
}

pub(super) fn suback(version: Version, id: u16, outcomes: &[Result<Qos, SubscribeError>]) -> Reply {
    if version == Version::V5_0 {
        let code = |outcome: &Result<Qos, SubscribeError>| match outcome {
            Ok(Qos::AtMostOnce) => SubackReasonCode::GrantedQos0,
            Ok(_) => SubackReasonCode::GrantedQos1,
            Err(SubscribeError::Topic(TopicError::Wildcard)) => {
                SubackReasonCode::WildcardSubscriptionsNotSupported
            }
            Err(SubscribeError::Topic(_)) => SubackReasonCode::TopicFilterInvalid,
            Err(SubscribeError::Permission) => SubackReasonCode::NotAuthorized,
            Err(SubscribeError::TooMany) => SubackReasonCode::QuotaExceeded,
        };
        let codes = outcomes.iter().map(code).collect();
        return Ok(v5_0::Suback::builder().packet_id(id).reason_codes(codes).build()?.into());
    }
    let code = |outcome: &Result<Qos, SubscribeError>| match outcome {
        Ok(Qos::AtMostOnce) => SubackReturnCode::SuccessMaximumQos0,
        Ok(_) => SubackReturnCode::SuccessMaximumQos1,
        Err(_) => SubackReturnCode::Failure,
    };
    let codes = outcomes.iter().map(code).collect();
    Ok(v3_1_1::Suback::builder().packet_id(id).return_codes(codes).build()?.into())
}

pub(super) fn unsuback(version: Version, id: u16, count: usize) -> Reply {
    if version == Version::V5_0 {
        let codes = vec![UnsubackReasonCode::Success; count];
        return Ok(v5_0::Unsuback::builder().packet_id(id).reason_codes(codes).build()?.into());
    }
    Ok(v3_1_1::Unsuback::builder().packet_id(id).build()?.into())
}

/// A message for the client; `id` for at least once.
pub(super) fn publish(version: Version, topic: &str, payload: &[u8], id: Option<u16>) -> Reply {
    let qos = if id.is_some() { Qos::AtLeastOnce } else { Qos::AtMostOnce };
    if version == Version::V5_0 {
        let packet = v5_0::Publish::builder().topic_name(topic)?.qos(qos).payload(payload);
        let packet = if let Some(id) = id { packet.packet_id(id) } else { packet };
        return Ok(packet.build()?.into());
    }
    let packet = v3_1_1::Publish::builder().topic_name(topic)?.qos(qos).payload(payload);
    let packet = if let Some(id) = id { packet.packet_id(id) } else { packet };
    Ok(packet.build()?.into())
}
