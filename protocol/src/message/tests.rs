use super::*;
use alloy_primitives::hex;
use proptest::prelude::*;

fn domain() -> Domain {
    Domain::new(31337, Address::repeat_byte(7))
}

fn signer() -> Signer {
    Signer::from_bytes([1; 32]).unwrap()
}

fn message(timestamp_ms: u64, payload: &[u8]) -> Message {
    Message {
        timestamp_ms,
        content_type: ContentType::Json,
        encryption: Encryption::None,
        payload: payload.to_vec(),
    }
}

fn sign(first_sequence: u64, messages: Vec<Message>) -> Result<Frame, FrameError> {
    Frame::sign(&domain(), &signer(), PartKey::repeat_byte(3), 9, first_sequence, messages)
}

fn any_message() -> impl Strategy<Value = Message> {
    let encryption = prop_oneof![
        Just(Encryption::None),
        any::<([u8; 16], [u8; 12])>().prop_map(|(key_id, nonce)| Encryption::Aes256Gcm { key_id, nonce })
    ];
    let content = prop_oneof![Just(ContentType::Binary), Just(ContentType::Json), Just(ContentType::Text)];
    (content, encryption, prop::collection::vec(any::<u8>(), 0..64)).prop_map(
        |(content_type, encryption, payload)| Message { timestamp_ms: 5, content_type, encryption, payload },
    )
}

#[test]
fn bounds_are_enforced_when_signing() {
    assert_eq!(sign(0, vec![]).unwrap_err(), FrameError::Count { found: 0 });
    assert_eq!(sign(0, vec![message(1, b""); 257]).unwrap_err(), FrameError::Count { found: 257 });
    assert!(matches!(
        sign(0, vec![message(2, b""), message(1, b"")]),
        Err(FrameError::TimestampOrder { .. })
    ));
    assert!(matches!(sign(u64::MAX, vec![message(1, b"")]), Err(FrameError::SequenceOverflow { .. })));
    let large = vec![0; MAX_PAYLOAD_BYTES + 1];
    assert!(matches!(sign(0, vec![message(1, &large)]), Err(FrameError::PayloadTooLarge { .. })));
    let two = vec![message(1, &large[1..]); 2];
    assert!(matches!(sign(0, two), Err(FrameError::TooLarge { .. })));
    assert!(sign(0, vec![message(1, &large[1..])]).is_ok());
}

#[test]
fn epoch_is_that_of_all_messages_or_none() {
    let clock = EpochClock { genesis: 0, length: 1 };
    assert_eq!(sign(0, vec![message(1000, b""), message(1999, b"")]).unwrap().epoch(&clock), Some(1));
    assert_eq!(sign(0, vec![message(1999, b""), message(2000, b"")]).unwrap().epoch(&clock), None);
}

#[test]
fn signature_binds_the_domain() {
    let frame = sign(0, vec![message(1, b"x")]).unwrap();
    assert!(frame.verify(&domain()).is_ok());
    assert!(frame.verify(&Domain::new(137, Address::repeat_byte(7))).is_err());
}

#[test]
fn encoding_is_pinned() {
    let frame = sign(4, vec![message(1, b"hi")]).unwrap();
    assert_eq!(
        hex::encode(&frame.encoded()[137..]),
        "000000100000000000000001010000000002".to_owned() + "6869"
    );
    assert_eq!(frame.encoded().len(), HEADER_BYTES + 16);
}

proptest! {
    #[test]
    fn round_trips(messages in prop::collection::vec(any_message(), 1..20), first in 0_u64..1000) {
        let frame = sign(first, messages).unwrap();
        let decoded = Frame::decode(frame.encoded()).unwrap();
        prop_assert_eq!(&decoded, &frame);
        prop_assert_eq!(decoded.verify(&domain()), Ok(frame.hash(&domain())));
    }

    #[test]
    fn any_flipped_bit_is_refused(messages in prop::collection::vec(any_message(), 1..4), at: prop::sample::Index, bit in 0..8) {
        let frame = sign(0, messages).unwrap();
        let mut bytes = frame.encoded().to_vec();
        bytes[at.index(frame.encoded().len())] ^= 1_u8 << bit;
        let verdict = Frame::decode(&bytes).map(|frame| frame.verify(&domain()));
        prop_assert!(!matches!(verdict, Ok(Ok(_))), "a changed frame passed");
    }

    #[test]
    fn decoding_is_the_inverse_of_encoding_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(frame) = Frame::decode(&bytes) {
            prop_assert_eq!(frame.encoded(), bytes.as_slice());
        }
    }
}
