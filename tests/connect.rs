//! Connecting: tokens, limits, deadlines, and what is told of it, against a tenant.

use sailpoint_role_mining::Client;
use sailpoint_role_mining_tenant::Tenant;

fn client(tenant: &Tenant) -> Client {
    Client::builder(tenant.base_url())
        .credentials(tenant.client_id(), tenant.client_secret())
        .build()
        .unwrap()
}

#[tokio::test]
async fn one_token_serves_many_calls() {
    let tenant = Tenant::builder().identities(100).start().await.unwrap();
    let client = client(&tenant);
    for _ in 0..3 {
        client.get_role_mining_sessions().send().await.unwrap();
    }
    assert_eq!(tenant.calls("token"), 1);
    assert_eq!(tenant.calls("get_role_mining_sessions"), 3);
}
