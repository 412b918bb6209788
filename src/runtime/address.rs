//! Where a tenant is reached.

use std::fmt;

use reqwest::Url;

use super::error::Error;

/// Where requests go: the base of all paths, and where tokens come from.
#[derive(Clone)]
pub(crate) struct Address {
    /// Without a `/` at its end.
    pub(crate) base: String,
    pub(crate) token: Url,
    pub(crate) url: Url,
}

impl Address {
    /// Reads a base URL. `allow_http` lets credentials go unencrypted to hosts other than this machine.
    pub(crate) fn parse(text: &str, allow_http: bool) -> Result<Address, Error> {
        let invalid =
            |why: fmt::Arguments<'_>| Error::config(format!("the base URL `{}` {why}", shown(text)));
        let url = Url::parse(text.trim()).map_err(|error| invalid(format_args!("is no address: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(invalid(format_args!("is no http or https address")));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid(format_args!("holds a user name or a password, which a base URL cannot")));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(invalid(format_args!("has a query or a fragment; a base has neither")));
        }
        let host = url.host_str().unwrap_or_default();
        if let Some(right) = api_host(host) {
            return Err(invalid(format_args!(
                "is the address of the tenant's pages; its API is at `https://{right}`"
            )));
        }
        if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
            return Err(invalid(format_args!(
                "is not encrypted, and would show the credentials to the network; use https, or say \
                 `allow_http()` if that is as it should be"
            )));
        }
        let mut base = url.as_str().trim_end_matches('/').to_owned();
        let mut token = url.clone();
        if url.path() == "/" {
            base.push_str(crate::BASE_PATH);
            token.set_path("/oauth/token");
        } else {
            // Tokens are not part of an edition.
            let path = url.path().trim_end_matches('/');
            let before = match path.rsplit_once('/') {
                Some((before, last)) if is_edition(last) => before,
                _ => path,
            };
            token.set_path(&format!("{before}/oauth/token"));
        }
        Ok(Address { base, token, url })
    }
}

/// The address as an error may show it: without what stands before an `@`.
fn shown(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://..@{rest}"),
        (None, Some((_, rest))) => format!("..@{rest}"),
        _ => text.to_owned(),
    }
}

fn is_edition(segment: &str) -> bool {
    let number = segment.strip_prefix('v').unwrap_or_default();
    segment == "beta" || (!number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit()))
}

/// The host of the API, for the host of a tenant's pages.
fn api_host(host: &str) -> Option<String> {
    ["identitynow.com", "identitynow-demo.com"].into_iter().find_map(|domain| {
        let tenant = host.strip_suffix(domain)?.strip_suffix('.')?;
        let is_tenant = !tenant.is_empty() && !tenant.contains('.') && tenant != "api";
        is_tenant.then(|| format!("{tenant}.api.{domain}"))
    })
}

/// Whether the address is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
    match address {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

/// Whether two addresses are the same scheme, host and port: what credentials may go to.
pub(crate) fn same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host_str() == other.host_str()
        && one.port_or_known_default() == other.port_or_known_default()
}
