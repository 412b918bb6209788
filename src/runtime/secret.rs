//! Text that is not to be seen.

use std::fmt;

use bytes::Bytes;
use reqwest::header::HeaderValue;
use zeroize::Zeroizing;

/// A secret: a client secret, or a token. It is overwritten with zeroes when the last holder drops it, and its
/// `Debug` shows nothing of it.
///
/// ```
/// use sailpoint_role_mining::Secret;
///
/// let secret = Secret::from("correct horse");
/// assert_eq!(format!("{secret:?}"), "Secret(..)");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// `raw`, with the secret taken out wherever it is repeated in it.
    pub(crate) fn redact(&self, raw: Bytes) -> Bytes {
        let secret = self.0.as_bytes();
        if secret.is_empty() || !raw.windows(secret.len()).any(|window| window == secret) {
            return raw;
        }
        String::from_utf8_lossy(&raw).replace(self.expose(), "[redacted]").into()
    }

    /// `Bearer ..`, over memory that is overwritten when the last request with it is gone.
    pub(crate) fn bearer(&self) -> Option<HeaderValue> {
        if self.is_empty() {
            return None;
        }
        let mut text = Zeroizing::new(Vec::with_capacity("Bearer ".len() + self.0.len()));
        text.extend_from_slice(b"Bearer ");
        text.extend_from_slice(self.0.as_bytes());
        let mut header = HeaderValue::from_maybe_shared(Bytes::from_owner(text)).ok()?;
        header.set_sensitive(true);
        Some(header)
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(Zeroizing::new(text))
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Secret, D::Error> {
        super::wire::Key::deserialize(deserializer).map(|text| Secret::from(text.0.into_owned()))
    }
}
