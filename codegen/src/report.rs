//! What an import did, for a person to read.

use std::collections::BTreeMap;
use std::fmt;

use crate::node::Place;

/// Everything that was changed on the way to the canonical document.
#[derive(Default, Debug)]
pub struct Report {
    entries: Vec<Entry>,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The rule that made it; the same for all changes of one kind.
    pub rule: &'static str,
    /// Where: file and JSON pointer.
    pub place: String,
    /// What was changed.
    pub what: String,
}

impl Report {
    /// Adds a change.
    pub fn add(&mut self, rule: &'static str, place: &Place, what: impl fmt::Display) {
        let entry = Entry { rule, place: place.to_string(), what: what.to_string() };
        // A file that many operations share is mended once for each of them, and told of once.
        if !self.entries.contains(&entry) {
            self.entries.push(entry);
        }
    }

    /// The changes, in the order they were made.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rules: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for entry in &self.entries {
            rules.entry(entry.rule).or_default().push(entry);
        }
        for (rule, entries) in rules {
            writeln!(f, "{rule} ({})", entries.len())?;
            for entry in entries {
                writeln!(f, "  {}\n    {}", entry.place, entry.what)?;
            }
        }
        Ok(())
    }
}
