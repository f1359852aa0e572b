//! The way of a published message into the node.

use crate::core::{ChainState, Refusal};
use std::sync::Arc;
use tatum_protocol::Address;
use tatum_protocol::id::StreamPart;
use tatum_protocol::message::Message;
use tokio::sync::{mpsc, oneshot, watch};

/// A message to publish, and where its outcome goes.
#[derive(Debug)]
pub(crate) struct Publication {
    pub(crate) part: StreamPart,
    pub(crate) message: Message,
    pub(crate) outcome: oneshot::Sender<Result<(), Refusal>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Router {
    /// The node's own address: it signs what its clients publish, and subscribes for them.
    pub(crate) node: Address,
    pub(crate) publications: mpsc::Sender<Publication>,
    pub(crate) chain: watch::Receiver<Arc<ChainState>>,
}

impl Router {
    /// Hands a message over. The outcome comes when its frame is on its way to another assigned broker.
    pub(crate) async fn publish(
        &self,
        part: StreamPart,
        message: Message,
    ) -> oneshot::Receiver<Result<(), Refusal>> {
        let (outcome, result) = oneshot::channel();
        // A node that has stopped drops the sender, which the receiver sees.
        let _ = self.publications.send(Publication { part, message, outcome }).await;
        result
    }

    pub(crate) fn may_subscribe(&self, part: &StreamPart, now_s: u64) -> bool {
        self.chain.borrow().permissions.may_subscribe(&part.stream, self.node, now_s)
    }
}
