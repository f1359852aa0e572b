//! The publisher's messages that no broker has acknowledged yet. No IO.
//!
//! A message enters once, is handed to a connection, and leaves when that connection's broker acknowledges it. When
//! the connection is lost, everything still here is handed to the next one, in order: a message may arrive twice,
//! none is lost. Subscribers recognise the second copy by its content's own sequence.

use std::collections::{BTreeMap, HashMap, VecDeque};

/// See the module.
#[derive(Debug)]
pub(super) struct Outbox {
    capacity: usize,
    window: usize,
    next: u64,
    messages: BTreeMap<u64, Vec<u8>>,
    /// Not yet handed to this connection.
    waiting: VecDeque<u64>,
    /// Handed over, but not yet on the wire: the connection numbers them in this order.
    unnumbered: VecDeque<u64>,
    /// On the wire, by the connection's packet number.
    on_wire: HashMap<u16, u64>,
    pub(super) acknowledged: u64,
    pub(super) resent: u64,
}

impl Outbox {
    /// At most `capacity` messages unacknowledged, at most `window` of them handed to a connection at a time.
    pub(super) fn new(capacity: usize, window: usize) -> Self {
        Self {
            capacity,
            window,
            next: 0,
            messages: BTreeMap::new(),
            waiting: VecDeque::new(),
            unnumbered: VecDeque::new(),
            on_wire: HashMap::new(),
            acknowledged: 0,
            resent: 0,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.messages.len() < self.capacity
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// Messages taken in so far.
    pub(super) fn accepted(&self) -> u64 {
        self.next
    }

    pub(super) fn push(&mut self, payload: Vec<u8>) {
        self.messages.insert(self.next, payload);
        self.waiting.push_back(self.next);
        self.next += 1;
    }

    /// The next message to hand to the connection, if the window allows one.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        if self.unnumbered.len() + self.on_wire.len() >= self.window {
            return None;
        }
        let id = self.waiting.pop_front()?;
        self.unnumbered.push_back(id);
        self.messages.get(&id).cloned()
    }

    /// The connection put the next message on the wire as packet `number`.
    pub(super) fn numbered(&mut self, number: u16) {
        if let Some(id) = self.unnumbered.pop_front() {
            self.on_wire.insert(number, id);
        }
    }

    /// The broker acknowledged packet `number`.
    pub(super) fn acknowledge(&mut self, number: u16) {
        if let Some(id) = self.on_wire.remove(&number)
            && self.messages.remove(&id).is_some()
        {
            self.acknowledged += 1;
        }
    }

    /// The connection is gone: all that is left goes to the next one, oldest first.
    pub(super) fn disconnect(&mut self) {
        self.resent += u64::try_from(self.on_wire.len()).unwrap_or(u64::MAX);
        self.unnumbered.clear();
        self.on_wire.clear();
        self.waiting = self.messages.keys().copied().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(messages: u8) -> Outbox {
        let mut outbox = Outbox::new(8, 3);
        (0..messages).for_each(|n| outbox.push(vec![n]));
        outbox
    }

    #[test]
    fn the_window_and_the_capacity_bound_it() {
        let mut outbox = filled(8);
        assert!(!outbox.has_room());
        assert_eq!(std::iter::from_fn(|| outbox.take()).collect::<Vec<_>>(), [[0], [1], [2]]);
        outbox.numbered(1);
        outbox.acknowledge(1);
        assert!(outbox.has_room());
        assert_eq!(outbox.take(), Some(vec![3]));
        assert_eq!(outbox.take(), None);
    }

    #[test]
    fn a_lost_connection_resends_what_was_not_acknowledged_in_order() {
        let mut outbox = filled(4);
        while outbox.take().is_some() {}
        (1..=3).for_each(|number| outbox.numbered(number));
        outbox.acknowledge(2);
        outbox.disconnect();
        // Acknowledgements of the old connection mean nothing any more.
        outbox.acknowledge(1);
        assert_eq!(std::iter::from_fn(|| outbox.take()).collect::<Vec<_>>(), [[0], [2], [3]]);
        assert_eq!((outbox.acknowledged, outbox.resent, outbox.len()), (1, 2, 3));
    }
}
