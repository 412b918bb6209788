//! The tour, run through in a small tenant, and what a person sees of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[allow(dead_code, reason = "the test has a tenant of its own")]
#[path = "../examples/tour.rs"]
mod tour;

use std::path::Path;
use std::time::Duration;

use sailpoint_role_mining::{Client, RetryPolicy};
use sailpoint_role_mining_tenant::{Builder, Fault, PastEnd, Tenant};

/// A tenant that is quick, and as strict with pages as the service can be.
fn tenant() -> Builder {
    Tenant::builder().identities(500).step(Duration::from_millis(20)).past_end(PastEnd::BadRequest)
}

/// The lines that the tour writes, or the message that it ends with.
async fn lines(tenant: &Tenant, criteria: &str, folder: &Path) -> Result<Vec<String>, String> {
    let client = Client::builder(tenant.base_url())
        .credentials(tenant.client_id(), tenant.client_secret())
        .retry(RetryPolicy::none())
        .build()
        .unwrap();
    let mut out = Vec::new();
    tour::tour(&client, criteria, folder, &mut out).await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(out).unwrap().lines().map(str::to_owned).collect())
}

/// The lines after the one that starts with `heading`, up to an empty one.
fn below<'a>(lines: &'a [String], heading: &str) -> &'a [String] {
    let at = lines.iter().position(|line| line.starts_with(heading));
    let rest = &lines[at.unwrap_or_else(|| panic!("no {heading:?} in {lines:#?}")) + 1..];
    let end = rest.iter().position(String::is_empty).unwrap_or(rest.len());
    &rest[..end]
}

#[tokio::test]
async fn the_tour_shows_the_best_roles_and_what_their_exports_hold() {
    let tenant = tenant().page_cap(3).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lines = lines(&tenant, "*", folder.path()).await.unwrap();

    let waited = below(&lines, "A session that mines *");
    assert!(waited.last().unwrap().contains("POTENTIAL_ROLES_CREATED, "), "{lines:#?}");

    // Pages of three where ten were asked for are not the end.
    let pages = below(&lines, "Its potential roles");
    let (seen, total) = pages.last().unwrap().trim().split_once(" of ").unwrap();
    assert_eq!(seen, total, "{lines:#?}");
    assert!(pages.len() > 1, "{lines:#?}");

    let table = below(&lines, "The best of them");
    assert!(table.len() > 3, "{lines:#?}");
    let quality = |row: &String| row.split_whitespace().last().unwrap().parse::<u32>().unwrap();
    let qualities: Vec<u32> = table[1..].iter().map(quality).collect();
    assert!(qualities.is_sorted_by(|one, next| one >= next), "{lines:#?}");

    let exports = lines.iter().filter(|line| line.starts_with("Export of ")).count();
    assert_eq!(exports, 3, "{lines:#?}");
    for member in ["identities.csv: ", "entitlements.csv: "] {
        let records =
            lines.iter().filter_map(|line| line.trim().strip_prefix(member)?.strip_suffix(" records"));
        let records: Vec<u32> = records.map(|records| records.parse().unwrap()).collect();
        assert_eq!(records.len(), 3, "{lines:#?}");
        assert!(records.iter().all(|&records| records > 0), "{lines:#?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
}

#[tokio::test]
async fn a_session_without_potential_roles_is_no_error() {
    let tenant = tenant().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let lines = lines(&tenant, "source.name:Nowhere", folder.path()).await.unwrap();
    assert!(lines.last().unwrap().contains("There are none"), "{lines:#?}");
}

#[tokio::test]
async fn what_goes_wrong_is_told_in_one_line() {
    let tenant = tenant().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = lines(&tenant, "nonsense", folder.path()).await.unwrap_err();
    assert!(error.contains("400") && !error.contains('\n'), "{error}");

    tenant.fail_exports(true);
    let error = lines(&tenant, "*", folder.path()).await.unwrap_err();
    assert!(error.starts_with("export ") && error.ends_with("failed: ERROR"), "{error}");

    tenant.fail_exports(false);
    tenant.fault(Fault::reset_in_body(100).on("download_role_mining_potential_role_zip").times(9));
    let error = lines(&tenant, "*", folder.path()).await.unwrap_err();
    assert!(error.contains("download_role_mining_potential_role_zip") && !error.contains('\n'), "{error}");
}

#[tokio::test]
async fn a_state_that_is_new_is_waited_out() {
    let tenant = tenant().start().await.unwrap();
    tenant.fault(Fault::unknown_status("WARMING_UP").on("export_role_mining_potential_role_status").times(1));
    let folder = tempfile::tempdir().unwrap();
    let lines = lines(&tenant, "*", folder.path()).await.unwrap();
    assert!(lines.iter().any(|line| line.ends_with("WARMING_UP")), "{lines:#?}");
}
