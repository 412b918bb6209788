//! The OpenAPI document as the tenant's contract: which operations there are, what each accepts, and
//! what it answers.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use jsonschema::Validator;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use crate::filter::Allowed;
use crate::schema::{Compiler, complaint, to_json_schema};

const DOCUMENT: &str = include_str!("../../spec/role-mining.yaml");
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The contract, read once per process.
pub(crate) fn contract() -> Result<&'static Contract, String> {
    static CONTRACT: LazyLock<Result<Contract, String>> = LazyLock::new(|| Contract::read(DOCUMENT));
    CONTRACT.as_ref().map_err(Clone::clone)
}

pub(crate) struct Contract {
    operations: Vec<Operation>,
}

pub(crate) struct Operation {
    /// In snake case, as the vendor's SDKs spell it.
    pub(crate) name: String,
    pub(crate) method: String,
    segments: Vec<String>,
    parameters: Vec<Parameter>,
    body: Option<RequestBody>,
    replies: HashMap<u16, Option<Arc<Validator>>>,
    pub(crate) filters: Allowed,
    pub(crate) sorters: Vec<String>,
    /// For each field that may be patched, the operations it may be patched with.
    pub(crate) patches: Allowed,
}

struct Parameter {
    name: String,
    in_path: bool,
    required: bool,
    kind: String,
    default: Option<Value>,
    schema: Arc<Validator>,
}

struct RequestBody {
    required: bool,
    media_type: String,
    schema: Arc<Validator>,
}

/// What a method and a path lead to.
pub(crate) enum Found<'a> {
    Operation(&'a Operation, Vec<String>),
    OtherMethods(Vec<String>),
    Nothing,
}

impl Contract {
    fn read(text: &str) -> Result<Self, String> {
        let mut document: Value = serde_yaml::from_str(text)
            .map_err(|error| format!("Cannot read spec/role-mining.yaml: {error}."))?;
        to_json_schema(&mut document);
        let compiler = Compiler::new(&document["components"]);
        let mut operations = Vec::new();
        for (path, item) in object(&document["paths"]) {
            for (method, operation) in
                object(item).iter().filter(|(name, _)| METHODS.contains(&name.as_str()))
            {
                let operation = Operation::read(&document, &compiler, path, method, item, operation)
                    .map_err(|error| {
                        format!("Cannot use {method} {path} of spec/role-mining.yaml as a contract: {error}.")
                    })?;
                operations.push(operation);
            }
        }
        Ok(Self { operations })
    }

    pub(crate) fn find(&self, method: &str, path: &str) -> Found<'_> {
        let segments: Vec<String> = path
            .trim_start_matches('/')
            .split('/')
            .map(|segment| percent_decode_str(segment).decode_utf8_lossy().into_owned())
            .collect();
        let mut fitting: Vec<_> = self
            .operations
            .iter()
            .filter_map(|operation| Some((operation.fit(&segments)?, operation)))
            .collect();
        // A literal segment wins over a parameter: `/saved` beside `/{potentialRoleId}`.
        fitting.sort_by_key(|(values, _)| values.len());
        let fewest = fitting.first().map_or(0, |(values, _)| values.len());
        fitting.retain(|(values, _)| values.len() == fewest);
        let methods: Vec<_> = fitting.iter().map(|(_, operation)| operation.method.to_uppercase()).collect();
        match fitting.into_iter().find(|(_, operation)| operation.method.eq_ignore_ascii_case(method)) {
            Some((values, operation)) => Found::Operation(operation, values),
            None if methods.is_empty() => Found::Nothing,
            None => Found::OtherMethods(methods),
        }
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.operations.iter().map(|operation| operation.name.as_str())
    }
}

impl Operation {
    fn read(
        document: &Value,
        compiler: &Compiler<'_>,
        path: &str,
        method: &str,
        item: &Value,
        node: &Value,
    ) -> Result<Self, String> {
        let id = node["operationId"].as_str().ok_or("it has no operationId")?;
        let (mut filters, mut sorters) = (Allowed::new(), Vec::new());
        let mut parameters = Vec::new();
        for parameter in array(&item["parameters"]).iter().chain(array(&node["parameters"])) {
            let parameter = resolve(document, parameter);
            filters.extend(allowed(&parameter["x-filter-fields"]));
            sorters.extend(strings(&parameter["x-sorter-fields"]));
            if parameter["in"] == "path" || parameter["in"] == "query" {
                parameters.push(Parameter::read(document, compiler, parameter)?);
            }
        }
        let mut replies = HashMap::new();
        for (status, reply) in object(&node["responses"]) {
            let schema = &resolve(document, reply)["content"]["application/json"]["schema"];
            let validator = (!schema.is_null()).then(|| compiler.compile(schema)).transpose()?;
            replies.extend(status.parse().ok().map(|status: u16| (status, validator)));
        }
        let body = Some(resolve(document, &node["requestBody"])).filter(|body| !body.is_null());
        let patches = body.map(|body| allowed(&body["x-patch-fields"])).unwrap_or_default();
        Ok(Self {
            name: snake_case(id),
            method: method.to_owned(),
            segments: path.trim_start_matches('/').split('/').map(str::to_owned).collect(),
            parameters,
            body: body.map(|body| RequestBody::read(body, compiler)).transpose()?,
            replies,
            filters,
            sorters,
            patches,
        })
    }

    /// The values of the path's parameters, if the path is this operation's.
    fn fit(&self, segments: &[String]) -> Option<Vec<String>> {
        if segments.len() != self.segments.len() {
            return None;
        }
        let mut values = Vec::new();
        for (segment, template) in segments.iter().zip(&self.segments) {
            match template.starts_with('{') {
                true if !segment.is_empty() => values.push(segment.clone()),
                false if segment == template => {}
                _ => return None,
            }
        }
        Some(values)
    }

    /// The typed parameters of a request, or what is wrong with them.
    pub(crate) fn parameters(
        &self,
        in_path: &[String],
        query: &[(String, String)],
    ) -> Result<HashMap<String, Value>, String> {
        let names = self.segments.iter().filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let in_path: Vec<(&str, &str)> = names.zip(in_path.iter().map(String::as_str)).collect();
        let mut typed = HashMap::new();
        for parameter in &self.parameters {
            let mut given: Vec<&str> = match parameter.in_path {
                true => in_path
                    .iter()
                    .filter(|(name, _)| *name == parameter.name)
                    .map(|&(_, value)| value)
                    .collect(),
                false => query
                    .iter()
                    .filter(|(name, _)| *name == parameter.name)
                    .map(|(_, value)| value.as_str())
                    .collect(),
            };
            let value = match (given.pop(), given.is_empty()) {
                (Some(text), true) => Some(parameter.value(text)?),
                (Some(_), false) => {
                    return Err(format!("the parameter {:?} is given more than once", parameter.name));
                }
                (None, _) if parameter.required => {
                    return Err(format!("the parameter {:?} is missing", parameter.name));
                }
                (None, _) => parameter.default.clone(),
            };
            typed.extend(value.map(|value| (parameter.name.clone(), value)));
        }
        Ok(typed)
    }

    /// The JSON body of a request (null if there is none), or what is wrong with it.
    pub(crate) fn body(&self, content_type: Option<&str>, bytes: &[u8]) -> Result<Value, String> {
        let Some(body) = &self.body else {
            return Ok(Value::Null);
        };
        if bytes.is_empty() {
            return if body.required { Err("a body is required".to_owned()) } else { Ok(Value::Null) };
        }
        let essence = content_type.unwrap_or("").split(';').next().unwrap_or("").trim();
        if !essence.eq_ignore_ascii_case(&body.media_type) {
            return Err(format!("the body must be of type {}, not {essence:?}", body.media_type));
        }
        let value =
            serde_json::from_slice(bytes).map_err(|error| format!("the body is not JSON: {error}"))?;
        match complaint(&body.schema, &value) {
            Some(complaint) => Err(format!("the body is not as documented: {complaint}")),
            None => Ok(value),
        }
    }

    pub(crate) fn documents(&self, status: u16) -> bool {
        self.replies.contains_key(&status)
    }

    /// How an answer differs from the document, if it does.
    pub(crate) fn difference(&self, status: u16, value: &Value) -> Option<String> {
        match self.replies.get(&status) {
            None => Some(format!("the status {status} is not documented")),
            Some(None) => None,
            Some(Some(validator)) => complaint(validator, value),
        }
    }
}

impl Parameter {
    fn read(document: &Value, compiler: &Compiler<'_>, node: &Value) -> Result<Self, String> {
        let schema = resolve(document, &node["schema"]);
        Ok(Self {
            name: node["name"].as_str().ok_or("a parameter has no name")?.to_owned(),
            in_path: node["in"] == "path",
            required: node["required"] == true,
            kind: schema["type"].as_str().unwrap_or("string").to_owned(),
            default: Some(schema["default"].clone()).filter(|default| !default.is_null()),
            schema: compiler.compile(schema)?,
        })
    }

    fn value(&self, text: &str) -> Result<Value, String> {
        let value = match self.kind.as_str() {
            "integer" => text.parse::<i64>().ok().map(Value::from),
            "number" => text.parse::<f64>().ok().map(Value::from),
            "boolean" => text.parse::<bool>().ok().map(Value::from),
            _ => Some(Value::from(text)),
        };
        let name = &self.name;
        let value = value
            .ok_or_else(|| format!("the parameter {name:?} must be of type {}, not {text:?}", self.kind))?;
        match complaint(&self.schema, &value) {
            Some(complaint) => Err(format!("the parameter {name:?} is not as documented: {complaint}")),
            None => Ok(value),
        }
    }
}

impl RequestBody {
    fn read(node: &Value, compiler: &Compiler<'_>) -> Result<Self, String> {
        let (media_type, content) =
            object(&node["content"]).iter().next().ok_or("its body has no content")?;
        Ok(Self {
            required: node["required"] == true,
            media_type: media_type.clone(),
            schema: compiler.compile(&content["schema"])?,
        })
    }
}

fn resolve<'a>(document: &'a Value, node: &'a Value) -> &'a Value {
    let target = node["$ref"].as_str().and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    target.unwrap_or(node)
}

fn object(node: &Value) -> &Map<String, Value> {
    static EMPTY: LazyLock<Map<String, Value>> = LazyLock::new(Map::new);
    node.as_object().unwrap_or(&EMPTY)
}

fn array(node: &Value) -> &[Value] {
    node.as_array().map_or(&[], Vec::as_slice)
}

fn allowed(node: &Value) -> Allowed {
    object(node).iter().map(|(field, words)| (field.clone(), strings(words))).collect()
}

fn strings(node: &Value) -> Vec<String> {
    array(node).iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// `getRoleMiningSessionsV1` is `get_role_mining_sessions`.
fn snake_case(id: &str) -> String {
    let id = id.strip_suffix("V1").unwrap_or(id);
    let mut snake = String::new();
    for letter in id.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(method: &str, path: &str) -> &'static Operation {
        match contract().unwrap().find(method, path) {
            Found::Operation(operation, _) => operation,
            _ => panic!("{method} {path} leads nowhere"),
        }
    }

    #[test]
    fn a_literal_segment_wins_over_a_parameter() {
        assert_eq!(found("GET", "role-mining-potential-roles/saved").name, "get_saved_potential_roles");
        assert_eq!(found("GET", "role-mining-potential-roles/save").name, "get_role_mining_potential_role");
    }

    #[test]
    fn an_answer_that_differs_from_the_document_is_noticed() {
        let operation = found("GET", "role-mining-potential-roles");
        assert_eq!(operation.difference(200, &json!([{"density": 5, "roleId": null}])), None);
        let difference = operation.difference(200, &json!([{"density": "5"}])).unwrap();
        assert!(difference.contains("density"), "{difference}");
        assert!(operation.difference(418, &json!({})).is_some());
    }

    #[test]
    fn names_lose_the_case_and_the_version_of_the_document() {
        assert_eq!(snake_case("getRoleMiningSessionsV1"), "get_role_mining_sessions");
        assert_eq!(snake_case("get_role_mining_sessions"), "get_role_mining_sessions");
    }
}
