//! Names: of operations and of models.
//!
//! The document that is being replaced is the authority. What it knows keeps the name it has there:
//! an operation by its method and path, a model by its own name (whatever its case) or by where an
//! operation that is known uses it. Only what is new is named after what the vendor calls it.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToLowerCamelCase, ToSnakeCase, ToUpperCamelCase};
use serde_json::Value;

use crate::hoist::DERIVED;
use crate::node::{self, Map, ORIGIN, Place};
use crate::report::Report;

/// On an operation that may be repeated though its method does not say so (or, as `false`, may not).
pub const IDEMPOTENT: &str = "x-idempotent";
/// On a request body: a map from each field that can be patched to the operations allowed on it.
pub const PATCHES: &str = "x-patch-fields";

const KEPT: &str = "name kept from the replaced document";

/// Gives each operation its id.
pub fn operations(document: &mut Value, file: &str, replaced: Option<&Value>, report: &mut Report) {
    let known: BTreeMap<(String, String), String> = replaced
        .into_iter()
        .flat_map(node::operations)
        .map(|operation| ((operation.method.to_owned(), route(operation.path)), operation.id().to_owned()))
        .collect();
    let suffix = shared_version(document);
    // Ids that differ in case only would be one method.
    let mut taken: BTreeSet<String> = node::operations(document)
        .filter_map(|operation| known.get(&(operation.method.to_owned(), route(operation.path))))
        .map(|id| id.to_snake_case())
        .collect();
    node::operations_mut(document, file, &mut |path, method, operation, place| {
        let own = node::text(operation, "operationId").unwrap_or_default().to_owned();
        let plain = suffix.as_deref().and_then(|suffix| own.strip_suffix(suffix)).unwrap_or(&own);
        let id = match known.get(&(method.to_owned(), route(path))) {
            Some(id) => {
                if id != plain {
                    report.add(KEPT, place, format!("operation `{own}` stays `{id}`"));
                }
                id.clone()
            }
            None => {
                let mut id = plain.to_owned();
                if id.is_empty() || taken.contains(&id.to_snake_case()) {
                    id = spelled(method, path);
                    let why = if own.is_empty() {
                        "has no operation id".into()
                    } else {
                        format!("`{own}` is the id of another operation too")
                    };
                    report.add("operation named by its path", place, format!("{why}; named `{id}`"));
                }
                let base = id.clone();
                for n in 2.. {
                    if !taken.contains(&id.to_snake_case()) {
                        break;
                    }
                    id = format!("{base}{n}");
                }
                taken.insert(id.to_snake_case());
                id
            }
        };
        if plain.len() < own.len() && id == plain {
            report.add("version suffix of all ids", place, format!("`{own}` is `{id}`"));
        }
        operation.insert("operationId".into(), id.into());
    });
}

/// Keeps what the replaced document says of its operations as data and the vendor nowhere says:
/// whether one may be repeated, and what a patch may change. Where the new document says it, that counts.
pub fn facts(document: &mut Value, file: &str, replaced: Option<&Value>, report: &mut Report) {
    let known: BTreeMap<(String, String), &Map> = replaced
        .into_iter()
        .flat_map(node::operations)
        .map(|operation| ((operation.method.to_owned(), route(operation.path)), operation.node))
        .collect();
    node::operations_mut(document, file, &mut |path, method, operation, place| {
        let Some(old) = known.get(&(method.to_owned(), route(path))) else { return };
        let mut keep = |new: &mut Map, old: Option<&Value>, key: &str, place: &Place| {
            if let Some(fact) = old.filter(|_| !new.contains_key(key)) {
                new.insert(key.to_owned(), fact.clone());
                report.add("fact kept from the replaced document", place, format!("`{key}`: {fact}"));
            }
        };
        keep(operation, old.get(IDEMPOTENT), IDEMPOTENT, place);
        if let Some(body) = operation.get_mut("requestBody").and_then(Value::as_object_mut) {
            let old = old.get("requestBody").and_then(|body| body.get(PATCHES));
            keep(body, old, PATCHES, &place.child("requestBody"));
        }
    });
}

/// A path as it is the same in all editions: without version segments, parameters without names.
fn route(path: &str) -> String {
    let segments = path.split('/').filter(|segment| !segment.is_empty() && !is_version(segment));
    segments
        .map(|segment| if segment.starts_with('{') { "{}" } else { segment })
        .collect::<Vec<_>>()
        .join("/")
}

fn is_version(segment: &str) -> bool {
    segment == "beta"
        || segment
            .strip_prefix('v')
            .is_some_and(|digits| !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit()))
}

/// The `V1` that all operation ids end with, if they do.
fn shared_version(document: &Value) -> Option<String> {
    let ids: Vec<String> = node::operations(document).map(|operation| operation.id().to_owned()).collect();
    let versioned = node::operations(document).all(|operation| operation.path.split('/').any(is_version));
    let first = ids.first().filter(|_| ids.len() > 1 || versioned)?;
    let stem = first.trim_end_matches(|digit: char| digit.is_ascii_digit());
    let stem = stem.strip_suffix(['v', 'V'])?;
    let stem = stem.strip_suffix(['-', '_']).unwrap_or(stem);
    let suffix = first.strip_prefix(stem).filter(|suffix| suffix.len() > 1)?;
    ids.iter().all(|id| id.len() > suffix.len() && id.ends_with(suffix)).then(|| suffix.to_owned())
}

/// A name from a method and a path.
fn spelled(method: &str, path: &str) -> String {
    let words: Vec<String> = path
        .split('/')
        .filter(|segment| !segment.is_empty() && !is_version(segment))
        .map(|segment| match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => format!("by {name}"),
            None => segment.to_owned(),
        })
        .collect();
    format!("{method} {}", words.join(" ")).to_lower_camel_case()
}

/// Makes one component of equal ones and gives each its name, in PascalCase.
pub fn components(document: &mut Value, file: &str, replaced: Option<&Value>, report: &mut Report) {
    let Some(schemas) = node::object(document, &["components", "schemas"]).cloned() else { return };
    let classes = classify(&schemas);
    let mut names = choose(&classes, &schemas);
    if let Some(replaced) = replaced {
        keep(document, replaced, &classes, &schemas, &mut names, file, report);
    }
    let place = Place::top(file).child("components").child("schemas");
    for (class, members) in classes.members.iter().enumerate() {
        if members.len() > 1 && !schemas[&members[0]].get(DERIVED).is_some_and(Value::is_string) {
            let places: BTreeSet<&str> =
                members.iter().filter_map(|member| schemas[member].get(ORIGIN)?.as_str()).collect();
            if places.len() > 1 {
                let places: Vec<&str> = places.into_iter().collect();
                report.add(
                    "one model, many copies",
                    &place.child(&names[class]),
                    format!("taken once for {}", places.join(", ")),
                );
            }
        }
    }
    let mut renamed = Map::new();
    for (name, schema) in &schemas {
        let class = classes.of[name];
        let mut schema = schema.clone();
        if let Some(schema) = schema.as_object_mut() {
            schema.shift_remove(DERIVED);
        }
        renamed.entry(names[class].clone()).or_insert(schema);
    }
    if let Some(components) = node::object_mut(document, &["components"]) {
        components.insert("schemas".into(), Value::Object(renamed));
    }
    node::references_mut(document, &mut |target| {
        if let Some(class) = target.strip_prefix(node::SCHEMAS).and_then(|name| classes.of.get(name)) {
            *target = format!("{}{}", node::SCHEMAS, names[*class]);
        }
    });
    discriminators(document, &classes, &names);
}

/// Discriminators name schemas outside `$ref`.
fn discriminators(node: &mut Value, classes: &Classes, names: &[String]) {
    match node {
        Value::Object(map) => {
            if let Some(mapping) =
                map.get_mut("discriminator").and_then(|node| node::object_mut(node, &["mapping"]))
            {
                for target in mapping.values_mut() {
                    let name = target.as_str().and_then(|target| target.strip_prefix(node::SCHEMAS));
                    if let Some(class) = name.and_then(|name| classes.of.get(name)) {
                        *target = format!("{}{}", node::SCHEMAS, names[*class]).into();
                    }
                }
            }
            map.values_mut().for_each(|value| discriminators(value, classes, names));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| discriminators(item, classes, names)),
        _ => {}
    }
}

/// Components grouped into those that are one model.
struct Classes {
    of: BTreeMap<String, usize>,
    members: Vec<Vec<String>>,
}

/// Two components are one model if they share a name (or, unnamed, the property they came from) and
/// all of their structure, down to the models they refer to.
fn classify(schemas: &Map) -> Classes {
    let mut keys: BTreeMap<String, String> = schemas
        .iter()
        .map(|(name, schema)| {
            let key = match schema.get(DERIVED).and_then(Value::as_str) {
                Some(step) => format!("derived {step}"),
                None => format!("named {}", base(name).to_ascii_lowercase()),
            };
            (name.clone(), key)
        })
        .collect();
    let structures: BTreeMap<&String, Value> =
        schemas.iter().map(|(name, schema)| (name, node::structure(schema))).collect();
    let mut count = 0;
    loop {
        let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
        let mut next: BTreeMap<String, String> = BTreeMap::new();
        for name in schemas.keys() {
            let mut structure = structures[name].clone();
            node::references_mut(&mut structure, &mut |target| {
                if let Some(key) = target.strip_prefix(node::SCHEMAS).and_then(|name| keys.get(name)) {
                    *target = key.clone();
                }
            });
            let first = keys[name].split('\n').next().unwrap_or_default().to_owned();
            let signature = format!("{first} {structure}");
            let size = numbers.len();
            let number = *numbers.entry(signature).or_insert(size);
            next.insert(name.clone(), format!("{first}\n{number}"));
        }
        keys = next;
        if numbers.len() == count {
            break;
        }
        count = numbers.len();
    }
    adopt_enums(schemas, &structures, &mut keys);
    let mut order: Vec<String> = Vec::new();
    let mut classes = Classes { of: BTreeMap::new(), members: Vec::new() };
    for name in schemas.keys() {
        let class = order.iter().position(|key| *key == keys[name]).unwrap_or_else(|| {
            order.push(keys[name].clone());
            classes.members.push(Vec::new());
            order.len() - 1
        });
        classes.of.insert(name.clone(), class);
        classes.members[class].push(name.clone());
    }
    classes
}

/// An unnamed enum with just the values of one that has a name is that one.
fn adopt_enums(schemas: &Map, structures: &BTreeMap<&String, Value>, keys: &mut BTreeMap<String, String>) {
    let named: Vec<(&String, &Value)> = structures
        .iter()
        .filter(|(name, structure)| structure.get("enum").is_some() && schemas[**name].get(DERIVED).is_none())
        .map(|(name, structure)| (*name, structure))
        .collect();
    let derived =
        schemas.iter().filter(|(_, schema)| schema.get(DERIVED).is_some() && schema.get("enum").is_some());
    for (name, _) in derived {
        let mut same = named.iter().filter(|(_, structure)| **structure == structures[name]);
        if let (Some((other, _)), None) = (same.next(), same.next()) {
            let key = keys[*other].clone();
            keys.insert(name.clone(), key);
        }
    }
}

/// A name without the number that kept it apart from another of that name.
fn base(name: &str) -> &str {
    name.split('~').next().unwrap_or(name)
}

fn choose(classes: &Classes, schemas: &Map) -> Vec<String> {
    let mut taken = BTreeSet::new();
    let mut names = vec![String::new(); classes.members.len()];
    // Named models first: a derived name gives way to one that was given.
    for derived in [false, true] {
        for (class, members) in classes.members.iter().enumerate() {
            let named = members.iter().find(|name| schemas[*name].get(DERIVED).is_none());
            let wanted = match named {
                Some(name) if !derived => pascal(base(name), &schemas[name]),
                None if derived => common(members, schemas),
                _ => continue,
            };
            let first = members.first().map(|name| base(name).to_upper_camel_case()).unwrap_or_default();
            let numbered = (2..).map(|n| format!("{wanted}{n}"));
            let name = [wanted.clone(), first]
                .into_iter()
                .chain(numbered)
                .find(|name| taken.insert(name.to_lowercase()));
            names[class] = name.unwrap_or(wanted);
        }
    }
    names
}

/// A name in PascalCase; where it has lost its capitals, the title may still have them.
fn pascal(name: &str, schema: &Value) -> String {
    let title = schema.get("title").and_then(Value::as_str).map(|title| title.to_upper_camel_case());
    let lost = !name.contains(|letter: char| letter.is_ascii_uppercase());
    match title {
        Some(title) if lost && title.to_lowercase() == name.to_upper_camel_case().to_lowercase() => title,
        _ => own_name(name.to_upper_camel_case()),
    }
}

/// A name that is none of those Rust has already.
fn own_name(name: String) -> String {
    const TAKEN: [&str; 13] = [
        "Box", "Default", "Err", "From", "Into", "None", "Ok", "Option", "Result", "Self", "Some", "String",
        "Vec",
    ];
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic());
    match starts_well {
        true if TAKEN.contains(&name.as_str()) => format!("{name}Model"),
        true => name,
        false => format!("Model{name}"),
    }
}

/// One name for models that were written in place in several others: what the others' names have
/// in common, and the property.
fn common(members: &[String], schemas: &Map) -> String {
    let whole = base(&members[0]).to_upper_camel_case();
    let step =
        schemas[&members[0]].get(DERIVED).and_then(Value::as_str).unwrap_or_default().to_upper_camel_case();
    let parents: Vec<Vec<String>> = members
        .iter()
        .map(|name| {
            let name = base(name).to_upper_camel_case();
            words(name.strip_suffix(step.as_str()).unwrap_or(&name))
        })
        .collect();
    if parents.len() < 2 || step.is_empty() {
        return whole;
    }
    let shared: Vec<&str> = parents[0]
        .iter()
        .enumerate()
        .take_while(|(index, word)| parents.iter().all(|parent| parent.get(*index) == Some(word)))
        .map(|(_, word)| word.as_str())
        .collect();
    // One word is too little to be a name; the shortest of the whole names says more.
    match shared.len() {
        0 | 1 => members
            .iter()
            .map(|name| base(name).to_upper_camel_case())
            .min_by_key(String::len)
            .unwrap_or(whole),
        _ => format!("{}{step}", shared.concat()),
    }
}

fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for letter in name.chars() {
        match words.last_mut() {
            Some(word) if !letter.is_ascii_uppercase() => word.push(letter),
            _ => words.push(letter.to_string()),
        }
    }
    words
}

/// Gives models that the replaced document knows their names there.
fn keep(
    document: &Value,
    replaced: &Value,
    classes: &Classes,
    schemas: &Map,
    names: &mut [String],
    file: &str,
    report: &mut Report,
) {
    let Some(old) = node::object(replaced, &["components", "schemas"]) else { return };
    let mut claimed: BTreeMap<usize, String> = BTreeMap::new();
    let mut used: BTreeSet<String> = BTreeSet::new();
    for (class, name) in names.iter().enumerate() {
        let version = name.trim_end_matches(|digit: char| digit.is_ascii_digit()).strip_suffix('V');
        let same = |old: &&String| {
            old.eq_ignore_ascii_case(name) || version.is_some_and(|name| old.eq_ignore_ascii_case(name))
        };
        if let Some(old) = old.keys().find(same).filter(|old| used.insert((*old).clone())) {
            claimed.insert(class, old.clone());
        }
    }
    let mut pairs = Pairs { new: schemas, old, classes, votes: BTreeMap::new(), seen: BTreeSet::new() };
    let olds: Vec<node::Operation<'_>> = node::operations(replaced).collect();
    for operation in node::operations(document) {
        let same = olds
            .iter()
            .find(|old| old.method == operation.method && route(old.path) == route(operation.path));
        if let Some(old) = same {
            pairs.operation(operation.node, old.node);
        }
    }
    let mut votes: Vec<((usize, String), usize)> = pairs.votes.into_iter().collect();
    votes.sort_by(|(one, many), (other, few)| few.cmp(many).then_with(|| one.cmp(other)));
    for ((class, old), _) in votes {
        if !claimed.contains_key(&class) && used.insert(old.clone()) {
            claimed.insert(class, old);
        }
    }
    let place = Place::top(file).child("components").child("schemas");
    for (class, old) in &claimed {
        if names[*class] != *old {
            let origin = &classes.members[*class][0];
            report.add(KEPT, &place.child(origin), format!("model `{}` stays `{old}`", names[*class]));
        }
        names[*class] = old.clone();
    }
    // What is new makes room.
    for class in 0..names.len() {
        if claimed.contains_key(&class) {
            continue;
        }
        let wanted = names[class].clone();
        for n in 2.. {
            let clash = (0..names.len())
                .any(|other| other != class && names[other].eq_ignore_ascii_case(&names[class]));
            if !clash {
                break;
            }
            names[class] = format!("{wanted}{n}");
        }
    }
}

/// Walks two documents side by side and counts which model stands where which stood.
struct Pairs<'a> {
    new: &'a Map,
    old: &'a Map,
    classes: &'a Classes,
    votes: BTreeMap<(usize, String), usize>,
    seen: BTreeSet<(usize, String)>,
}

impl Pairs<'_> {
    fn operation(&mut self, new: &Map, old: &Map) {
        self.content(new.get("requestBody"), old.get("requestBody"));
        let (Some(Value::Object(new)), Some(Value::Object(old))) =
            (new.get("responses"), old.get("responses"))
        else {
            return;
        };
        for (status, response) in new {
            self.content(Some(response), old.get(status));
        }
    }

    fn content(&mut self, new: Option<&Value>, old: Option<&Value>) {
        let schema = |holder: Option<&Value>| -> Option<Value> {
            let content = node::object(holder?, &["content"])?;
            content.values().find_map(|body| body.get("schema")).cloned()
        };
        if let (Some(new), Some(old)) = (schema(new), schema(old)) {
            self.schema(&new, &old);
        }
    }

    fn schema(&mut self, new: &Value, old: &Value) {
        let (Some(new), Some(old)) = (new.as_object(), old.as_object()) else { return };
        match (node::wrapped(new), node::wrapped(old)) {
            (Some(name), Some(old)) => {
                let Some(class) = self.classes.of.get(name).copied() else { return };
                let pair = (class, old.to_owned());
                *self.votes.entry(pair.clone()).or_default() += 1;
                if !self.seen.insert(pair) {
                    return;
                }
                if let (Some(new), Some(old)) = (self.new.get(name).cloned(), self.old.get(old).cloned()) {
                    self.schema(&new, &old);
                }
            }
            (None, None) => {
                let (new_parts, old_parts) = (parts(new, self.new), parts(old, self.old));
                for (step, new) in &new_parts {
                    if let Some(old) = old_parts.get(step) {
                        self.schema(new, old);
                    }
                }
            }
            _ => {}
        }
    }
}

/// The schemas inside a schema, by how they stand in it, with the parts of an `allOf` put together.
fn parts(schema: &Map, components: &Map) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        found.insert(format!(".{name}"), property.clone());
    }
    for key in ["items", "additionalProperties"] {
        if let Some(inner) = schema.get(key).filter(|inner| inner.is_object()) {
            found.insert(key.into(), inner.clone());
        }
    }
    for keyword in ["oneOf", "anyOf"] {
        for (index, member) in node::items(schema, keyword).iter().enumerate() {
            found.insert(format!("{keyword}{index}"), member.clone());
        }
    }
    let members = node::items(schema, "allOf");
    for (index, member) in members.iter().filter_map(Value::as_object).enumerate() {
        if members.len() > 1 {
            found.insert(format!("allOf{index}"), Value::Object(member.clone()));
        }
        let whole =
            node::component(member).and_then(|name| components.get(name)?.as_object()).unwrap_or(member);
        // Own properties come first: they narrow what a member says.
        for (step, inner) in parts(whole, &Map::new()) {
            found.entry(step).or_insert(inner);
        }
    }
    found
}
