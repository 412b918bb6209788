use sailpoint_role_mining_tenant::{Fault, PastEnd};
use serde_json::Value;

use crate::api::{Api, cause, column, settings};

async fn refusal(api: &Api, path: &str) -> String {
    let refused = api.get(path).await;
    assert_eq!(refused.status(), 400, "{path}");
    let error: Value = refused.json().await.unwrap();
    assert!(error["detailCode"].is_string() && error["messages"][0]["text"].is_string(), "{error}");
    cause(&error).to_owned()
}

#[tokio::test]
async fn pages_cover_the_collection_and_the_count_is_only_told_when_asked() {
    let api = Api::start(settings().sessions(7)).await;
    let mut names = Vec::new();
    for offset in [0, 3, 6, 9] {
        let answer = api.get(&format!("/role-mining-sessions?limit=3&offset={offset}&count=true")).await;
        assert_eq!(answer.headers()["x-total-count"], "7");
        names.extend(column(&answer.json().await.unwrap(), "id").iter().map(|&id| id.to_owned()));
    }
    let all = api.get("/role-mining-sessions").await;
    assert!(!all.headers().contains_key("x-total-count"));
    assert_eq!(names, column(&all.json().await.unwrap(), "id"));
}

#[tokio::test]
async fn limits_and_offsets_outside_the_document_are_refused() {
    let api = Api::start(settings()).await;
    for query in ["limit=251", "limit=-1", "limit=ten", "offset=-1", "count=yes", "limit=1&limit=2"] {
        refusal(&api, &format!("/role-mining-sessions?{query}")).await;
    }
    assert_eq!(api.json("/role-mining-sessions?limit=0").await, serde_json::json!([]));
}

#[tokio::test]
async fn an_offset_past_the_end_is_refused_if_so_set_but_never_the_first() {
    let api = Api::start(settings().past_end(PastEnd::BadRequest)).await;
    assert!(refusal(&api, "/role-mining-sessions?offset=3").await.contains("offset is invalid"));
    assert_eq!(column(&api.json("/role-mining-sessions?offset=2").await, "id").len(), 1);
    let none = api.json("/role-mining-sessions?offset=0&filters=name%20eq%20%22none%22").await;
    assert_eq!(none, serde_json::json!([]));
}

#[tokio::test]
async fn a_page_may_be_capped_below_the_limit() {
    let api = Api::start(settings().sessions(7).page_cap(2)).await;
    assert_eq!(column(&api.json("/role-mining-sessions?limit=5").await, "id").len(), 2);
}

#[tokio::test]
async fn filters_select_by_the_whole_grammar() {
    let api = Api::start(settings().sessions(4)).await;
    let all = api.json("/role-mining-sessions").await;
    let names = column(&all, "name");
    for (filter, expected) in [
        (r#"saved eq true"#, vec![names[0], names[2]]),
        (r#"saved eq "true" and name sw "RM Session""#, vec![names[0], names[2]]),
        (r#"not saved eq true"#, vec![names[1], names[3]]),
        (r#"name sw "RM Session - Sales""#, vec![names[1]]),
    ] {
        let path =
            reqwest::Url::parse_with_params("http://x/role-mining-sessions", [("filters", filter)]).unwrap();
        let path = format!("{}?{}", path.path(), path.query().unwrap());
        assert_eq!(column(&api.json(&path).await, "name"), expected, "{filter}");
    }
}

#[tokio::test]
async fn a_filter_or_sorter_that_is_not_allowed_is_refused_with_what_is() {
    let api = Api::start(settings()).await;
    let text = refusal(&api, "/role-mining-sessions?filters=type%20eq%20%22COMMON%22").await;
    assert!(text.contains("\"type\" cannot be filtered") && text.contains("name, saved"), "{text}");
    let text = refusal(&api, "/role-mining-sessions?filters=name%20gt%20%22x%22").await;
    assert!(text.contains("\"gt\""), "{text}");
    let text = refusal(&api, "/role-mining-sessions?sorters=name").await;
    assert!(text.contains("createdBy, createdDate"), "{text}");
}

#[tokio::test]
async fn sorters_order_by_several_fields_in_either_direction() {
    let api = Api::start(settings()).await;
    let roles = api.json("/role-mining-potential-roles?sorters=-identityCount,freshness").await;
    let keys: Vec<_> = roles
        .as_array()
        .unwrap()
        .iter()
        .map(|role| (-role["identityCount"].as_i64().unwrap(), role["freshness"].as_i64().unwrap()))
        .collect();
    assert!(keys.len() > 3 && keys.is_sorted(), "{keys:?}");
}

#[tokio::test]
async fn a_collection_can_move_between_pages() {
    let api = Api::start(settings().sessions(6)).await;
    let all = api.json("/role-mining-sessions").await;
    api.tenant.fault(Fault::shifted(-1).on("get_role_mining_sessions").nth(2));
    api.json("/role-mining-sessions?limit=3").await;
    let second = api.json("/role-mining-sessions?limit=3&offset=3").await;
    assert_eq!(second[0], all[2], "the last of the first page is the first of the second");
}
