//! The resource center as a server: it answers, collects by its own clock, and fails as stores do.
//!
//! A lagging replica of it has what was there a while ago; contents do not change, so that is all that is old about it. A
//! damaged answer to a read brings other bytes. A write that is to be answered with damage is not carried out, and its
//! answer has no use.

use super::{Command, Disk};
use crate::protocol::{Cause, StoreFate};
use failproof_core::distribution::resources::{
    self, Answer, CenterConfig, Chunk, ContentId, Reply, Request, ResourceCenter, ResourceError, What,
};
use failproof_core::distribution::{Message, Output, Target};
use failproof_core::{Duration, Instant};
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// How often it looks for what nobody wants, as a part of the grace.
const COLLECTIONS: u64 = 4;

/// The resource center behind its server.
///
/// Units and clock: every [`Instant`] is microseconds on the steady clock of its place.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CenterServer {
    center: ResourceCenter,
    /// Since when each content is whole, as far as replicas matter.
    whole_at: BTreeMap<ContentId, Instant>,
    next_collection: Instant,
}

/// Written as what it stores.
impl Serialize for CenterServer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.center.serialize(serializer)
    }
}

impl CenterServer {
    pub(super) fn start(config: CenterConfig, disk: Option<Disk>, now: Instant) -> Self {
        let mut center = match disk {
            Some(Disk::Center(center)) => center,
            _ => ResourceCenter::new(config),
        };
        center.restart(now);
        let next_collection = now + Duration::from_micros(config.grace.as_micros() / COLLECTIONS);
        Self { center, whole_at: BTreeMap::new(), next_collection }
    }

    pub(super) fn disk(&self) -> Disk {
        Disk::Center(self.center.clone())
    }

    pub(super) const fn deadline(&self) -> Instant {
        self.next_collection
    }

    pub(super) fn handle(
        &mut self,
        now: Instant,
        fate: StoreFate,
        cause: Cause<'_, Message, Command>,
        outputs: &mut Vec<Output>,
    ) {
        match cause {
            Cause::Timer => self.collect(now),
            Cause::Message(Message::Resource(resources::Message::Request { by, request })) => {
                if let Some(reply) = self.serve(now, fate, request) {
                    let message = Message::Resource(resources::Message::Reply { to: *by, reply });
                    outputs.push(Output::Send(Target::Asker, message));
                }
            }
            Cause::Message(_) | Cause::Command(_) => {}
        }
    }

    fn collect(&mut self, now: Instant) {
        if now < self.next_collection {
            return;
        }
        self.next_collection = now + Duration::from_micros(self.center.config().grace.as_micros() / COLLECTIONS);
        for id in self.center.collect(now) {
            self.whole_at.remove(&id);
        }
    }

    fn serve(&mut self, now: Instant, fate: StoreFate, request: &Request) -> Option<Reply> {
        let is_read = matches!(request.what, What::Read { .. });
        match fate {
            StoreFate::Corrupt if is_read => {
                let mut reply = self.center.serve(request, now);
                if let Answer::Piece { chunk, .. } = &mut reply.answer {
                    *chunk = damaged(chunk);
                }
                Some(reply)
            }
            StoreFate::Corrupt => None,
            StoreFate::ReadAt(ago) if is_read && self.is_younger(request.id, ago, now) => {
                let (id, tag) = (request.id, request.tag);
                Some(Reply { id, tag, answer: Answer::Refused(ResourceError::Missing) })
            }
            StoreFate::ReadAt(_) | StoreFate::Serve => {
                let reply = self.center.serve(request, now);
                if reply.answer == Answer::Whole {
                    self.whole_at.entry(request.id).or_insert(now);
                }
                Some(reply)
            }
        }
    }

    fn is_younger(&self, id: ContentId, ago: Duration, now: Instant) -> bool {
        self.whole_at.get(&id).is_some_and(|whole_at| now.since(*whole_at) < ago)
    }
}

/// The same bytes but one.
fn damaged(chunk: &Chunk) -> Chunk {
    let mut bytes = chunk.as_bytes().to_vec();
    if let Some(byte) = bytes.first_mut() {
        *byte ^= 1;
    }
    Chunk::first_of(&bytes)
}
