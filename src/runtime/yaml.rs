//! The texts of a YAML file.

use saphyr_parser::{Event, Parser};

use super::secret::Secret;

/// Every scalar that is reached through mappings alone, with the keys that lead to it; `Err` holds the line
/// that is no YAML.
pub(crate) fn texts(source: &str) -> Result<Vec<(Vec<String>, Secret)>, usize> {
    let mut texts = Vec::new();
    // The keys that lead to where the parser is: one for each mapping, none while a key is due.
    let mut path: Vec<Option<String>> = Vec::new();
    let mut lists = 0;
    for event in Parser::new_from_str(source) {
        let (event, _) = event.map_err(|error| error.marker().line())?;
        match event {
            Event::MappingStart(..) if lists == 0 => path.push(None),
            Event::MappingEnd if lists == 0 => {
                path.pop();
                value_ended(&mut path);
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => lists += 1,
            Event::SequenceEnd | Event::MappingEnd => {
                lists -= 1;
                if lists == 0 {
                    value_ended(&mut path);
                }
            }
            Event::Scalar(text, ..) if lists == 0 => match path.last_mut() {
                Some(key @ None) => *key = Some(text.into_owned()),
                Some(Some(_)) => {
                    let keys = path.iter().flatten().cloned().collect();
                    texts.push((keys, Secret::from(text.into_owned())));
                    value_ended(&mut path);
                }
                None => {}
            },
            Event::Alias(_) if lists == 0 => value_ended(&mut path),
            _ => {}
        }
    }
    Ok(texts)
}

fn value_ended(path: &mut [Option<String>]) {
    if let Some(key) = path.last_mut() {
        *key = None;
    }
}
