//! Reading a list in order of a key: from the last value on, not from an offset.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

use super::call::{Call, Query};
use super::cursor::Mark;
use super::error::Error;
use super::filter::Literal;
use super::operation::PageKey;

/// The order in which a list is read.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    key: &'static str,
    descending: bool,
    sorters: String,
    /// The caller's own.
    filters: Option<String>,
}

impl Order {
    /// The order for a call, from its sorters; none where the operation has no key.
    pub(crate) fn of(call: &Call, keys: &[PageKey]) -> Result<Option<Order>, Error> {
        let Some(first) = keys.first() else {
            return Ok(None);
        };
        let sorters = match call.query_value("sorters") {
            Some(sorters) => sorters.to_owned(),
            None if first.ascending => first.name.to_owned(),
            None => format!("-{}", first.name),
        };
        let leading = sorters.split(',').next().unwrap_or_default().trim();
        let (name, descending) = leading.strip_prefix('-').map_or((leading, false), |name| (name, true));
        let fits =
            |key: &&PageKey| key.name == name && if descending { key.descending } else { key.ascending };
        let Some(key) = keys.iter().find(fits) else {
            let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
            let message = format!(
                "it cannot be read consistently in order of `{leading}`, but of `{}`",
                names.join("`, `")
            );
            return Err(Error::invalid(Some(call.operation), message));
        };
        let filters = call.query_value("filters").filter(|text| !text.trim().is_empty()).map(str::to_owned);
        Ok(Some(Order { key: key.name, descending, sorters, filters }))
    }

    /// The call for what comes from a value on; without one, for all.
    fn from(&self, call: &Call, value: Option<&Value>) -> Call {
        let mut call = call.clone();
        call.query("sorters", Query::One(self.sorters.clone()));
        if let Some(value) = value {
            let value = match value {
                Value::String(text) => Literal::from(text.as_str()).to_string(),
                other => other.to_string(),
            };
            let bound = format!("{} {} {value}", self.key, if self.descending { "le" } else { "ge" });
            let filters = match &self.filters {
                Some(own) => format!("({own}) and {bound}"),
                None => bound,
            };
            call.query("filters", Query::One(filters));
        }
        call
    }
}

/// How far a list was read in order of its key.
#[derive(Debug)]
pub(crate) struct Keyed {
    order: Order,
    mark: Option<At>,
    /// Where to look for what is new, while it is not right behind the last item that was given.
    walk: Option<Walk>,
    /// The value that the page in hand was asked from.
    asked: Option<Value>,
    /// Where the items of the page in hand are among those from `asked` on.
    places: VecDeque<u64>,
}

#[derive(Debug)]
struct At {
    value: Value,
    seen: BTreeSet<String>,
    last: String,
    within: u64,
}

/// The next page to look at. It overlaps the one before it by an item: if that is not where it was, rows have
/// come or gone, and all rows from the value on are looked at from the first.
#[derive(Debug)]
struct Walk {
    offset: u64,
    expects: Option<String>,
}

/// What a page in order of a key is.
pub(crate) enum Step {
    /// It has items that were not given before: `true` for each of them, `false` for the others.
    Fresh(Vec<bool>),
    /// There is nothing new on it: another has to be asked for.
    Again,
}

impl Keyed {
    pub(crate) fn new(order: Order, mark: Option<Mark>) -> Keyed {
        let mark = mark.map(|mark| At {
            last: mark.seen.last().cloned().unwrap_or_default(),
            seen: mark.seen.into_iter().collect(),
            value: mark.value,
            within: mark.within,
        });
        Keyed { order, mark, walk: None, asked: None, places: VecDeque::new() }
    }

    /// For the cursor.
    pub(crate) fn mark(&self) -> Option<Mark> {
        self.mark.as_ref().map(|at| {
            // The last one comes last.
            let others = at.seen.iter().filter(|id| **id != at.last).cloned();
            Mark::new(at.value.clone(), others.chain([at.last.clone()]).collect(), at.within)
        })
    }

    pub(crate) fn call(&self, call: &Call) -> Call {
        self.order.from(call, self.mark.as_ref().map(|at| &at.value))
    }

    /// The offset of the next page; `offset` where there is no key to go by yet.
    pub(crate) fn offset(&self, offset: u64) -> u64 {
        match (&self.walk, &self.mark) {
            (Some(walk), _) => walk.offset,
            (None, Some(at)) => at.within,
            (None, None) => offset,
        }
    }

    /// Whether there is a value to go on from.
    pub(crate) fn has_mark(&self) -> bool {
        self.mark.is_some()
    }

    /// What the next page begins with, if all is as it was.
    fn expected(&self) -> Option<&str> {
        match (&self.walk, &self.mark) {
            (Some(walk), _) => walk.expects.as_deref(),
            (None, mark) => mark.as_ref().filter(|at| at.within > 0).map(|at| at.last.as_str()),
        }
    }

    /// An empty page, or a 400: whether that may mean no more than that items have gone.
    pub(crate) fn rewinds(&mut self) -> bool {
        let rewinds = self.expected().is_some();
        if rewinds {
            self.restart();
        }
        rewinds
    }

    /// Looks at all rows from the value on, from the first.
    pub(crate) fn restart(&mut self) {
        self.walk = self.mark.is_some().then_some(Walk { offset: 0, expects: None });
    }

    /// Looks at a page that has items.
    pub(crate) fn look<'a>(
        &mut self,
        offset: u64,
        ids: impl DoubleEndedIterator<Item = Option<&'a str>> + ExactSizeIterator + Clone,
    ) -> Step {
        self.asked = self.mark.as_ref().map(|at| at.value.clone());
        self.places.clear();
        let (first, last) = (ids.clone().next().flatten(), ids.clone().next_back().flatten());
        if self.expected().is_some_and(|expected| first != Some(expected)) && self.rewinds() {
            return Step::Again;
        }
        let length = ids.len() as u64;
        let seen = self.mark.as_ref().map(|at| &at.seen);
        let fresh: Vec<bool> =
            ids.map(|id| !id.is_some_and(|id| seen.is_some_and(|seen| seen.contains(id)))).collect();
        if !fresh.contains(&true) {
            // Of a single item, there is nothing to overlap with.
            let last = last.filter(|_| length > 1).map(str::to_owned);
            let overlap = u64::from(last.is_some());
            self.walk = Some(Walk { offset: offset + length - overlap, expects: last });
            return Step::Again;
        }
        self.walk = None;
        self.places = (offset..).zip(&fresh).filter(|(_, fresh)| **fresh).map(|(place, _)| place).collect();
        Step::Fresh(fresh)
    }

    /// An item was given.
    pub(crate) fn give(&mut self, item: &Value) {
        let place = self.places.pop_front().unwrap_or(0);
        let value = item.get(self.order.key).filter(|value| !value.is_null());
        let (Some(value), Some(id)) = (value, item.get("id").and_then(Value::as_str)) else {
            return;
        };
        match &mut self.mark {
            Some(at) if at.value == *value => {
                at.within = if self.asked.as_ref() == Some(value) { place } else { at.within + 1 };
                at.last = id.to_owned();
                at.seen.insert(id.to_owned());
            }
            mark => {
                *mark = Some(At {
                    value: value.clone(),
                    seen: BTreeSet::from([id.to_owned()]),
                    last: id.to_owned(),
                    within: 0,
                });
            }
        }
    }

    /// How many records to ask for, so that there is room for the one that was given before.
    pub(crate) fn limit(&self, size: u32, max: Option<u32>) -> u64 {
        let limit = if self.mark.is_some() { size.saturating_add(1) } else { size };
        u64::from(limit.min(max.unwrap_or(u32::MAX)))
    }
}
