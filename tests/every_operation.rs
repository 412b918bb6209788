//! The example that calls every operation, as a test.

#[path = "../examples/every_operation.rs"]
#[allow(dead_code, reason = "the example has a `main`")]
mod example;

#[tokio::test]
async fn every_operation_sends_what_the_document_says() {
    let lines = example::run().await.unwrap();
    // Provisioning is shown with its optional body and without.
    assert_eq!(lines.len(), 26, "{}", lines.join("\n"));
}

#[test]
fn every_operation_is_known_as_data() {
    use sailpoint_role_mining::operations::{self, ALL};
    assert_eq!(ALL.len(), 25);
    for operation in ALL {
        assert_eq!(operation.headers, [("x-sailpoint-experimental", "true")], "{}", operation.id);
        assert!(!operation.scopes.is_empty(), "{}", operation.id);
        assert!(operation.idempotent || operation.method == "POST", "{}", operation.id);
    }
    let once: Vec<&str> =
        ALL.iter().filter(|operation| !operation.idempotent).map(|operation| operation.id).collect();
    assert_eq!(
        once,
        [
            "create_role_mining_sessions",
            "export_role_mining_potential_role_async",
            "create_potential_role_provision_request"
        ]
    );
    let paged =
        ALL.iter().filter(|operation| operation.page.is_some_and(|page| page.max == Some(250) && page.count));
    assert_eq!(paged.count(), 10);
    assert_eq!(
        operations::GET_ROLE_MINING_SESSIONS.filters,
        [("saved", &["eq"][..]), ("name", &["eq", "sw"][..])]
    );
    assert_eq!(operations::PATCH_ROLE_MINING_SESSION.patches[0], ("pruneThreshold", &["replace"][..]));
}
