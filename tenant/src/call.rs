//! A request that has been found to be well-formed.

use std::collections::HashMap;

use serde_json::Value;

use crate::contract::Operation;

pub(crate) struct Call<'a> {
    pub(crate) operation: &'a Operation,
    /// Parameters of path and query, typed, defaults filled in.
    pub(crate) parameters: HashMap<String, Value>,
    /// Null if none was sent.
    pub(crate) body: Value,
    /// By how many records a collection has moved under the caller's pages.
    pub(crate) shift: isize,
}

impl Call<'_> {
    pub(crate) fn text(&self, parameter: &str) -> Option<&str> {
        self.parameters.get(parameter)?.as_str()
    }

    pub(crate) fn number(&self, parameter: &str) -> Option<usize> {
        let number = self.parameters.get(parameter)?.as_u64()?;
        Some(usize::try_from(number).unwrap_or(usize::MAX))
    }

    pub(crate) fn flag(&self, parameter: &str) -> Option<bool> {
        self.parameters.get(parameter)?.as_bool()
    }
}
