//! Whether a value fits a schema, and the value that was meant where it nearly does.

use serde_json::Value;

use crate::node::{self, Map};

/// `value` in the form `schema` asks for, or `None` where there is none that says the same.
///
/// Numbers and booleans written as strings (and the other way round) are turned around, one item of
/// a list becomes a list of one, and members of an object that do not fit are left out.
pub(super) fn fit(schema: &Value, value: &Value, known: &Map) -> Option<Value> {
    fit_within(schema, value, known, 0)
}

fn fit_within(schema: &Value, value: &Value, known: &Map, depth: usize) -> Option<Value> {
    let Some(schema) = schema.as_object() else { return Some(value.clone()) };
    if depth > 64 {
        return Some(value.clone());
    }
    if value.is_null() && node::is_true(schema, "nullable") {
        return Some(Value::Null);
    }
    if let Some(name) = node::component(schema) {
        return match known.get(name) {
            Some(target) => fit_within(target, value, known, depth + 1),
            None => Some(value.clone()),
        };
    }
    let mut fitted = value.clone();
    for member in node::items(schema, "allOf") {
        fitted = fit_within(member, &fitted, known, depth + 1)?;
    }
    for keyword in ["oneOf", "anyOf"] {
        let members = node::items(schema, keyword);
        if !members.is_empty() {
            let exact = members
                .iter()
                .any(|member| fit_within(member, &fitted, known, depth + 1).as_ref() == Some(&fitted));
            if !exact {
                fitted = members.iter().find_map(|member| fit_within(member, &fitted, known, depth + 1))?;
            }
        }
    }
    let fitted = match (node::text(schema, "type"), &fitted) {
        (Some("object"), Value::Object(object)) => {
            let mut kept = Map::new();
            for (key, value) in object {
                let schema = schema
                    .get("properties")
                    .and_then(|properties| properties.get(key))
                    .or_else(|| schema.get("additionalProperties").filter(|values| values.is_object()));
                let value = match schema {
                    Some(schema) => fit_within(schema, value, known, depth + 1),
                    None => Some(value.clone()),
                };
                if let Some(value) = value {
                    kept.insert(key.clone(), value);
                }
            }
            Value::Object(kept)
        }
        (Some("array"), Value::Array(items)) => match schema.get("items") {
            Some(schema) => items
                .iter()
                .map(|item| fit_within(schema, item, known, depth + 1))
                .collect::<Option<_>>()
                .map(Value::Array)?,
            None => fitted,
        },
        (Some("array"), item @ Value::Object(_)) => {
            Value::Array(vec![fit_within(schema.get("items")?, item, known, depth + 1)?])
        }
        (Some("string"), Value::String(_) | Value::Bool(_) | Value::Number(_)) => {
            let text = fitted.as_str().map_or_else(|| fitted.to_string(), str::to_owned);
            let dated = node::text(schema, "format") == Some("date-time");
            (!dated || is_date_time(&text)).then_some(Value::String(text))?
        }
        (Some("boolean"), Value::Bool(_)) | (Some("number"), Value::Number(_)) => fitted,
        (Some("integer"), Value::Number(number)) if !number.is_f64() => fitted,
        (Some("boolean" | "integer" | "number"), Value::String(text)) => {
            let parsed: Value = serde_json::from_str(text.trim()).ok()?;
            let same = matches!(
                (node::text(schema, "type"), &parsed),
                (Some("boolean"), Value::Bool(_)) | (Some("number"), Value::Number(_))
            ) || (node::text(schema, "type") == Some("integer")
                && (parsed.is_i64() || parsed.is_u64()));
            same.then_some(parsed)?
        }
        (None, _) => fitted,
        _ => return None,
    };
    match schema.get("enum") {
        Some(Value::Array(values)) if !values.contains(&fitted) => None,
        _ => Some(fitted),
    }
}

/// Whether a text is a date and time as RFC 3339 has them, by its digits.
fn is_date_time(text: &str) -> bool {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    let (Some(_), Some(month), Some(day), Some(hour), Some(minute), Some(second)) =
        (number(0..4), number(5..7), number(8..10), number(11..13), number(14..16), number(17..19))
    else {
        return false;
    };
    let parted = text.get(10..11).is_some_and(|mark| mark.eq_ignore_ascii_case("t"));
    let zoned = text.ends_with(['Z', 'z']) || text.get(19..).is_some_and(|rest| rest.contains(['+', '-']));
    (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61
        && parted
        && zoned
}
