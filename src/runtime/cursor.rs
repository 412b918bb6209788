//! A place in a list, to go on from.

use serde_json::Value;

use super::wire::{Extra, model};

/// Where in a list a stream is: before the next item. After an error, that is where the page that failed
/// begins.
///
/// It can be written and read with serde, and so go to another process;
/// [`Pager::resume`](crate::Pager::resume) goes on from it. It fits the operation, parameters and filters it
/// is from, and no others.
#[derive(Clone, Debug, PartialEq)]
pub struct Cursor {
    /// The operation that lists.
    pub(crate) operation: String,
    /// What tells the list from others that the operation gives.
    pub(crate) list: String,
    /// How many records come before.
    pub(crate) offset: u64,
    /// How many items were given.
    pub(crate) given: u64,
    /// The total, as far as it is known.
    pub(crate) total: Option<u64>,
    /// The key to go on from, in consistent mode.
    pub(crate) mark: Option<Mark>,
    pub(crate) extra: Extra,
}

model!(Cursor {
    operation: required "operation",
    list: required "list",
    offset: required "offset",
    given: required "given",
    total: optional "total",
    mark: optional "mark",
});

/// A value of the key, and what was given of the items that have it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mark {
    pub(crate) value: Value,
    /// The ids of the items that were given with this value.
    pub(crate) seen: Vec<String>,
    /// Where the last of them is among the items from this value on.
    pub(crate) within: u64,
    extra: Extra,
}

model!(Mark { value: required "value", seen: list "seen", within: required "within", });

impl Cursor {
    pub(crate) fn new(operation: &str, list: &str) -> Cursor {
        Cursor {
            operation: operation.to_owned(),
            list: list.to_owned(),
            offset: 0,
            given: 0,
            total: None,
            mark: None,
            extra: Extra::new(),
        }
    }

    /// How many items were given before it.
    pub fn given(&self) -> u64 {
        self.given
    }

    /// The total, if it was asked for.
    pub fn total(&self) -> Option<u64> {
        self.total
    }
}

impl Mark {
    pub(crate) fn new(value: Value, seen: Vec<String>, within: u64) -> Mark {
        Mark { value, seen, within, extra: Extra::new() }
    }
}

/// A short name for what a call asks for: FNV-1a, which is the same everywhere and always.
pub(crate) fn name_of(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}
