//! Topics: a stream id, optionally with `?partition=N`.

use tatum_protocol::id::{IdError, StreamPart};

/// Why a topic names no stream part.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum TopicError {
    #[error("wildcards are not supported: a subscription names one stream part")]
    Wildcard,
    #[error("query {0:?} is not partition=<number>")]
    Query(String),
    #[error(transparent)]
    Id(#[from] IdError),
}

pub(super) fn parse(topic: &str) -> Result<StreamPart, TopicError> {
    if topic.contains(['#', '+']) {
        return Err(TopicError::Wildcard);
    }
    let (stream, partition) = match topic.split_once('?') {
        None => (topic, 0),
        Some((stream, query)) => {
            let number = query.strip_prefix("partition=").and_then(|number| number.parse().ok());
            (stream, number.ok_or_else(|| TopicError::Query(query.to_owned()))?)
        }
    };
    Ok(StreamPart::new(stream.parse()?, partition)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_name_one_stream_part() {
        assert_eq!(parse("0xAB/weather").unwrap().to_string(), "0xab/weather#0");
        assert_eq!(parse("a/b?partition=7").unwrap().to_string(), "a/b#7");
        assert_eq!(parse("a/#"), Err(TopicError::Wildcard));
        assert_eq!(parse("a/+/c"), Err(TopicError::Wildcard));
        assert_eq!(parse("a/b?x=1"), Err(TopicError::Query("x=1".to_owned())));
        assert!(parse("a/b?partition=100").is_err());
        assert!(parse("nopath").is_err());
    }
}
