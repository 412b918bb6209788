//! Each kind of defect the vendor's documents have, alone: what the rule makes of it, and that it
//! says so.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod common;

use codegen::import::Imported;
use common::{document, import_text, schemas};
use serde_json::{Value, json};

/// Imports a document whose one operation answers with `Model`, and gives that model back.
fn mended(schemas_text: &str) -> (Value, Imported) {
    let item = "
get:
  operationId: getModel
  responses:
    '200':
      description: It.
      content: {application/json: {schema: {$ref: '#/components/schemas/Model'}}}";
    let imported = import_text(&document("/model", item, schemas_text), None);
    (schemas(&imported.document)["Model"].clone(), imported)
}

/// The property `field` of a model that has only that, after mending.
fn field(text: &str, others: &str) -> (Value, String) {
    let (model, imported) =
        mended(&format!("Model:\n  type: object\n  properties:\n    field: {text}\n{others}"));
    (model["properties"]["field"].clone(), imported.report.to_string())
}

#[test]
fn a_property_is_mended() {
    let dto = "Dto: {type: object, properties: {id: {type: string}}}\n";
    let stand_in = format!(
        "{dto}NullableDto: {{type: string, nullable: true, description: Workaround to support null}}"
    );
    let reference = json!([{ "$ref": "#/components/schemas/Dto" }]);
    for (rule, text, others, wanted) in [
        (
            "reference with siblings",
            "{$ref: '#/components/schemas/Dto', nullable: true, description: Whose}",
            dto,
            json!({ "description": "Whose", "nullable": true, "allOf": reference }),
        ),
        (
            "stand-in for null",
            "{oneOf: [{$ref: '#/components/schemas/Dto'}, {$ref: '#/components/schemas/NullableDto'}]}",
            &stand_in,
            json!({ "nullable": true, "allOf": reference }),
        ),
        (
            "member that only annotates",
            "{allOf: [{$ref: '#/components/schemas/Dto'}, {description: Whose, nullable: true}]}",
            dto,
            json!({ "description": "Whose", "nullable": true, "allOf": reference }),
        ),
        (
            "object with items",
            "{type: object, items: {$ref: '#/components/schemas/Dto'}}",
            dto,
            json!({ "$ref": "#/components/schemas/Dto" }),
        ),
        (
            "union of one",
            "{oneOf: [{$ref: '#/components/schemas/Dto'}]}",
            dto,
            json!({ "$ref": "#/components/schemas/Dto" }),
        ),
        (
            "default of another type",
            "{type: string, default: true}",
            "",
            json!({ "type": "string", "default": "true" }),
        ),
        ("default of another type", "{type: integer, default: many}", "", json!({ "type": "integer" })),
        (
            "example that does not fit",
            "{type: string, example: {field: Slack}}",
            "",
            json!({ "type": "string", "example": "Slack" }),
        ),
        (
            "example that does not fit",
            "{type: integer, example: '25'}",
            "",
            json!({ "type": "integer", "example": 25 }),
        ),
        (
            "example that does not fit",
            "{type: string, format: date-time, example: 2024-13-45T00:00:00Z}",
            "",
            json!({ "type": "string", "format": "date-time" }),
        ),
        (
            "example that does not fit",
            "{type: array, items: {type: string}, example: {a: 1}}",
            "",
            json!({ "type": "array", "items": { "type": "string" } }),
        ),
        ("type that is none", "{type: date-time}", "", json!({ "type": "string", "format": "date-time" })),
        (
            "type that is none",
            "{description: Text, example: some}",
            "",
            json!({ "description": "Text", "type": "string", "example": "some" }),
        ),
        ("type that is none", "{type: [string, 'null']}", "", json!({ "type": "string", "nullable": true })),
        (
            "keyword of the wrong kind",
            "{type: string, nullable: 'true', maxLength: '12'}",
            "",
            json!({ "type": "string", "nullable": true, "maxLength": 12 }),
        ),
        ("keyword of the wrong kind", "{type: string, required: true}", "", json!({ "type": "string" })),
        (
            "array shown as an object",
            "{type: array, items: {type: object}, example: {a: {b: 1}}}",
            "",
            json!({ "oneOf": [{ "type": "array", "items": { "type": "object" } }, { "type": "object" }], "example": { "a": { "b": 1 } } }),
        ),
        (
            "map shown with other values",
            "{type: object, additionalProperties: {type: string}, example: {count: 6}}",
            "",
            json!({ "type": "object", "additionalProperties": true, "example": { "count": 6 } }),
        ),
    ] {
        let (mended, report) = field(text, others);
        assert_eq!(mended, wanted, "{rule}: {text}");
        assert!(report.contains(rule), "{rule} is not in the report:\n{report}");
        assert!(
            report.contains("#/components/schemas/Model/properties/field"),
            "no place in the report:\n{report}"
        );
    }
}

#[test]
fn a_null_among_enum_values_makes_them_nullable() {
    let (model, imported) = mended("Model: {type: string, enum: [A, B, null]}");
    assert_eq!(model, json!({ "type": "string", "nullable": true, "enum": ["A", "B"] }));
    assert!(imported.report.to_string().contains("null among enum values"));
}

#[test]
fn required_properties_must_be_declared() {
    let (model, imported) =
        mended("Model: {type: object, required: [id, gone], properties: {id: {type: string}}}");
    assert_eq!(model["required"], json!(["id"]));
    assert!(imported.report.to_string().contains("required property \"gone\" is not declared"));
}

#[test]
fn a_schema_with_null_that_means_something_stays() {
    // A string that may be null is no stand-in where it says what it is.
    let text = "{oneOf: [{$ref: '#/components/schemas/Dto'}, {type: string, nullable: true, description: The name}]}";
    let (field, _) = field(text, "Dto: {type: object, properties: {id: {type: string}}}");
    assert_eq!(field["$ref"], "#/components/schemas/ModelField", "a union of a model stays one");
}

#[test]
fn path_parameters_and_paths_are_brought_together() {
    let item = "
patch:
  operationId: patchIt
  parameters:
    - {name: sessionId, in: path, required: true, schema: {type: string}}
  responses: {'204': {description: Done}}";
    let imported = import_text(&document("/roles/{roleId}", item, ""), None);
    let parameters = &imported.document["paths"]["/roles/{roleId}"]["patch"]["parameters"];
    let names: Vec<&Value> =
        parameters.as_array().unwrap().iter().map(|parameter| &parameter["name"]).collect();
    assert_eq!(names, ["roleId"]);
    let report = imported.report.to_string();
    assert!(report.contains("`sessionId` is not in `/roles/{roleId}` and is dropped"), "{report}");
    assert!(report.contains("`roleId` of `/roles/{roleId}` is taken as a string"), "{report}");
}

#[test]
fn a_collection_lists_what_creating_an_item_answers_with() {
    let item = "
post:
  operationId: createThing
  requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/ThingDto'}}}}
  responses: {'201': {description: It, content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}}}
get:
  operationId: listThings
  responses: {'200': {description: All, content: {application/json: {schema: {type: array, items: {$ref: '#/components/schemas/ThingDto'}}}}}}";
    let things = "
ThingDto: {type: object, properties: {name: {type: string}}}
Thing: {type: object, properties: {id: {type: string}, name: {type: string}}}";
    let imported = import_text(&document("/things", item, things), None);
    let schema = &imported.document["paths"]["/things"]["get"]["responses"]["200"]["content"]["application/json"]
        ["schema"];
    assert_eq!(schema["items"]["$ref"], "#/components/schemas/Thing");
    assert!(imported.report.to_string().contains("collection of request models"));
}

#[test]
fn names_that_differ_in_case_only_stay_apart_unless_they_are_one_model() {
    let (_, imported) = mended(
        "
Model: {type: object, properties: {one: {$ref: '#/components/schemas/thing'}, two: {$ref: '#/components/schemas/Thing'}, three: {$ref: '#/components/schemas/THING'}}}
thing: {type: object, properties: {id: {type: string}}}
Thing: {type: object, properties: {id: {type: string}}, description: The same}
THING: {type: object, properties: {count: {type: integer}}}",
    );
    let model = &schemas(&imported.document)["Model"]["properties"];
    assert_eq!(model["one"], model["two"]);
    assert_ne!(model["one"], model["three"]);
}

#[test]
fn models_may_hold_themselves() {
    let (model, _) = mended(
        "Model: {type: object, properties: {children: {type: array, items: {$ref: '#/components/schemas/Model'}}}}",
    );
    assert_eq!(model["properties"]["children"]["items"]["$ref"], "#/components/schemas/Model");
}

#[test]
fn files_are_one_however_they_are_reached() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(
        "api/root.yaml",
        "openapi: 3.0.1\ninfo: {title: T, version: '1'}\npaths:\n  /a: {$ref: ./paths/a.yaml}\n  /b: {$ref: './paths/b.yaml'}\n",
    );
    let operation = |id: &str, target: &str| {
        format!("get:\n  operationId: {id}\n  tags: [T]\n  responses:\n    '200':\n      $ref: {target}\n")
    };
    write("api/paths/a.yaml", &operation("getA", "../../shared/responses/ok.yaml"));
    write("api/paths/b.yaml", &operation("getB", "../paths/../../shared/responses/ok.yaml"));
    write(
        "shared/responses/ok.yaml",
        "description: ok\ncontent:\n  application/json:\n    schema: {$ref: ../../api/../shared/schemas/Thing.yaml}\n",
    );
    write(
        "shared/schemas/Thing.yaml",
        "type: object\nproperties:\n  id: {type: string}\n  next: {$ref: './Thing.yaml'}\n",
    );
    let imported = codegen::import::import(&folder.path().join("api/root.yaml"), Some("T"), None).unwrap();
    assert_eq!(common::models(&imported.document), ["Thing"]);
    assert_eq!(common::ids(&imported.document), ["getA", "getB"]);
}
