//! An in-memory tenant that speaks the Role Mining API over HTTP.
