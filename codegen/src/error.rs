//! What can go wrong, and where.

use std::fmt;

use crate::node::Place;

/// A failure, with the place in the document (or the file) that caused it.
#[derive(Debug)]
pub struct Error {
    place: String,
    message: String,
}

/// The result of everything in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A failure at a place in a document.
    pub fn at(place: &Place, message: impl fmt::Display) -> Error {
        Error { place: place.to_string(), message: message.to_string() }
    }

    /// A failure that concerns a file as a whole.
    pub fn file(path: &std::path::Path, message: impl fmt::Display) -> Error {
        Error { place: path.display().to_string(), message: message.to_string() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

impl std::error::Error for Error {}
