//! The fields of a form, in either of the ways in which forms are sent.

/// Reads a form by its content type; the vendor's TypeScript SDK asks for tokens with a multipart one.
pub(crate) fn fields(content_type: Option<&str>, body: &[u8]) -> Vec<(String, String)> {
    let boundary = content_type
        .filter(|kind| kind.starts_with("multipart/form-data"))
        .and_then(|kind| kind.split("boundary=").nth(1)?.split(';').next());
    match boundary {
        Some(boundary) => multipart(boundary.trim().trim_matches('"'), &String::from_utf8_lossy(body)),
        None => form_urlencoded::parse(body).into_owned().collect(),
    }
}

fn multipart(boundary: &str, body: &str) -> Vec<(String, String)> {
    let field = |part: &str| {
        let (head, value) = part.split_once("\r\n\r\n")?;
        let name = head.split("name=\"").nth(1)?.split('"').next()?;
        Some((name.to_owned(), value.strip_suffix("\r\n").unwrap_or(value).to_owned()))
    };
    body.split(&format!("--{boundary}")).filter_map(field).collect()
}
