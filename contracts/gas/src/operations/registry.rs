//! Streams and their permissions.

use alloy::primitives::{Address, U256};

use super::{Bench, at_most};
use tatum_contracts::abi::{StreamRegistry, stream_registry::IStreamRegistry::Permission};

use crate::world::somebody;

const PATH: &str = "/machines/press-7";
/// As Streamr's clients write it.
const SHORT: &str = r#"{"partitions":4}"#;
const LONG: &str = r#"{"partitions":4,"description":"Pressure and temperature of the third press in hall 7, every 100 ms","storageDays":365,"config":{"fields":[{"name":"pressure","type":"number"},{"name":"temperature","type":"number"}]}}"#;
const PUBLISH: u8 = 2;
const SUBSCRIBE: u8 = 3;

fn users(count: u64) -> Vec<Address> {
    (1..=count).map(|n| somebody(&format!("subscriber {n}"))).collect()
}

/// May subscribe for good.
fn subscriber() -> Permission {
    Permission {
        canEdit: false,
        canDelete: false,
        publishExpiration: U256::ZERO,
        subscribeExpiration: U256::MAX,
        canGrant: false,
    }
}

pub(super) async fn measure(bench: &mut Bench) -> anyhow::Result<()> {
    let to = bench.world.at.stream_registry;
    let from = somebody("stream owner");
    let id = format!("{from:#x}{PATH}");
    let create = |path: &str, metadata: &str| StreamRegistry::createStreamCall {
        streamIdPath: path.into(),
        metadataJsonString: metadata.into(),
    };
    bench.measure("create stream", at_most(130_000), from, to, create(PATH, SHORT)).await?;
    let name = "create stream, 211 bytes of metadata";
    bench.measure(name, None, from, to, create("/machines/press-8", LONG)).await?;
    let call = StreamRegistry::grantPermissionCall {
        streamId: id.clone(),
        user: somebody("device"),
        permissionType: PUBLISH,
    };
    bench.measure("grant a permission", None, from, to, call).await?;
    let call = StreamRegistry::grantPermissionCall {
        streamId: id.clone(),
        user: somebody("device"),
        permissionType: SUBSCRIBE,
    };
    bench.measure("grant a second permission", None, from, to, call).await?;
    let call = StreamRegistry::setPermissionsCall {
        streamId: id.clone(),
        users: users(10),
        permissions: vec![subscriber(); 10],
    };
    bench.measure("set the permissions of 10 users", None, from, to, call).await?;
    let call = StreamRegistry::grantPublicPermissionCall { streamId: id.clone(), permissionType: SUBSCRIBE };
    bench.measure("grant a public permission", None, from, to, call).await?;
    let call = StreamRegistry::revokePermissionCall {
        streamId: id.clone(),
        user: somebody("device"),
        permissionType: PUBLISH,
    };
    bench.measure("revoke a permission", None, from, to, call).await?;
    let metadata = r#"{"partitions":8}"#.into();
    let call = StreamRegistry::updateStreamMetadataCall { streamId: id.clone(), metadata };
    bench.measure("update metadata", None, from, to, call).await?;
    bench.measure("delete stream", None, from, to, StreamRegistry::deleteStreamCall { streamId: id }).await
}
