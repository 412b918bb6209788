//! From a root document and the files it refers to, one self-contained document with the operations
//! of one tag and what they reach.
//!
//! Path items, parameters, request bodies, responses, headers and examples are put where they are
//! referred to; a schema that is referred to becomes a component. Each of them carries, under
//! [`ORIGIN`], the place it was read from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::node::{self, METHODS, Map, ORIGIN, Place};
use crate::report::Report;
use crate::source::{Files, normalize};

/// The document at `root`, cut to the operations with `tag` (all, where that is `None`).
pub fn bundle(files: &mut Files, root: &Path, tag: Option<&str>, report: &mut Report) -> Result<Value> {
    let root = normalize(root);
    let document = files.get(&root)?.clone();
    let top = Place::top(root.display().to_string());
    let document = check_version(&document, &top)?;
    let mut bundler = Bundler {
        files,
        root: root.clone(),
        names: BTreeMap::new(),
        taken: BTreeSet::new(),
        pending: Vec::new(),
    };

    let mut paths = Map::new();
    let mut tags = BTreeSet::new();
    let listed = document.get("paths").and_then(Value::as_object).ok_or_else(|| {
        Error::at(&top, "has no `paths`: a root document is needed, not one of the files it refers to")
    })?;
    for (path, item) in listed {
        let item = bundler.follow(item, &root, &top.child("paths").child(path))?;
        let kept = bundler.path_item(&item, tag, &mut tags)?;
        if !kept.is_empty() {
            paths.insert(path.clone(), Value::Object(kept));
        }
    }
    if paths.is_empty() {
        return Err(Error::at(&top.child("paths"), nothing(tag, &tags)));
    }
    let mut components = bundler.components()?;
    if let Some(schemes) = node::object(&Value::Object(document.clone()), &["components", "securitySchemes"])
    {
        let schemes = bundler.entries(schemes, &root, &top.child("components").child("securitySchemes"))?;
        components.insert("securitySchemes".into(), Value::Object(schemes));
    }

    let mut bundled = Map::new();
    for key in ["openapi", "info", "servers", "security", "tags"] {
        if let Some(value) = document.get(key) {
            bundled.insert(key.into(), value.clone());
        }
    }
    if let (Some(tag), Some(Value::Array(tags))) = (tag, bundled.get_mut("tags")) {
        tags.retain(|entry| entry.get("name").and_then(Value::as_str) == Some(tag));
    }
    bundled.insert("paths".into(), Value::Object(paths));
    bundled.insert("components".into(), Value::Object(components));
    for (first, other) in bundler.twice() {
        report.add("one file, many ways", &first, format!("`{other}` is another file of that name"));
    }
    Ok(Value::Object(bundled))
}

fn check_version<'a>(document: &'a Value, top: &Place) -> Result<&'a Map> {
    let map = document
        .as_object()
        .ok_or_else(|| Error::at(top, "is not an OpenAPI document: its top level is no mapping"))?;
    match map.get("openapi") {
        Some(Value::String(version)) if version.starts_with("3.0") => Ok(map),
        Some(version) => Err(Error::at(
            &top.child("openapi"),
            format!("says version {version}: only OpenAPI 3.0 is read; have it converted to 3.0 first"),
        )),
        None if map.contains_key("swagger") => Err(Error::at(
            &top.child("swagger"),
            "is a Swagger 2 document: only OpenAPI 3.0 is read; have it converted to 3.0 first",
        )),
        None => Err(Error::at(top, "is not an OpenAPI document: it has no `openapi` version")),
    }
}

fn nothing(tag: Option<&str>, tags: &BTreeSet<String>) -> String {
    match tag {
        None => "holds no operation".into(),
        Some(tag) => {
            let tags: Vec<_> = tags.iter().map(|tag| format!("\"{tag}\"")).collect();
            format!("no operation has the tag \"{tag}\"; the tags in use are: {}", tags.join(", "))
        }
    }
}

/// A schema that is referred to: its file and the pointer inside it.
type Target = (PathBuf, String);

struct Bundler<'a> {
    files: &'a mut Files,
    root: PathBuf,
    names: BTreeMap<Target, String>,
    taken: BTreeSet<String>,
    pending: Vec<Target>,
}

/// A node, the file that relative references in it start from, and its place.
struct Found {
    node: Value,
    file: PathBuf,
    place: Place,
}

impl Bundler<'_> {
    /// What `node` is, or refers to. Keys beside a `$ref` are not looked at.
    fn follow(&mut self, node: &Value, file: &Path, place: &Place) -> Result<Found> {
        let mut found = Found { node: node.clone(), file: file.to_owned(), place: place.clone() };
        let mut seen = BTreeSet::new();
        while let Some(target) = found.node.as_object().and_then(|node| node::text(node, "$ref")) {
            let target = self.locate(target, &found.file, &found.place)?;
            if !seen.insert(target.clone()) {
                return Err(Error::at(place, format!("refers to itself, through {}", found.place)));
            }
            found = self.fetch(&target, &found.place)?;
        }
        Ok(found)
    }

    /// Which file and pointer a `$ref` means.
    fn locate(&mut self, target: &str, file: &Path, place: &Place) -> Result<Target> {
        if target.contains("://") {
            return Err(Error::at(
                place,
                format!("refers to `{target}`: nothing is fetched from the network"),
            ));
        }
        let (name, pointer) = target.split_once('#').unwrap_or((target, ""));
        let pointer = &percent_decoded(pointer);
        if name.is_empty() {
            // Some trees point into the root document from the files beside it.
            let here = self.files.get(file)?.pointer(pointer).is_some();
            let file = if here { file.to_owned() } else { self.root.clone() };
            return Ok((file, pointer.to_owned()));
        }
        let folder = file.parent().unwrap_or(Path::new(""));
        Ok((normalize(&folder.join(name)), pointer.to_owned()))
    }

    fn fetch(&mut self, (file, pointer): &Target, from: &Place) -> Result<Found> {
        let content =
            self.files.get(file).map_err(|error| Error::at(from, format!("refers to a file: {error}")))?;
        let node = content.pointer(pointer).ok_or_else(|| {
            Error::at(from, format!("refers to `{}#{pointer}`, which is not there", file.display()))
        })?;
        let place = Place::top(file.display().to_string()).pointer(pointer);
        Ok(Found { node: node.clone(), file: file.clone(), place })
    }

    fn path_item(&mut self, item: &Found, tag: Option<&str>, tags: &mut BTreeSet<String>) -> Result<Map> {
        let mut kept = Map::new();
        let Some(node) = item.node.as_object() else {
            return Err(Error::at(&item.place, "is no path item: a mapping of methods is needed"));
        };
        for method in METHODS {
            let Some(operation) = node.get(method) else { continue };
            let operation = self.follow(operation, &item.file, &item.place.child(method))?;
            let Some(body) = operation.node.as_object() else {
                return Err(Error::at(&operation.place, "is no operation: a mapping is needed"));
            };
            let own = node::items(body, "tags");
            tags.extend(own.iter().filter_map(Value::as_str).map(str::to_owned));
            if tag.is_some_and(|tag| !own.iter().any(|own| own == tag)) {
                continue;
            }
            let inherited = node::items(node, "parameters");
            let operation = self.operation(body, &operation.file, &operation.place, inherited, item)?;
            kept.insert(method.into(), Value::Object(operation));
        }
        Ok(kept)
    }

    fn operation(
        &mut self,
        body: &Map,
        file: &Path,
        place: &Place,
        inherited: &[Value],
        item: &Found,
    ) -> Result<Map> {
        let mut operation = Map::new();
        operation.insert(ORIGIN.into(), place.to_string().into());
        let mut parameters: Vec<Value> = Vec::new();
        let own = node::items(body, "parameters").iter().map(|node| (node, file, place));
        let shared = inherited.iter().map(|node| (node, item.file.as_path(), &item.place));
        for (index, (node, file, place)) in own.chain(shared).enumerate() {
            let place = place.child("parameters").child(&index.to_string());
            let parameter = self.follow(node, file, &place)?;
            let parameter = self.holder(&parameter)?;
            let same = |other: &Value| ["name", "in"].iter().all(|key| other.get(key) == parameter.get(*key));
            if !parameters.iter().any(same) {
                parameters.push(Value::Object(parameter));
            }
        }
        for (key, value) in body {
            let place = place.child(key);
            let value = match (key.as_str(), value) {
                ("parameters", _) => continue,
                ("requestBody", value) => {
                    let body = self.follow(value, file, &place)?;
                    Value::Object(self.holder(&body)?)
                }
                ("responses", Value::Object(responses)) => {
                    Value::Object(self.entries(responses, file, &place)?)
                }
                // A callback is a request the service makes: a client has no use for it.
                ("callbacks", _) => continue,
                (_, value) => value.clone(),
            };
            operation.insert(key.clone(), value);
        }
        if !parameters.is_empty() {
            operation.insert("parameters".into(), Value::Array(parameters));
        }
        Ok(operation)
    }

    /// A map of responses, headers, examples or security schemes, each put in place.
    fn entries(&mut self, entries: &Map, file: &Path, place: &Place) -> Result<Map> {
        let mut whole = Map::new();
        for (key, entry) in entries {
            if key.starts_with("x-") {
                whole.insert(key.clone(), entry.clone());
                continue;
            }
            let entry = self.follow(entry, file, &place.child(key))?;
            whole.insert(key.clone(), Value::Object(self.holder(&entry)?));
        }
        Ok(whole)
    }

    /// A parameter, request body, response, header or media type: something that holds schemas.
    fn holder(&mut self, found: &Found) -> Result<Map> {
        let Some(node) = found.node.as_object() else {
            return Err(Error::at(&found.place, "is no mapping, where an object of the document is needed"));
        };
        let mut holder = Map::new();
        if !node.contains_key(ORIGIN) {
            holder.insert(ORIGIN.into(), found.place.to_string().into());
        }
        for (key, value) in node {
            let place = found.place.child(key);
            let value = match (key.as_str(), value) {
                ("schema", value) => self.schema(value, &found.file, &place)?,
                ("content", Value::Object(content)) => {
                    let mut media = Map::new();
                    for (name, body) in content {
                        let place = place.child(name);
                        let body = self.follow(body, &found.file, &place)?;
                        let mut body = self.holder(&body)?;
                        body.shift_remove(ORIGIN);
                        media.insert(name.clone(), Value::Object(body));
                    }
                    Value::Object(media)
                }
                ("headers" | "examples", Value::Object(entries)) => {
                    let mut entries = self.entries(entries, &found.file, &place)?;
                    entries.values_mut().filter_map(Value::as_object_mut).for_each(|entry| {
                        entry.shift_remove(ORIGIN);
                    });
                    Value::Object(entries)
                }
                // A link names what to call next; nothing is made from it.
                ("links", _) => continue,
                (_, value) => value.clone(),
            };
            holder.insert(key.clone(), value);
        }
        Ok(holder)
    }

    /// A schema with each reference in it turned into one to a component.
    fn schema(&mut self, node: &Value, file: &Path, place: &Place) -> Result<Value> {
        let Some(map) = node.as_object() else {
            return Err(Error::at(place, format!("is no schema: a mapping is needed, not {node}")));
        };
        let mut schema = Map::new();
        for (key, value) in map {
            let place = place.child(key);
            let value = match (key.as_str(), value) {
                ("$ref", Value::String(target)) => {
                    let target = self.locate(target, file, &place)?;
                    let name = self.name(target, &place)?;
                    format!("{}{name}", node::SCHEMAS).into()
                }
                ("properties", Value::Object(properties)) => {
                    let mut whole = Map::new();
                    for (name, property) in properties {
                        whole.insert(name.clone(), self.schema(property, file, &place.child(name))?);
                    }
                    Value::Object(whole)
                }
                ("items" | "not", value) => self.schema(value, file, &place)?,
                ("additionalProperties", Value::Object(_)) => self.schema(value, file, &place)?,
                ("allOf" | "oneOf" | "anyOf", Value::Array(members)) => {
                    let mut whole = Vec::new();
                    for (index, member) in members.iter().enumerate() {
                        let place = place.child(&index.to_string());
                        let mut member = self.schema(member, file, &place)?;
                        // A repair may take a member out of its union; it is still known by its place.
                        if let Some(member) =
                            member.as_object_mut().filter(|member| !member.contains_key("$ref"))
                        {
                            member.insert(ORIGIN.into(), place.to_string().into());
                        }
                        whole.push(member);
                    }
                    Value::Array(whole)
                }
                ("discriminator", Value::Object(discriminator)) => {
                    self.discriminator(discriminator, file, &place)?
                }
                (_, value) => value.clone(),
            };
            schema.insert(key.clone(), value);
        }
        Ok(Value::Object(schema))
    }

    fn discriminator(&mut self, node: &Map, file: &Path, place: &Place) -> Result<Value> {
        let mut node = node.clone();
        let mapping = node.get_mut("mapping").and_then(Value::as_object_mut);
        for target in mapping.into_iter().flat_map(Map::values_mut) {
            let Some(text) = target.as_str().filter(|text| text.contains(['/', '#'])) else { continue };
            let located = self.locate(text, file, place)?;
            let name = self.name(located, place)?;
            *target = format!("{}{name}", node::SCHEMAS).into();
        }
        Ok(Value::Object(node))
    }

    /// The name, unique for now, of the component a target becomes.
    fn name(&mut self, target: Target, from: &Place) -> Result<String> {
        let target = self.settle(target, from)?;
        if let Some(name) = self.names.get(&target) {
            return Ok(name.clone());
        }
        let base = self.given_name(&target);
        let name = (1..)
            .map(|n| if n == 1 { base.clone() } else { format!("{base}~{n}") })
            .find(|name| !self.taken.contains(name))
            .unwrap_or(base);
        self.taken.insert(name.clone());
        self.names.insert(target.clone(), name.clone());
        self.pending.push(target);
        Ok(name)
    }

    /// What a target is called where it stands: a component or a file by its name, a schema in another
    /// place by its title, or by the last step to it that says something.
    fn given_name(&mut self, (file, pointer): &Target) -> String {
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let steps: Vec<String> =
            pointer.split('/').skip(1).map(|step| step.replace("~1", "/").replace("~0", "~")).collect();
        let name = match &steps[..] {
            [] => stem,
            [.., holder, name] if holder == "schemas" || holder == "definitions" => name.clone(),
            [only] => only.clone(),
            steps => {
                let node = self.files.get(file).ok().and_then(|content| content.pointer(pointer));
                let title =
                    node.and_then(|node| node.get("title")?.as_str()).and_then(crate::hoist::title_name);
                let telling = |step: &&String| {
                    !STEPS.contains(&step.as_str())
                        && !step.contains(['/', '{'])
                        && step.parse::<u32>().is_err()
                };
                title.or_else(|| steps.iter().rev().find(telling).cloned()).unwrap_or(stem)
            }
        };
        // Pointers end at a reference token: a `/` in a name would look like another step.
        name.replace(['/', '~', '%'], "_")
    }

    /// The end of a chain of references that say nothing else.
    fn settle(&mut self, mut target: Target, from: &Place) -> Result<Target> {
        let mut seen = BTreeSet::new();
        loop {
            if !seen.insert(target.clone()) {
                return Err(Error::at(from, "is a cycle of references that leads nowhere"));
            }
            let found = self.fetch(&target, from)?;
            let Some(node) = found.node.as_object() else {
                return Err(Error::at(&found.place, "is no schema: a mapping is needed"));
            };
            match node::text(node, "$ref") {
                Some(next) if node.len() == 1 => target = self.locate(next, &found.file, &found.place)?,
                _ => return Ok(target),
            }
        }
    }

    /// All schemas referred to so far, and those they refer to.
    fn components(&mut self) -> Result<Map> {
        let mut schemas = Map::new();
        while let Some(target) = self.pending.pop() {
            let found = self.fetch(&target, &Place::top(target.0.display().to_string()))?;
            let mut schema = self.schema(&found.node, &found.file, &found.place)?;
            if let Some(schema) = schema.as_object_mut() {
                schema.insert(ORIGIN.into(), found.place.to_string().into());
            }
            schemas.insert(self.names[&target].clone(), schema);
        }
        let mut components = Map::new();
        components.insert("schemas".into(), Value::Object(schemas));
        Ok(components)
    }

    /// Pairs of files that share a name.
    fn twice(&self) -> Vec<(Place, String)> {
        let named = |name: &str| {
            let (target, _) = self.names.iter().find(|(_, other)| *other == name)?;
            Some(Place::top(target.0.display().to_string()).pointer(&target.1))
        };
        self.names
            .iter()
            .filter_map(|((file, pointer), name)| {
                let (base, _) = name.split_once('~')?;
                Some((named(base)?, format!("{}#{pointer}", file.display())))
            })
            .collect()
    }
}

/// Steps of a pointer that say nothing of what stands there.
const STEPS: [&str; 16] = [
    "additionalProperties",
    "allOf",
    "anyOf",
    "application/json",
    "content",
    "get",
    "items",
    "oneOf",
    "parameters",
    "patch",
    "paths",
    "post",
    "properties",
    "requestBody",
    "responses",
    "schema",
];

/// A pointer as a fragment of an address may have it encoded: `%7Bid%7D` is `{id}`.
fn percent_decoded(pointer: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = pointer.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.filter(|_| *first == b'%').and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| pointer.to_owned())
}

/// Removes components that no operation reaches.
pub fn prune(document: &mut Value) {
    let Some(schemas) = node::object(document, &["components", "schemas"]).cloned() else { return };
    let mut reached = BTreeSet::new();
    let mut pending: Vec<String> = Vec::new();
    let mut collect = |target: &mut String| {
        if let Some(name) = target.strip_prefix(node::SCHEMAS) {
            pending.push(name.to_owned());
        }
    };
    if let Some(paths) = document.get_mut("paths") {
        node::references_mut(paths, &mut collect);
    }
    while let Some(name) = pending.pop() {
        if let Some(mut schema) = schemas.get(&name).filter(|_| reached.insert(name.clone())).cloned() {
            node::references_mut(&mut schema, &mut |target| {
                if let Some(name) = target.strip_prefix(node::SCHEMAS) {
                    pending.push(name.to_owned());
                }
            });
        }
    }
    if let Some(schemas) = node::object_mut(document, &["components", "schemas"]) {
        schemas.retain(|name, _| reached.contains(name));
    }
}
