//! Filters, sorts and pages a collection as the vendor documents it.

use std::cmp::Ordering;

use serde_json::Value;

use crate::call::Call;
use crate::filter::Filter;
use crate::reply::{Refusal, Reply};
use crate::settings::{PastEnd, Settings};

/// What there is to list: how to look up a field of an item, and how to show the item.
pub(crate) struct Listing<'a, T> {
    pub(crate) items: Vec<T>,
    pub(crate) field: &'a dyn Fn(&T, &str) -> Value,
    pub(crate) show: &'a dyn Fn(&T) -> Value,
    /// Applied when the caller names no sorter.
    pub(crate) default_sorter: &'a str,
}

impl<T> Listing<'_, T> {
    /// The page of the collection that the call asks for.
    pub(crate) fn page(mut self, call: &Call<'_>, settings: &Settings) -> Result<Reply, Refusal> {
        if let Some(text) = call.text("filters") {
            let filter = Filter::parse(text, &call.operation.filters)
                .map_err(|why| Refusal::bad_request(format!("Cannot filter with {text:?}: {why}.")))?;
            self.items.retain(|item| filter.matches(&|field| (self.field)(item, field)));
        }
        let sorters = match call.text("sorters") {
            Some(text) => parse_sorters(text, &call.operation.sorters)?,
            None => self.default_sorter.split_terminator(',').map(sorter).collect(),
        };
        if !sorters.is_empty() {
            self.sort(&sorters);
        }
        let total = self.items.len();
        let offset = call.number("offset").unwrap_or(0);
        if offset > 0 && offset >= total && settings.past_end == PastEnd::BadRequest {
            return Err(Refusal::bad_request(format!(
                "Specified offset is invalid: {offset} of {total} records."
            )));
        }
        let first = offset.saturating_add_signed(call.shift);
        let limit = call.number("limit").unwrap_or(250).min(settings.page_cap.unwrap_or(usize::MAX));
        let page: Vec<Value> = self.items.iter().skip(first).take(limit).map(self.show).collect();
        let reply = Reply::json(200, Value::Array(page));
        Ok(match call.flag("count") {
            Some(true) => reply.header("x-total-count", total.to_string()),
            _ => reply,
        })
    }

    fn sort(&mut self, sorters: &[(String, bool)]) {
        let items = std::mem::take(&mut self.items);
        let mut keyed: Vec<(Vec<Value>, T)> = items
            .into_iter()
            .map(|item| (sorters.iter().map(|(field, _)| (self.field)(&item, field)).collect(), item))
            .collect();
        keyed.sort_by(|(one, _), (other, _)| {
            let pairs = one.iter().zip(other).zip(sorters);
            let mut orderings = pairs.map(|((one, other), (_, descending))| match descending {
                true => compare(other, one),
                false => compare(one, other),
            });
            orderings.find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
        });
        self.items = keyed.into_iter().map(|(_, item)| item).collect();
    }
}

fn parse_sorters(text: &str, allowed: &[String]) -> Result<Vec<(String, bool)>, Refusal> {
    let sorters: Vec<_> = text.split(',').map(|part| sorter(part.trim())).collect();
    match sorters.iter().find(|(field, _)| !allowed.contains(field)) {
        None => Ok(sorters),
        Some((field, _)) => Err(Refusal::bad_request(format!(
            "Cannot sort with {text:?}: the field {field:?} cannot be sorted here; these can: {}.",
            allowed.join(", ")
        ))),
    }
}

fn sorter(part: &str) -> (String, bool) {
    match part.strip_prefix('-') {
        Some(field) => (field.to_owned(), true),
        None => (part.to_owned(), false),
    }
}

fn compare(one: &Value, other: &Value) -> Ordering {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            one.as_f64().unwrap_or_default().total_cmp(&other.as_f64().unwrap_or_default())
        }
        (Value::String(one), Value::String(other)) => one.cmp(other),
        (one, other) => other.is_null().cmp(&one.is_null()),
    }
}
