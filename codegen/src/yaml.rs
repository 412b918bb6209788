//! Writes YAML for people: long texts folded, short lists in one line, and nothing left bare that
//! some loader takes for a date, a number or a boolean.

use serde_json::Value;

use crate::error::{Error, Result};
use crate::node::Place;

const WIDTH: usize = 100;

/// A value as a YAML document.
pub fn write(value: &Value) -> Result<String> {
    let mut out = String::new();
    block(value, 0, &mut out);
    let out = out.trim_start_matches('\n').to_owned() + "\n";
    match serde_yaml::from_str::<Value>(&out) {
        Ok(read) if read == *value => Ok(out),
        // What this writer gets wrong, a plainer one gets right.
        _ => serde_yaml::to_string(value).map_err(|error| Error::at(&Place::top("the document"), error)),
    }
}

/// Writes a value that starts after `key:` or `-`.
fn block(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                line(indent, out);
                out.push_str(&scalar(key, false));
                out.push(':');
                entry(value, indent + 2, out);
            }
        }
        Value::Array(items) if !items.is_empty() => match flow(items, indent) {
            Some(flow) => {
                out.push(' ');
                out.push_str(&flow);
            }
            None => items.iter().for_each(|item| {
                line(indent, out);
                out.push('-');
                match item {
                    Value::Object(map) if !map.is_empty() => {
                        // The first key stands in the line of the dash.
                        let mut inner = String::new();
                        block(item, indent + 2, &mut inner);
                        out.push(' ');
                        out.push_str(inner.trim_start());
                    }
                    item => entry(item, indent + 2, out),
                }
            }),
        },
        other => {
            out.push(' ');
            out.push_str(&leaf(other, indent));
        }
    }
}

fn entry(value: &Value, indent: usize, out: &mut String) {
    // A list stands at the indent of its key.
    let indent = if value.is_array() { indent - 2 } else { indent };
    block(value, indent, out);
}

fn line(indent: usize, out: &mut String) {
    out.push('\n');
    out.push_str(&" ".repeat(indent));
}

/// A list of short scalars in one line.
fn flow(items: &[Value], indent: usize) -> Option<String> {
    let texts: Option<Vec<String>> = items
        .iter()
        .map(|item| match item {
            Value::Object(map) if !map.is_empty() => None,
            Value::Array(items) if !items.is_empty() => None,
            Value::String(text) if text.contains('\n') => None,
            Value::String(text) => Some(scalar(text, true)),
            other => Some(leaf(other, 0)),
        })
        .collect();
    let line = format!("[{}]", texts?.join(", "));
    (line.chars().count() + indent <= WIDTH).then_some(line)
}

fn leaf(value: &Value, indent: usize) -> String {
    match value {
        Value::Object(_) => "{}".into(),
        Value::Array(_) => "[]".into(),
        Value::String(text) => text_block(text, indent).unwrap_or_else(|| scalar(text, false)),
        other => other.to_string(),
    }
}

/// A long or many-lined text as a block, where that says the same.
fn text_block(text: &str, indent: usize) -> Option<String> {
    let control = text.chars().any(|letter| letter.is_control() && letter != '\n');
    let framed = text.starts_with([' ', '\n']) || text.trim().is_empty() || text.ends_with("\n\n");
    if control || framed || text.contains(" \n") || text.contains('\u{feff}') {
        return None;
    }
    let pad = " ".repeat(indent);
    let kept = if text.ends_with('\n') { "" } else { "-" };
    if text.contains('\n') {
        let lines = text.trim_end_matches('\n').split('\n');
        let lines: Vec<String> =
            lines.map(|line| if line.is_empty() { String::new() } else { format!("{pad}{line}") }).collect();
        return Some(format!("|{kept}\n{}", lines.join("\n")));
    }
    if text.chars().count() + indent <= WIDTH + 10 || text.contains("  ") || text.ends_with(' ') {
        return None;
    }
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() + indent <= WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    Some(format!(">-\n{pad}{}", lines.join(&format!("\n{pad}"))))
}

/// A text in one line, bare where no loader can take it for something else.
fn scalar(text: &str, in_flow: bool) -> String {
    let first = text.chars().next();
    let starts_bare = first.is_some_and(|first| first.is_alphabetic() || "/$(_".contains(first));
    let inside =
        |letter: char| letter.is_alphanumeric() || " _-./$()*+=;<>?@^~%\"'`|!&\\{}[]#:,".contains(letter);
    let harmful = text.contains(": ") || text.contains(" #") || text.ends_with(':') || text.ends_with(' ');
    let flow_marks = in_flow && text.contains(['[', ']', '{', '}', ',']);
    let reserved = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let word = reserved.contains(&text.to_ascii_lowercase().as_str());
    if starts_bare && text.chars().all(inside) && !harmful && !flow_marks && !word {
        return text.to_owned();
    }
    if text.chars().any(char::is_control) || text.contains('\u{feff}') {
        // JSON's way of quoting is one of YAML's.
        return Value::from(text).to_string();
    }
    format!("'{}'", text.replace('\'', "''"))
}
