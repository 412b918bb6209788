//! A typed client for the IAI Role Mining API.
