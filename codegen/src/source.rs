//! Reading documents: YAML or JSON, one file or many.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, Result};

/// The files read so far, each parsed once.
#[derive(Default)]
pub struct Files {
    parsed: BTreeMap<PathBuf, Value>,
}

impl Files {
    /// The content of a file.
    pub fn get(&mut self, path: &Path) -> Result<&Value> {
        if !self.parsed.contains_key(path) {
            let value = parse(&read(path)?, path)?;
            self.parsed.insert(path.to_owned(), value);
        }
        Ok(&self.parsed[path])
    }
}

/// The text of a file, with a message that names it where it cannot be read.
pub fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).map_err(|error| Error::file(path, format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::file(path, format!("is not text: byte {at} is not UTF-8"))
    })
}

/// Parses YAML or JSON. `path` is for messages only.
pub fn parse(text: &str, path: &Path) -> Result<Value> {
    let broken = |error: String| Error::file(path, format!("is neither YAML nor JSON: {error}"));
    if text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str(text)
    {
        return Ok(value);
    }
    let mut yaml: serde_yaml::Value =
        serde_yaml::from_str(text).map_err(|error| broken(error.to_string()))?;
    yaml.apply_merge().map_err(|error| broken(error.to_string()))?;
    to_json(yaml).map_err(broken)
}

/// `path` with `.` and `..` taken out, so that one file has one name however it is reached.
pub fn normalize(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut clean, component| {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(clean.components().next_back(), Some(Component::Normal(_))) => {
                clean.pop();
            }
            component => clean.push(component),
        }
        clean
    })
}

fn to_json(yaml: serde_yaml::Value) -> Result<Value, String> {
    use serde_yaml::Value as Yaml;
    Ok(match yaml {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(flag),
        Yaml::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(whole), _, _) => whole.into(),
            (_, Some(whole), _) => whole.into(),
            // A YAML infinity or NaN has no JSON form.
            (_, _, float) => float
                .and_then(serde_json::Number::from_f64)
                .map(Value::Number)
                .ok_or_else(|| format!("the number {number} has no JSON form"))?,
        },
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => items.into_iter().map(to_json).collect::<Result<_, _>>()?,
        Yaml::Mapping(mapping) => mapping
            .into_iter()
            .map(|(key, value)| Ok((key_text(key)?, to_json(value)?)))
            .collect::<Result<_, String>>()?,
        Yaml::Tagged(tagged) => to_json(tagged.value)?,
    })
}

/// A mapping's key as text: status codes are often written as numbers, `on` and `null` happen.
fn key_text(key: serde_yaml::Value) -> Result<String, String> {
    match key {
        serde_yaml::Value::String(text) => Ok(text),
        serde_yaml::Value::Number(number) => Ok(number.to_string()),
        serde_yaml::Value::Bool(flag) => Ok(flag.to_string()),
        serde_yaml::Value::Null => Ok("null".into()),
        other => Err(format!("a mapping has a key that is no text: {other:?}")),
    }
}
