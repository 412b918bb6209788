//! Which identities a session looks at.

use serde_json::Value;

use crate::organisation::Organisation;

/// The identities that every part of a scope admits, or why it cannot be understood.
pub(crate) fn resolve(organisation: &Organisation, scope: &Value) -> Result<Vec<u32>, String> {
    let mut conditions = Vec::new();
    if let Some(text) = scope["criteria"].as_str().filter(|text| !text.trim().is_empty()) {
        conditions.push(criteria(organisation, text)?);
    }
    let filters = match &scope["attributeFilterCriteria"] {
        Value::Array(filters) => filters.as_slice(),
        Value::Null => &[],
        one => std::slice::from_ref(one),
    };
    for filter in filters {
        let name = filter["data"]["name"].as_str().unwrap_or_default();
        let values = filter["data"]["values"].as_array().into_iter().flatten();
        let values = values.filter_map(|value| value.as_str().map(str::to_owned)).collect();
        conditions.push(Condition(vec![vec![attribute(organisation, name, values)?]]));
    }
    let holds = |who: &u32| conditions.iter().all(|condition| condition.holds(organisation, *who));
    let listed = scope["identityIds"].as_array().filter(|ids| !ids.is_empty());
    Ok(match listed {
        Some(ids) => {
            let mut found: Vec<u32> =
                ids.iter().filter_map(|id| organisation.identity_of(id.as_str()?)).filter(holds).collect();
            found.sort_unstable();
            found.dedup();
            found
        }
        None => (0..organisation.size).filter(holds).collect(),
    })
}

/// Holds if all of at least one of its rows does.
struct Condition(Vec<Vec<Test>>);

enum Test {
    Everyone,
    Attribute(String, Vec<String>),
    /// Has access to the application; to none, if there is no such application.
    Application(Option<u16>),
}

impl Condition {
    fn holds(&self, organisation: &Organisation, who: u32) -> bool {
        self.0.iter().any(|row| row.iter().all(|test| test.holds(organisation, who)))
    }
}

impl Test {
    fn holds(&self, organisation: &Organisation, who: u32) -> bool {
        match self {
            Self::Everyone => true,
            Self::Attribute(name, values) => {
                let value = organisation.attribute(who, name).unwrap_or_default();
                values.iter().any(|wanted| wanted.eq_ignore_ascii_case(&value))
            }
            Self::Application(None) => false,
            Self::Application(Some(application)) => {
                let mut has = false;
                organisation.accesses(who, |entitlement| {
                    has |= organisation.entitlements[usize::from(entitlement)].application == *application;
                });
                has
            }
        }
    }
}

/// A small part of the vendor's search language: `field:value`, joined by `AND` and `OR`.
fn criteria(organisation: &Organisation, text: &str) -> Result<Condition, String> {
    let rows =
        text.split(" OR ").map(|row| row.split(" AND ").map(|term| test(organisation, term)).collect());
    rows.collect::<Result<_, _>>().map(Condition)
}

fn test(organisation: &Organisation, term: &str) -> Result<Test, String> {
    let term = term.trim();
    if term == "*" {
        return Ok(Test::Everyone);
    }
    let (field, value) = term.split_once(':').ok_or_else(|| {
        format!("the criteria {term:?} are none: write field:value, joined by AND and OR, or * for everyone")
    })?;
    let value = value.trim().trim_matches('"');
    if field == "source.name" {
        let application =
            organisation.applications.iter().position(|known| known.name.eq_ignore_ascii_case(value));
        return Ok(Test::Application(application.and_then(|number| u16::try_from(number).ok())));
    }
    attribute(organisation, field.strip_prefix("attributes.").unwrap_or(field), vec![value.to_owned()])
}

fn attribute(organisation: &Organisation, name: &str, values: Vec<String>) -> Result<Test, String> {
    match organisation.attribute(0, name) {
        Some(_) => Ok(Test::Attribute(name.to_owned(), values)),
        None => Err(format!(
            "identities have no attribute {name:?} to select by; they have department, jobTitle and location"
        )),
    }
}
