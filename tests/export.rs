//! Exports from start to a file on disk, and what can go wrong on the way, over real sockets.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::{Canned, client_of, finished, fixture, many, names_in, padded};
use proptest::prelude::*;
use sailpoint_role_mining::{Archive, DownloadError, FinishedExport};
use sailpoint_role_mining_tenant::{Fault, Tenant};

const DOWNLOAD: &str = "download_role_mining_potential_role_zip";

/// The zip as it is when nothing goes wrong.
async fn original(export: &FinishedExport) -> Vec<u8> {
    let mut bytes = Vec::new();
    export.download().to_writer(&mut bytes).await.unwrap();
    bytes
}

/// Downloads to a path under a fault; what is there must be the whole zip and nothing else.
async fn survives(tenant: &Tenant, fault: Fault) -> usize {
    let export = finished(tenant).await;
    let bytes = original(&export).await;
    tenant.clear_record();
    tenant.fault(fault);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("role.zip");
    let receipt = export.download().stall_timeout(Duration::from_millis(300)).to_path(&path).await.unwrap();
    assert_eq!(receipt.bytes, bytes.len() as u64);
    assert!(std::fs::read(&path).unwrap() == bytes, "it is another zip");
    assert_eq!(names_in(folder.path()), ["role.zip"]);
    tenant.calls(DOWNLOAD)
}

/// Downloads to a path under a fault that does not go away; nothing may be there but what was before.
async fn gives_up(tenant: &Tenant, fault: Fault) -> DownloadError {
    let export = finished(tenant).await;
    tenant.fault(fault);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("role.zip");
    std::fs::write(&path, "what was before").unwrap();
    let error = export.download().stall_timeout(Duration::from_millis(200)).to_path(&path).await.unwrap_err();
    assert_eq!(names_in(folder.path()), ["role.zip"]);
    assert_eq!(std::fs::read(&path).unwrap(), b"what was before");
    assert!(!error.to_string().contains("secret"));
    error
}

#[tokio::test]
async fn a_download_is_read_without_unpacking() {
    let tenant = fixture().start().await.unwrap();
    let export = finished(&tenant).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("role.zip");
    let seen: Arc<Mutex<Vec<u64>>> = Arc::default();
    let tell = Arc::clone(&seen);
    export.download().on_progress(move |n, _| tell.lock().unwrap().push(n)).to_path(&path).await.unwrap();
    let seen = seen.lock().unwrap();
    assert!(seen.is_sorted() && *seen.last().unwrap() == path.metadata().unwrap().len());

    let mut archive = Archive::open(&path).unwrap();
    let names: Vec<String> = archive.members().map(|member| member.name).collect();
    assert_eq!(names, ["identities.csv", "entitlements.csv"]);
    let mut rows = archive.records::<HashMap<String, String>>("identities.csv").unwrap();
    assert_eq!(rows.headers().unwrap()[..2], ["id", "name"]);
    let rows: Vec<_> = rows.map(Result::unwrap).collect();
    assert!(rows.len() > 1 && rows.iter().all(|row| row["email"].contains('@')));
    let typed: Vec<(String, String, String, u32, f64, f64)> =
        archive.records("entitlements.csv").unwrap().map(Result::unwrap).collect();
    assert!(typed.iter().all(|row| row.3 > 0 && row.4 <= 100.0));
    assert!(archive.records::<HashMap<String, String>>("nothing.csv").is_err());
}

#[test]
fn an_archive_may_be_compressed() {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    zip.start_file("a.csv", options.compression_method(zip::CompressionMethod::Deflated)).unwrap();
    zip.write_all(b"name,count\n\"a, b\",2\n").unwrap();
    let mut bytes = zip.finish().unwrap().into_inner();
    let mut archive = Archive::new(std::io::Cursor::new(&bytes)).unwrap();
    archive.check().unwrap();
    let rows: Vec<(String, u32)> = archive.records("a.csv").unwrap().map(Result::unwrap).collect();
    assert_eq!(rows, [("a, b".to_owned(), 2)]);
    bytes[45] ^= 0x10;
    assert!(Archive::new(std::io::Cursor::new(&bytes)).unwrap().check().is_err());
    assert!(Archive::new(std::io::Cursor::new(&bytes[..bytes.len() - 30])).is_err());
}

#[tokio::test]
async fn the_export_at_once_is_the_same_download() {
    let tenant = padded(100_000).start().await.unwrap();
    let client = client_of(&tenant);
    let (session, role) = common::role(&client).await;
    let folder = tempfile::tempdir().unwrap();
    let receipt = client.export_now(session, role).to_path(folder.path().join("now.zip")).await.unwrap();
    assert!(receipt.bytes > 100_000);
    assert_eq!(tenant.calls("export_role_mining_potential_role_async"), 0);
}

#[tokio::test]
async fn the_name_is_the_callers() {
    let tenant = fixture().start().await.unwrap();
    tenant
        .fault(Fault::header("content-disposition", "attachment; filename=\"../../evil.zip\"").on(DOWNLOAD));
    survives(&tenant, Fault::delay(Duration::ZERO)).await;
}

#[tokio::test]
async fn download_is_redirected_to_another_host() {
    let tenant = padded(100_000).redirect_downloads(true).start().await.unwrap();
    survives(&tenant, Fault::reset_in_body(5000).on("download_redirect_target").times(1)).await;
    let there = tenant.record();
    let there: Vec<_> =
        there.iter().filter(|r| r.operation.as_deref() == Some("download_redirect_target")).collect();
    assert!(there.len() >= 2 && there.iter().all(|received| received.header("authorization").is_none()));
    // The rest alone is fetched from there.
    assert_eq!(there.last().unwrap().header("range"), Some("bytes=5000-"));
}

#[tokio::test]
async fn download_is_truncated_once() {
    assert_eq!(
        survives(&padded(50_000).start().await.unwrap(), Fault::truncate(999).on(DOWNLOAD).times(1)).await,
        2
    );
}

#[tokio::test]
async fn download_is_truncated_always() {
    let error = gives_up(&fixture().start().await.unwrap(), Fault::truncate(999).on(DOWNLOAD)).await;
    assert!(matches!(error, DownloadError::Interrupted { at: 999, .. }), "{error:?}");
}

#[tokio::test]
async fn download_is_announced_too_long() {
    // There is no rest to be had, so it starts over.
    let tenant = padded(50_000).start().await.unwrap();
    assert_eq!(survives(&tenant, Fault::content_length(10).on(DOWNLOAD).times(1)).await, 3);
    let error = gives_up(&fixture().start().await.unwrap(), Fault::content_length(10).on(DOWNLOAD)).await;
    assert!(matches!(error, DownloadError::Interrupted { .. }), "{error:?}");
}

#[tokio::test]
async fn download_is_announced_too_short() {
    let tenant = padded(50_000).start().await.unwrap();
    assert_eq!(survives(&tenant, Fault::content_length(-10).on(DOWNLOAD).times(1)).await, 2);
    let error = gives_up(&fixture().start().await.unwrap(), Fault::content_length(-10).on(DOWNLOAD)).await;
    assert!(matches!(error, DownloadError::Corrupt(_)), "{error:?}");
}

#[tokio::test]
async fn download_is_a_page_of_html() {
    let page = Fault::html(200, "<h1>Please log in</h1>").on(DOWNLOAD);
    assert_eq!(survives(&padded(50_000).start().await.unwrap(), page.clone().times(1)).await, 2);
    let error = gives_up(&fixture().start().await.unwrap(), page).await;
    assert!(matches!(error, DownloadError::Corrupt(_)), "{error:?}");
}

#[tokio::test]
async fn download_is_corrupt() {
    let good = original(&finished(&fixture().start().await.unwrap()).await).await;
    let mut bad = good.clone();
    bad[100] ^= 1;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("role.zip");
    let server = Canned::start(vec![bad.clone(), bad.clone()]);
    let error = server.client().export_now("s", "r").to_path(&path).await.unwrap_err();
    assert!(matches!(error, DownloadError::Corrupt(_)), "{error:?}");
    assert!(names_in(folder.path()).is_empty());

    let server = Canned::start(vec![bad, good.clone()]);
    server.client().export_now("s", "r").to_path(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == good);
}

#[tokio::test]
async fn download_is_reset() {
    for after in [0, 1, 30_000] {
        let tenant = padded(50_000).start().await.unwrap();
        assert_eq!(survives(&tenant, Fault::reset_in_body(after).on(DOWNLOAD).times(1)).await, 2);
    }
}

#[tokio::test]
async fn download_is_reset_where_no_ranges_are_taken() {
    let tenant = fixture().export_bytes(50_000).start().await.unwrap();
    assert_eq!(survives(&tenant, Fault::reset_in_body(30_000).on(DOWNLOAD).times(1)).await, 2);
    // What a writer has got cannot be taken back.
    let export = finished(&tenant).await;
    tenant.fault(Fault::reset_in_body(30_000).on(DOWNLOAD).times(1));
    let error = export.download().to_writer(&mut Vec::new()).await.unwrap_err();
    assert!(matches!(error, DownloadError::Interrupted { at: 30_000, .. }), "{error:?}");
}

#[tokio::test]
async fn download_stalls() {
    let tenant = padded(50_000).start().await.unwrap();
    let stall = Fault::stall(20_000, Duration::from_secs(30)).on(DOWNLOAD);
    assert_eq!(survives(&tenant, stall.clone().times(1)).await, 2);
    let error =
        gives_up(&fixture().start().await.unwrap(), Fault::stall(500, Duration::from_secs(30)).on(DOWNLOAD))
            .await;
    assert!(error.call_error().unwrap().is_timeout(), "{error:?}");
}

#[tokio::test]
async fn zip_changes_between_parts() {
    let tenant = padded(50_000).start().await.unwrap();
    let export = finished(&tenant).await;
    let bytes = original(&export).await;
    tenant.fault(Fault::header("etag", "\"old\"").on(DOWNLOAD).times(1));
    tenant.fault(Fault::truncate(20_000).on(DOWNLOAD).times(1));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("role.zip");
    export.download().to_path(&path).await.unwrap();
    assert!(std::fs::read(&path).unwrap() == bytes);

    tenant.fault(Fault::header("etag", "\"old\"").on(DOWNLOAD).times(1));
    tenant.fault(Fault::truncate(20_000).on(DOWNLOAD).times(1));
    let error = export.download().to_writer(&mut Vec::new()).await.unwrap_err();
    assert!(matches!(error, DownloadError::Interrupted { at: 20_000, .. }), "{error:?}");
}

#[tokio::test]
async fn download_is_too_large() {
    let tenant = padded(50_000).start().await.unwrap();
    let export = finished(&tenant).await;
    let folder = tempfile::tempdir().unwrap();
    let error = export.download().max_bytes(40_000).to_path(folder.path().join("a")).await.unwrap_err();
    assert!(matches!(error, DownloadError::TooLarge { max_bytes: 40_000 }), "{error:?}");
    assert!(names_in(folder.path()).is_empty());
    // Where the length is not told, the bytes are counted.
    let tenant = fixture().export_bytes(50_000).start().await.unwrap();
    let export = finished(&tenant).await;
    let mut got = Vec::new();
    let error = export.download().max_bytes(40_000).to_writer(&mut got).await.unwrap_err();
    assert!(matches!(error, DownloadError::TooLarge { .. }) && got.len() <= 40_000, "{error:?}");
}

#[tokio::test]
async fn folder_is_missing() {
    let tenant = fixture().start().await.unwrap();
    let export = finished(&tenant).await;
    let error = export.download().to_path("/no/such/folder/role.zip").await.unwrap_err();
    assert_eq!(error.io_error().unwrap().kind(), std::io::ErrorKind::NotFound);
    assert!(error.to_string().contains("/no/such/folder/role.zip"), "{error}");
    assert_eq!(tenant.calls(DOWNLOAD), 0);
    assert!(export.download().to_path("/").await.is_err());
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn disk_is_full() {
    let tenant = padded(3_000_000).start().await.unwrap();
    let export = finished(&tenant).await;
    let full = tokio::fs::OpenOptions::new().write(true).open("/dev/full").await.unwrap();
    let error = export.download().to_writer(full).await.unwrap_err();
    assert_eq!(error.io_error().unwrap().kind(), std::io::ErrorKind::StorageFull);

    // No file of this process may grow past half a megabyte.
    let folder = tempfile::tempdir().unwrap();
    let token = serde_json::to_string(export.token()).unwrap();
    let exe = std::env::current_exe().unwrap();
    let mut child = common::child(&tenant, Path::new("sh"), folder.path());
    child.args(["-c", "trap '' XFSZ; ulimit -f 1024; exec \"$0\" --exact child_on_a_small_disk"]);
    child.arg(exe).env("EXPORT_TOKEN", token);
    let output = tokio::task::spawn_blocking(move || child.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(names_in(folder.path()), ["it-failed"]);
}

#[tokio::test]
async fn child_on_a_small_disk() {
    let Ok(token) = std::env::var("EXPORT_TOKEN") else { return };
    let folder = std::path::PathBuf::from(std::env::var("EXPORT_FOLDER").unwrap());
    let job = common::client_of_environment().attach(serde_json::from_str(&token).unwrap());
    let export = job.finish().await.unwrap();
    let error = export.download().to_path(folder.join("role.zip")).await.unwrap_err();
    assert_eq!(error.io_error().unwrap().kind(), std::io::ErrorKind::FileTooLarge, "{error}");
    std::fs::write(folder.join("it-failed"), "").unwrap();
}

#[tokio::test]
async fn a_dropped_download_leaves_nothing() {
    let tenant = padded(500_000).start().await.unwrap();
    let export = finished(&tenant).await;
    tenant.fault(Fault::stall(200_000, Duration::from_secs(30)).on(DOWNLOAD));
    let folder = tempfile::tempdir().unwrap();
    let download = export.download().to_path(folder.path().join("role.zip"));
    tokio::time::timeout(Duration::from_millis(300), download).await.unwrap_err();
    assert!(names_in(folder.path()).is_empty());
}

#[tokio::test]
async fn export_is_not_there_any_more() {
    let error = gives_up(&fixture().start().await.unwrap(), Fault::status(404).on(DOWNLOAD)).await;
    assert_eq!(error.call_error().unwrap().status().unwrap().as_u16(), 404);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    /// However often and wherever it is cut, what is put together is what was to be fetched.
    #[test]
    fn a_download_that_is_cut_and_resumed_is_the_original(
        cuts in prop::collection::vec((0usize..60_000, any::<bool>()), 0..6),
        ranges in any::<bool>(),
    ) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let tenant = fixture().export_bytes(60_000).ranges(ranges).start().await.unwrap();
            let export = finished(&tenant).await;
            let bytes = original(&export).await;
            tenant.clear_record();
            // Where ranges are not taken, nothing is gained by an attempt that breaks, so few may.
            let cuts = if ranges { &cuts[..] } else { &cuts[..cuts.len().min(4)] };
            for (n, (after, reset)) in (1..).zip(cuts) {
                let cut = if *reset { Fault::reset_in_body(*after) } else { Fault::truncate(*after) };
                tenant.fault(cut.on(DOWNLOAD).nth(n).times(1));
            }
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("role.zip");
            export.download().to_path(&path).await.unwrap();
            assert!(std::fs::read(&path).unwrap() == bytes);
            if ranges {
                let mut streamed = Vec::new();
                tenant.clear_faults();
                for (n, (after, _)) in (1..).zip(cuts) {
                    tenant.fault(Fault::truncate(*after).on(DOWNLOAD).nth(n).times(1));
                }
                export.download().to_writer(&mut streamed).await.unwrap();
                assert!(streamed == bytes);
            }
        });
    }
}

/// How many exports were started of each role.
fn starts(tenant: &Tenant) -> BTreeMap<String, usize> {
    let mut starts = BTreeMap::new();
    for received in tenant.record() {
        if received.operation.as_deref() == Some("export_role_mining_potential_role_async")
            && received.processed
        {
            let role = received.path.split('/').rev().nth(1).unwrap().to_owned();
            *starts.entry(role).or_default() += 1;
        }
    }
    starts
}

fn check_all(folder: &Path) -> usize {
    let zips: Vec<String> = names_in(folder).into_iter().filter(|name| name.ends_with(".zip")).collect();
    for zip in &zips {
        Archive::open(folder.join(zip)).unwrap().check().unwrap();
    }
    zips.len()
}

#[tokio::test]
async fn all_roles_of_a_session_go_into_a_folder() {
    let tenant = many(0).page_cap(3).start().await.unwrap();
    let client = client_of(&tenant);
    let (session, _) = common::role(&client).await;
    let folder = tempfile::tempdir().unwrap();
    let bulk = client.export_all(&session).concurrency(3).schedule(common::quick());
    let report = bulk.clone().to_folder(folder.path()).await.unwrap();
    assert!(report.failed.is_empty() && report.in_doubt.is_empty(), "{report:?}");
    assert!(report.done.len() > 3);
    assert_eq!(check_all(folder.path()), report.done.len());
    assert!(tenant.most_at_once() <= 3);

    // Done is done.
    let before = tenant.record().len();
    let again = bulk.to_folder(folder.path()).await.unwrap();
    assert!(again.done.len() == report.done.len() && again.done.iter().all(|exported| exported.was_there));
    assert!(
        tenant.record()[before..]
            .iter()
            .all(|r| r.operation.as_deref() == Some("get_potential_role_summaries"))
    );

    // A folder is of one export.
    let other = client.export_all(&session).min_entitlement_popularity(50).to_folder(folder.path()).await;
    assert!(other.unwrap_err().to_string().contains("another export"));
}

#[tokio::test]
async fn exports_that_fail_among_many_are_tried_by_the_next_run() {
    let tenant = many(0).start().await.unwrap();
    tenant.fail_exports(true);
    let client = client_of(&tenant);
    let (session, _) = common::role(&client).await;
    let folder = tempfile::tempdir().unwrap();
    let bulk = client.export_all(&session).schedule(common::quick());
    let report = bulk.clone().to_folder(folder.path()).await.unwrap();
    assert!(report.done.is_empty() && report.failed.len() > 3);
    tenant.fail_exports(false);
    let report = bulk.to_folder(folder.path()).await.unwrap();
    assert!(report.failed.is_empty() && check_all(folder.path()) == report.done.len());
}

#[tokio::test]
async fn an_export_whose_start_was_not_answered_is_in_doubt() {
    let tenant = many(0).start().await.unwrap();
    let start = "export_role_mining_potential_role_async";
    tenant.fault(Fault::reset().after_processing().on(start).times(1));
    let client = client_of(&tenant);
    let (session, _) = common::role(&client).await;
    let folder = tempfile::tempdir().unwrap();
    let bulk = client.export_all(&session).schedule(common::quick());
    for _ in 0..2 {
        let report = bulk.clone().to_folder(folder.path()).await.unwrap();
        assert_eq!(report.in_doubt.len(), 1);
        assert!(starts(&tenant).values().all(|count| *count == 1));
    }
    let report = bulk.restart_in_doubt(true).to_folder(folder.path()).await.unwrap();
    assert!(report.in_doubt.is_empty() && check_all(folder.path()) == report.done.len());
}

#[tokio::test]
async fn child_that_exports_many() {
    let Ok(session) = std::env::var("EXPORT_SESSION") else { return };
    let folder = std::env::var("EXPORT_FOLDER").unwrap();
    let bulk = common::client_of_environment().export_all(session).concurrency(3).schedule(common::quick());
    bulk.to_folder(folder).await.unwrap();
}

/// Kills a child in the middle of exporting many, as soon as `when` says so, and takes up its work.
async fn kill_and_resume(tenant: &Tenant, when: impl Fn(&Tenant, &Path) -> bool) -> (usize, usize) {
    let client = client_of(tenant);
    let (session, _) = common::role(&client).await;
    let roles = client.get_potential_role_summaries().session_id(&session).send().await.unwrap().len();
    let folder = tempfile::tempdir().unwrap();
    let mut child = common::child(tenant, &std::env::current_exe().unwrap(), folder.path());
    let mut child =
        child.args(["--exact", "child_that_exports_many"]).env("EXPORT_SESSION", &session).spawn().unwrap();
    while !when(tenant, folder.path()) {
        assert!(child.try_wait().unwrap().is_none(), "it was done before it was killed");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    child.kill().unwrap();
    child.wait().unwrap();
    tenant.clear_faults();
    let zips = check_all(folder.path());

    let bulk = client.export_all(&session).concurrency(3).schedule(common::quick());
    let report = bulk.to_folder(folder.path()).await.unwrap();
    assert!(report.failed.is_empty(), "{report:?}");
    assert!(report.done.iter().filter(|exported| exported.was_there).count() <= zips);
    assert_eq!(report.done.len() + report.in_doubt.len(), roles);
    assert_eq!(check_all(folder.path()), report.done.len());
    assert!(names_in(folder.path()).iter().all(|name| !name.ends_with(".part")));
    assert!(starts(tenant).values().all(|count| *count == 1), "{:?}", starts(tenant));
    (report.done.len(), report.in_doubt.len())
}

#[tokio::test]
async fn process_is_killed() {
    // At several points, told by what the tenant has been asked so far.
    for downloads in [1, 2, 4] {
        let tenant = many(2_000_000).start().await.unwrap();
        let (done, in_doubt) =
            kill_and_resume(&tenant, |tenant, _| tenant.calls(DOWNLOAD) >= downloads).await;
        assert!(done > 3 && in_doubt <= 3);
    }
}

#[tokio::test]
async fn process_is_killed_in_the_middle_of_a_download() {
    let tenant = many(2_000_000).start().await.unwrap();
    tenant.fault(Fault::stall(1_500_000, Duration::from_secs(60)).on(DOWNLOAD).nth(2));
    let half = |_: &Tenant, folder: &Path| {
        names_in(folder).iter().filter(|name| name.ends_with(".part")).count() == 3
    };
    let (_, in_doubt) = kill_and_resume(&tenant, half).await;
    assert_eq!(in_doubt, 0);
}

#[tokio::test]
async fn process_is_killed_before_its_start_is_answered() {
    let tenant = many(0).start().await.unwrap();
    let start = "export_role_mining_potential_role_async";
    tenant.fault(Fault::delay(Duration::from_secs(60)).on(start).nth(3).times(1));
    let asked = |tenant: &Tenant, _: &Path| tenant.calls(start) >= 3 && tenant.calls(DOWNLOAD) >= 2;
    let (_, in_doubt) = kill_and_resume(&tenant, asked).await;
    assert!((1..=3).contains(&in_doubt), "{in_doubt}");
}
