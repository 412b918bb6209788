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
