//! What the service says when something is not well.

use super::wire::{Extra, model};

/// What the service says of an error. It has three ways of saying it; this holds what any of them
/// holds.
///
/// A 400, 403, 404 or 500 has a detail code, a tracking id, messages and causes; a 401 has `error`; a
/// 429 has `message`.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ErrorBody {
    /// A finer code than the status, with a few words: `400.1 Bad Request Content`.
    pub detail_code: Option<String>,
    /// The id by which the vendor's support finds the request.
    pub tracking_id: Option<String>,
    /// What went wrong, in one or more languages.
    pub messages: Option<Vec<ErrorMessage>>,
    /// What it went wrong from, in plain text.
    pub causes: Option<Vec<ErrorMessage>>,
    /// What a 401 says.
    pub error: Option<String>,
    /// What `error` means, where no token is given.
    pub error_description: Option<String>,
    /// What a 429 says.
    pub message: Option<String>,
    /// What else the body held.
    pub extra: Extra,
}

model!(ErrorBody {
    detail_code: optional "detailCode",
    tracking_id: optional "trackingId",
    messages: optional "messages",
    causes: optional "causes",
    error: optional "error",
    error_description: optional "error_description",
    message: optional "message",
});

impl ErrorBody {
    /// The text that says most: the first message that has one, else what a 401 or a 429 says, else
    /// the detail code.
    pub fn message(&self) -> Option<&str> {
        let texts = self.messages.iter().chain(&self.causes).flatten();
        texts
            .filter_map(|message| message.text.as_deref())
            .chain(
                [&self.error_description, &self.error, &self.message, &self.detail_code]
                    .into_iter()
                    .filter_map(|text| text.as_deref()),
            )
            .find(|text| !text.trim().is_empty())
    }
}

/// One text of an error, in one language.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ErrorMessage {
    /// The language, as a BCP 47 tag.
    pub locale: Option<String>,
    /// How the language was chosen: `DEFAULT`, `REQUEST`, or something newer.
    pub locale_origin: Option<String>,
    /// The text.
    pub text: Option<String>,
    /// What else the message held.
    pub extra: Extra,
}

model!(ErrorMessage {
    locale: optional "locale",
    locale_origin: optional "localeOrigin",
    text: optional "text",
});
