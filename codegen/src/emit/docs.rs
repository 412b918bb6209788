//! The texts of the document as rustdoc takes them, with the facts of the schema beside them.

use serde_json::Value;

use crate::node::{self, Map};
use crate::{filters, lower};

/// The doc of a model.
pub(super) fn model(name: &str, schema: &Map) -> String {
    let text = node::text(schema, "description").or_else(|| node::text(schema, "title"));
    let mut doc = text.map(markdown).filter(|text| !text.is_empty()).unwrap_or_else(|| format!("`{name}`."));
    if node::is_true(schema, "deprecated") {
        doc.push_str("\n\nDeprecated.");
    }
    if let Some(example) = schema.get("example").filter(|example| example.is_object()) {
        let json = serde_json::to_string_pretty(example).unwrap_or_default();
        doc.push_str(&format!("\n\nFor example:\n\n```json\n{json}\n```"));
    }
    doc
}

/// The doc of a field of a model.
pub(super) fn property(wire: &str, property: &Map, model: &Map, schemas: &Map, must: bool) -> String {
    let target = node::wrapped(property).and_then(|name| schemas.get(name)?.as_object());
    let text = node::text(property, "description")
        .or_else(|| node::text(target?, "description"))
        .map(markdown)
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| format!("The field `{wire}`."));
    let mut facts = facts(property, &text);
    if lower::is_nullable(property, schemas) {
        facts.push("May be null.".into());
    }
    if must {
        facts.push("Required.".into());
    }
    let example = property.get("example").or_else(|| model.get("example")?.get(wire));
    if let Some(example) = example.and_then(shown) {
        facts.push(format!("Example: {example}."));
    }
    with_facts(text, &facts)
}

/// The doc of an enum's variant.
pub(super) fn variant(wire: &str, schema: &Map) -> String {
    let text = node::text(schema, "description").unwrap_or_default();
    format!("`{wire}`{}.", meaning(wire, text).map(|meaning| format!(": {meaning}")).unwrap_or_default())
}

/// What a description says of one value, where it lists values as `- `VALUE`: meaning`.
fn meaning(wire: &str, text: &str) -> Option<String> {
    let quoted = format!("`{wire}`");
    text.lines().find_map(|line| {
        let line = line.trim_start().strip_prefix(['-', '*'])?.trim_start().strip_prefix(&quoted)?;
        let line = line.trim_start().strip_prefix([':', '–', '-'])?.trim().trim_end_matches('.');
        (!line.is_empty()).then(|| markdown(line))
    })
}

/// The doc of an operation, without its example.
pub(super) fn operation(operation: &node::Operation<'_>) -> String {
    let node = operation.node;
    let mut parts = Vec::new();
    if let Some(summary) = node::text(node, "summary") {
        let summary = markdown(summary);
        parts.push(if summary.ends_with(['.', '!', '?']) { summary } else { format!("{summary}.") });
    }
    parts.extend(node::text(node, "description").map(markdown).filter(|text| !text.is_empty()));
    if node::is_true(node, "deprecated") {
        parts.push("Deprecated.".into());
    }
    parts.push(format!("Sends `{} {}`.", operation.method.to_uppercase(), operation.path));
    if parts.len() == 1 {
        parts.insert(0, format!("`{}`.", operation.id()));
    }
    parts.join("\n\n")
}

/// The doc of a parameter's setter.
pub(super) fn parameter(parameter: &Map, schemas: &Map) -> String {
    let name = node::text(parameter, "name").unwrap_or_default();
    let text = node::text(parameter, "description").map(markdown).filter(|text| !text.is_empty());
    let text = text.unwrap_or_else(|| format!("Sets `{name}`."));
    let mut facts = Vec::new();
    if let Some(schema) = parameter.get("schema").and_then(Value::as_object) {
        facts.extend(self::facts(schema, &text));
        if let Some(target) = node::wrapped(schema).and_then(|name| schemas.get(name)?.as_object()) {
            facts.extend(self::facts(target, &text));
        }
    }
    facts
        .push(if node::is_true(parameter, "required") { "Required." } else { "Not sent unless set." }.into());
    let schema_example = || parameter.get("schema")?.get("example");
    if let Some(example) = parameter.get("example").or_else(schema_example).and_then(shown) {
        let fields = parameter.get(filters::FILTERS).and_then(Value::as_object).into_iter().flatten();
        let fields: Vec<String> =
            fields.map(|(name, operators)| format!("`{name}` ({})", listed(operators))).collect();
        if !fields.is_empty() {
            facts.push(format!("Fields: {}.", fields.join(", ")));
        }
        if let Some(fields) = parameter.get(filters::SORTERS) {
            facts.push(format!("Fields: {}.", listed(fields)));
        }
        facts.push(format!("Example: {example}."));
    }
    with_facts(text, &facts)
}

/// Words in code style.
fn listed(words: &Value) -> String {
    let words = words.as_array().into_iter().flatten().filter_map(Value::as_str);
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// "a `X`" or "an `X`".
pub(super) fn article(name: &str) -> String {
    let vowel = name.starts_with(['A', 'E', 'I', 'O']);
    format!("{} `{name}`", if vowel { "an" } else { "a" })
}

fn with_facts(text: String, facts: &[String]) -> String {
    if facts.is_empty() { text } else { format!("{text}\n\n{}", facts.join(" ")) }
}

/// Bounds, default and format of a schema, a sentence each.
fn facts(schema: &Map, text: &str) -> Vec<String> {
    let mut facts = Vec::new();
    // The prose may have said it.
    let told = text.contains("efault");
    let number = |key: &str| schema.get(key).filter(|value| value.is_number());
    match (number("minimum"), number("maximum")) {
        (Some(least), Some(most)) => facts.push(format!("From {least} to {most}.")),
        (Some(least), None) => facts.push(format!("At least {least}.")),
        (None, Some(most)) => facts.push(format!("At most {most}.")),
        (None, None) => {}
    }
    match (number("minLength"), number("maxLength")) {
        (Some(least), Some(most)) => facts.push(format!("{least} to {most} characters.")),
        (Some(least), None) => facts.push(format!("At least {least} characters.")),
        (None, Some(most)) => facts.push(format!("At most {most} characters.")),
        (None, None) => {}
    }
    if let Some(most) = number("maxItems") {
        facts.push(format!("At most {most} items."));
    }
    match node::text(schema, "format") {
        Some("uuid" | "UUID") => facts.push("A UUID.".into()),
        Some("email") => facts.push("An email address.".into()),
        _ => {}
    }
    if let Some(default) = schema.get("default").and_then(shown).filter(|_| !told) {
        facts.push(format!("Default: {default}."));
    }
    for (key, says) in [("readOnly", "Set by the service."), ("deprecated", "Deprecated.")] {
        if node::is_true(schema, key) {
            facts.push(says.into());
        }
    }
    facts
}

/// A value in code style, where it is short enough to stand in a sentence.
fn shown(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Null => return None,
        other => other.to_string(),
    };
    let short = text.chars().count() <= 100 && !text.contains(['`', '\n']) && !text.trim().is_empty();
    short.then(|| format!("`{text}`"))
}

/// A description as Markdown that rustdoc renders as meant: no code block by accident (it would be
/// compiled as a test), no HTML, no link to nowhere, addresses as links.
pub(super) fn markdown(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut fenced = false;
    for line in text.trim().lines() {
        let trimmed = line.trim_end();
        let body = trimmed.trim_start();
        if body.starts_with("```") {
            fenced = !fenced;
            let bare = body.trim_start_matches('`').trim().is_empty();
            let language = body.trim_start_matches('`').trim();
            let rust = language.is_empty() || language.starts_with("rust");
            out.push(if fenced && (bare || rust) { "```text".into() } else { body.to_owned() });
        } else if fenced {
            out.push(trimmed.to_owned());
        } else {
            let depth = trimmed.len() - body.len();
            // Four spaces are a code block, except inside a list.
            let list =
                body.starts_with(['-', '*', '+']) || body.starts_with(|first: char| first.is_ascii_digit());
            let indent = if list { depth.min(3) / 2 * 2 } else { 0 };
            let heading = body.starts_with('#') && body.trim_start_matches('#').starts_with(' ');
            let body = if heading {
                format!("**{}**", body.trim_start_matches('#').trim())
            } else {
                body.to_owned()
            };
            out.push(format!("{}{}", " ".repeat(indent), inline(&body)));
        }
    }
    if fenced {
        out.push("```".into());
    }
    out.dedup_by(|one, other| one.is_empty() && other.is_empty());
    out.join("\n")
}

/// Escapes what would be HTML or a link to nowhere, and brackets bare addresses; code stays as it is.
fn inline(line: &str) -> String {
    let mut out = String::new();
    // A lone backtick opens nothing.
    let code_ends = line.matches('`').count() / 2 * 2;
    for (index, part) in line.split('`').enumerate() {
        if index > 0 {
            out.push_str(if index <= code_ends { "`" } else { "\\`" });
        }
        if index % 2 == 1 && index <= code_ends {
            out.push_str(part);
        } else {
            out.push_str(&prose(part));
        }
    }
    out
}

fn prose(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let address = rest.starts_with("http://") || rest.starts_with("https://");
        if address {
            let end = rest
                .find(|letter: char| letter.is_whitespace() || "<>()[]\"'".contains(letter))
                .unwrap_or(rest.len());
            let address = rest[..end].trim_end_matches(['.', ',', ';', ':', '*']);
            let linked = out.ends_with("](") || out.ends_with('<');
            out.push_str(&if linked { address.to_owned() } else { format!("<{address}>") });
            rest = &rest[address.len()..];
            continue;
        }
        match first {
            '<' if rest[1..].starts_with("http://") || rest[1..].starts_with("https://") => out.push('<'),
            '<' => out.push_str("\\<"),
            '[' => {
                let close = rest.find(']');
                let link = close.is_some_and(|close| rest[close + 1..].starts_with('('));
                out.push_str(if link { "[" } else { "\\[" });
            }
            ']' if !rest.starts_with("](") => out.push_str("\\]"),
            other => out.push(other),
        }
        rest = &rest[first.len_utf8()..];
    }
    out
}

/// The lines of a text, wrapped where they are long; code is left as it is.
pub(super) fn wrap(text: &str) -> Vec<String> {
    const WIDTH: usize = 96;
    let mut lines = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.trim_start().starts_with("```");
        if fenced || line.chars().count() <= WIDTH {
            lines.push(line.to_owned());
            continue;
        }
        let depth = line.len() - line.trim_start().len();
        let list = line.trim_start().starts_with(['-', '*', '+', '>']);
        let hang = " ".repeat(if list { depth + 2 } else { depth });
        let mut wrapped = " ".repeat(depth);
        let mut code = false;
        for word in line.trim_start().split(' ') {
            // A code span stays in one line, and no line starts with what opens a list.
            let breaks = !code
                && !word.starts_with(['-', '*', '+', '#', '>', '=', '|'])
                && !word.ends_with(['.', ')']);
            let breaks = breaks || (!code && word.len() > 1 && word.starts_with(char::is_alphabetic));
            if breaks
                && wrapped.chars().count() + 1 + word.chars().count() > WIDTH
                && !wrapped.trim().is_empty()
            {
                lines.push(std::mem::replace(&mut wrapped, hang.clone()));
            } else if !wrapped.trim().is_empty() {
                wrapped.push(' ');
            }
            wrapped.push_str(word);
            code ^= word.matches('`').count() % 2 == 1;
        }
        lines.push(wrapped);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn prose_becomes_markdown_that_rustdoc_takes() {
        for (text, wanted) in [
            ("Use <b>this</b>.", "Use \\<b>this\\</b>."),
            ("a [DTO] and [a](https://x.y/z)", "a \\[DTO\\] and [a](https://x.y/z)"),
            ("See https://x.y/z.", "See <https://x.y/z>."),
            ("See <https://x.y/z>.", "See <https://x.y/z>."),
            ("code `a<b>[c]` stays", "code `a<b>[c]` stays"),
            ("a lone ` tick", "a lone \\` tick"),
            ("    indented", "indented"),
            ("one\n\n\n\ntwo", "one\n\ntwo"),
            ("```\nlet x;\n```", "```text\nlet x;\n```"),
            ("```json\n{}", "```json\n{}\n```"),
            ("# Title", "**Title**"),
            ("one\n\n    two", "one\n\ntwo"),
        ] {
            assert_eq!(markdown(text), wanted);
        }
    }
}
