//! How a zip gets to the caller: at once or by a redirect, whole or a range of it.

use std::sync::{Arc, PoisonError};

use crate::archive::Archive;
use crate::organisation::uuid;
use crate::pipeline::{Incoming, Shared};
use crate::reply::{Body, Reply};
use crate::wire::Content;

/// A zip, or a part of it, as the body of an answer.
pub(crate) struct Zip {
    archive: Arc<Archive>,
    first: u64,
    /// How many bytes from the first on; `None` for all of them, their number not being told.
    length: Option<u64>,
}

impl Zip {
    pub(crate) fn whole(archive: Arc<Archive>) -> Self {
        Self { archive, first: 0, length: None }
    }

    /// The length, at the cost of making the zip for it if need be.
    pub(crate) fn length(&self) -> u64 {
        self.length.unwrap_or_else(|| self.archive.length())
    }

    pub(crate) fn content(self) -> Content {
        Content::archive(self.archive, self.first, self.length)
    }
}

/// Sends a zip itself, or the place where it is.
pub(crate) fn deliver(shared: &Shared, mut reply: Reply, incoming: &Incoming) -> Reply {
    let Body::Zip(zip) = reply.body else {
        return reply;
    };
    match &shared.download_url {
        Some(url) => {
            let (id, signature) = (&zip.archive.id, signature(shared, &zip.archive));
            Reply::empty(302).header("location", format!("{url}/exports/{id}?signature={signature}"))
        }
        None => {
            reply.body = Body::Bytes(Vec::new());
            ranged(shared, reply, zip, incoming)
        }
    }
}

/// What the second port answers: it wants a signed address and no credentials.
pub(crate) fn fetch(shared: &Shared, incoming: &Incoming) -> Reply {
    let refuse = |status, why: &str| {
        let page =
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Message>{why}</Message></Error>");
        Reply { status, headers: Vec::new(), body: Body::Bytes(page.into_bytes()) }
            .header("content-type", "application/xml")
    };
    if incoming.header("authorization").is_some() {
        return refuse(400, "Only one auth mechanism allowed: the signature or the Authorization header");
    }
    if incoming.parts.method != "GET" {
        return refuse(405, "The specified method is not allowed against this resource");
    }
    let id = incoming.parts.uri.path().strip_prefix("/exports/").unwrap_or_default();
    let world = shared.world.lock().unwrap_or_else(PoisonError::into_inner);
    let archive =
        world.exports.iter().find(|export| export.archive.id == id).map(|export| Arc::clone(&export.archive));
    drop(world);
    let signed = |archive: &Archive| {
        incoming
            .query()
            .iter()
            .any(|(name, value)| name == "signature" && *value == signature(shared, archive))
    };
    match archive.filter(|archive| signed(archive)) {
        None => refuse(403, "The request signature does not match"),
        Some(archive) => {
            let reply = Reply::empty(200).header("content-type", "application/zip");
            ranged(shared, reply, Zip::whole(archive), incoming)
        }
    }
}

fn signature(shared: &Shared, archive: &Archive) -> String {
    let number =
        archive.id.bytes().fold(0u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
    uuid(shared.settings.seed ^ 0x5193, number).replace('-', "")
}

/// Makes a zip the body of a reply, narrowed to the range that is asked for if ranges are on.
fn ranged(shared: &Shared, reply: Reply, zip: Zip, incoming: &Incoming) -> Reply {
    let with = |reply: Reply, zip: Zip| Reply { body: Body::Zip(zip), ..reply };
    if !shared.settings.ranges {
        return with(reply, zip);
    }
    let (length, tag) = (zip.length(), zip.archive.etag());
    let current = incoming.header("if-range").is_none_or(|known| known == tag);
    let range = incoming.header("range").filter(|_| current).and_then(|range| parse_range(range, length));
    let reply = reply.header("accept-ranges", "bytes").header("etag", tag);
    match range {
        None => with(reply, Zip { length: Some(length), ..zip }),
        Some(Err(())) => Reply::empty(416).header("content-range", format!("bytes */{length}")),
        Some(Ok((first, last))) => {
            let reply = reply.header("content-range", format!("bytes {first}-{last}/{length}"));
            with(Reply { status: 206, ..reply }, Zip { first, length: Some(last + 1 - first), ..zip })
        }
    }
}

/// The first and the last byte of a single range; `None` for what is to be ignored.
fn parse_range(range: &str, length: u64) -> Option<Result<(u64, u64), ()>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.checked_sub(1)?;
    let range = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.min(end)),
        (Ok(first), Err(_)) if last.is_empty() => (first, end),
        (Err(_), Ok(count)) if first.is_empty() && count > 0 => (length.saturating_sub(count), end),
        _ => return None,
    };
    Some(if range.0 <= end { Ok(range) } else { Err(()) })
}
