//! The broker's signature under what its ledger says is due.

use super::ledger::{Closed, Due};
use super::{Broker, Output};
use tatum_protocol::receipt::{BandwidthReceipt, Delivery, DeliveryReceipt, Receipt};
use tatum_protocol::set_digest::custody;

impl Broker {
    pub(super) fn sign(&mut self, due: Due, out: &mut Vec<Output>) {
        let domain = &self.chain.domain;
        match due {
            Due::Bandwidth { epoch, relayer, sequence, credits } => {
                let receipt = BandwidthReceipt { epoch, relayer, receiver: self.me, sequence, credits };
                match receipt.sign(domain, &self.signer) {
                    Ok(receipt) => {
                        self.counters.receipts_signed += 1;
                        self.signed.insert((epoch, relayer), receipt.clone());
                        out.push(Output::Receipt(receipt));
                    }
                    Err(error) => tracing::error!(%error, epoch, %relayer, "cannot sign a bandwidth receipt"),
                }
            }
            Due::Delivery(closed) => match self.delivery(&closed).sign(domain, &self.signer) {
                Ok(receipt) => out.push(Output::Delivery { receipt, closed }),
                Err(error) => {
                    tracing::error!(%error, epoch = closed.epoch, "cannot sign the delivery receipt")
                }
            },
            Due::Volumes(closed) => out.push(Output::Volumes(closed)),
            Due::Incomplete { epoch } => {
                self.counters.incomplete_epochs += 1;
                tracing::warn!(
                    epoch,
                    "this node did not see all of the epoch; it signs no delivery and no volume for it"
                );
            }
        }
    }

    fn delivery(&self, closed: &Closed) -> DeliveryReceipt {
        let deliveries = closed.totals.iter().map(|total| Delivery {
            part: total.part,
            messages: total.messages,
            bytes: total.bytes,
            custody: custody(&total.set_digest, &self.me),
        });
        DeliveryReceipt { epoch: closed.epoch, receiver: self.me, deliveries: deliveries.collect() }
    }
}
