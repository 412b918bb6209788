//! What paging costs: `cargo bench --bench paging`. Every figure is a ratio of two that are measured in one
//! run, beside the bound that it has to keep; the program fails if one does not.
//!
//! `serve` lists 25,000 potential roles at 50 ms a request until it is stopped, and `list N`
//! reads such a list from `SAIL_BASE_URL`, N pages at a time, for `sdks.sh`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a benchmark that cannot measure has nothing to say"
)]

use std::alloc::System;
use std::hint::black_box;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sailpoint_role_mining::types::RoleMiningPotentialRoleSummary as Role;
use sailpoint_role_mining::{Client, Pager};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[path = "../tests/lists/mod.rs"]
mod lists;

use lists::{Answer, Ask, Server};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const PAGE: usize = 250;
const LATENCY: Duration = Duration::from_millis(50);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve"] => {
            let server = serve(100 * PAGE, LATENCY);
            println!("export SAIL_BASE_URL={} SAIL_CLIENT_ID=id SAIL_CLIENT_SECRET=secret", server.url);
            std::future::pending().await
        }
        ["list", prefetch] => {
            let client = Client::builder_from_env().unwrap().rate_limit(None).build().unwrap();
            println!("{}", read(pager(&client).prefetch(prefetch.parse().unwrap())).await);
            ExitCode::SUCCESS
        }
        ["stream", url] => {
            let client = Client::builder(url).rate_limit(None).build().unwrap();
            println!("{} {}", read(pager(&client).prefetch(8)).await, peak());
            ExitCode::SUCCESS
        }
        _ => report().await,
    }
}

async fn report() -> ExitCode {
    let mut ok = true;
    let mut line = |what: &str, value: f64, bound: f64, at_least: bool, of: String| {
        let kept = if at_least { value >= bound } else { value <= bound };
        ok &= kept;
        let (sign, mark) = (if at_least { "≥" } else { "≤" }, if kept { "" } else { "  MISSED" });
        println!("{what:<52} {value:>8.2}   {sign} {bound:<6} {of}{mark}");
    };
    println!("{:<52} {:>8}   {:<8} of", "", "measured", "bound");

    let slow = serve(100 * PAGE, LATENCY);
    // Each run makes its connections anew, as curl does.
    let one = timed(1, || read(pager(&slow.client()))).await;
    let eight = timed(5, || read(pager(&slow.client()).prefetch(8))).await;
    let curl = timed(5, || curl(&slow.url)).await;
    line(
        "100 pages, one after another : prefetch(8)",
        one / eight,
        6.5,
        true,
        format!("{one:.3} s : {eight:.3} s"),
    );
    line(
        "100 pages, prefetch(8) : curl -Z --parallel-max 8",
        eight / curl,
        1.15,
        false,
        format!("{eight:.3} s : {curl:.3} s"),
    );

    let body = page(0);
    let ours = |text: &str| black_box(serde_json::from_str::<Vec<Role>>(text).unwrap().len());
    let theirs = |text: &str| black_box(serde_json::from_str::<Vec<hand::Role>>(text).unwrap().len());
    let (ours, theirs) = decode(&body, &ours, &theirs);
    line(
        "decoding a page of 250, ours : by hand",
        ours / theirs,
        1.10,
        false,
        format!("{:.0} µs : {:.0} µs", ours * 1e6, theirs * 1e6),
    );

    let (few, many) = (serve(10_000, Duration::ZERO), serve(1_000_000, Duration::ZERO));
    let (few, many) = (stream(&few.url, 10_000), stream(&many.url, 1_000_000));
    line(
        "peak memory, 1,000,000 items − 10,000 items, in MiB",
        many - few,
        32.0,
        false,
        format!("{many:.1} − {few:.1}"),
    );

    let fast = serve(1_000 * PAGE, Duration::ZERO);
    let client = fast.client();
    let (early, late) = allocations(pager(&client)).await;
    line(
        "allocations a page, pages 900–1000 : 100–200",
        late / early,
        1.01,
        false,
        format!("{late:.1} : {early:.1}"),
    );
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn pager(client: &Client) -> Pager<Role> {
    client.get_all_potential_role_summaries().paginate()
}

async fn read(pager: Pager<Role>) -> usize {
    let mut items = pager.items();
    let mut count = 0;
    while let Some(role) = items.try_next().await.unwrap() {
        black_box(&role);
        count += 1;
    }
    count
}

/// The median of a few runs, in seconds.
async fn timed<F: Future<Output = usize>>(runs: usize, run: impl Fn() -> F) -> f64 {
    let mut times = Vec::new();
    for _ in 0..runs {
        let start = Instant::now();
        assert_eq!(run().await, 100 * PAGE);
        times.push(start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    times[runs / 2]
}

async fn curl(url: &str) -> usize {
    let pages = format!("{url}/role-mining-potential-roles?limit={PAGE}&offset=[0-{}:{PAGE}]", 99 * PAGE);
    let arguments = ["-Z", "--parallel-max", "8", "-s", "-f", "-o", "/dev/null", &pages];
    assert!(Command::new("curl").args(arguments).stderr(Stdio::null()).status().unwrap().success());
    100 * PAGE
}

/// The times of both, in seconds: the least of many runs that take turns.
fn decode(body: &str, ours: &dyn Fn(&str) -> usize, theirs: &dyn Fn(&str) -> usize) -> (f64, f64) {
    let run = |decode: &dyn Fn(&str) -> usize| {
        let start = Instant::now();
        for _ in 0..10 {
            assert_eq!(decode(body), PAGE);
        }
        start.elapsed().as_secs_f64() / 10.0
    };
    let mut least = (f64::MAX, f64::MAX);
    for _ in 0..100 {
        least = (least.0.min(run(ours)), least.1.min(run(theirs)));
    }
    least
}

/// The peak memory of a process that reads a list, in MiB.
fn stream(url: &str, items: usize) -> f64 {
    let output = Command::new(std::env::current_exe().unwrap()).args(["stream", url]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (count, peak) = text.trim().split_once(' ').unwrap();
    assert_eq!(count, items.to_string());
    peak.parse::<f64>().unwrap() / 1024.0
}

/// The peak memory of this process, in KiB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// How many allocations a page takes early and late in a list; the server's, which are always as many, count.
async fn allocations(pager: Pager<Role>) -> (f64, f64) {
    let mut pages = pager.pages();
    let mut counts = Vec::new();
    let mut region = Region::new(ALLOCATOR);
    while pages.try_next().await.unwrap().is_some() {
        let change = region.change_and_reset();
        counts.push(change.allocations + change.reallocations);
    }
    let mean = |counts: &[usize]| counts.iter().sum::<usize>() as f64 / counts.len() as f64;
    (mean(&counts[100..200]), mean(&counts[900..1000]))
}

/// Serves so many potential roles; after 100 pages, the first comes again under other offsets.
fn serve(total: usize, delay: Duration) -> Server {
    let pages: Vec<Arc<str>> = (0..100).map(|number| page(number).into()).collect();
    Server::start(move |ask: &Ask| {
        let body = match (ask.offset < total, ask.limit) {
            (true, PAGE) => Arc::clone(&pages[ask.offset / PAGE % pages.len()]),
            _ => "[]".into(),
        };
        let total = ask.count.then_some(total);
        Answer { status: 200, total, body, delay }
    })
}

fn page(number: usize) -> String {
    let items: Vec<String> = (number * PAGE..(number + 1) * PAGE).map(role).collect();
    format!("[{}]", items.join(","))
}

fn role(number: usize) -> String {
    let id = format!("e0cc5d7d-bf7f-4f81-b2af-{number:012}");
    format!(
        r#"{{"id":"{id}","name":"Potential Role - {number}","potentialRoleRef":{{"id":"{id}","name":"Potential Role - {number}"}},"identityCount":{},"entitlementCount":15,"identityGroupStatus":"OBTAINED","provisionState":"POTENTIAL","roleId":null,"density":75,"freshness":{},"quality":{},"type":"SPECIALIZED","createdBy":{{"id":"2c918090761a5aac0176215c46a62d58","displayName":"Ashley Pierce"}},"createdDate":"2026-11-09T10:28:35.581Z","saved":true,"description":"Potential Role for Accounting","session":{{"id":"9f36f5e5-1e81-4eca-b087-548959d91c71","name":"Saved RM Session - 07/10","minNumIdentitiesInPotentialRole":20,"pruneThreshold":5,"saved":true,"scope":{{"identityIds":[],"criteria":"source.name:DataScienceSource","attributeFilterCriteria":null}},"type":"SPECIALIZED","state":"CREATED","scopingMethod":"MANUAL"}}}}"#,
        number % 500,
        number % 101,
        number % 97
    )
}

/// The models as one would write them for just these answers.
#[allow(dead_code, reason = "they are decoded, not read")]
mod hand {
    use chrono::{DateTime, Utc};
    use serde::Deserialize;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub(super) struct Role {
        id: Option<String>,
        name: Option<String>,
        potential_role_ref: Option<Ref>,
        identity_count: Option<i64>,
        entitlement_count: Option<i64>,
        identity_group_status: Option<String>,
        provision_state: Option<Provision>,
        role_id: Option<String>,
        density: Option<i64>,
        freshness: Option<i64>,
        quality: Option<i64>,
        #[serde(rename = "type")]
        kind: Option<Kind>,
        created_by: Option<Creator>,
        created_date: Option<DateTime<Utc>>,
        saved: Option<bool>,
        description: Option<String>,
        session: Option<Session>,
    }

    #[derive(Deserialize)]
    struct Ref {
        id: Option<String>,
        name: Option<String>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Creator {
        id: Option<String>,
        display_name: Option<String>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Session {
        id: Option<String>,
        name: Option<String>,
        min_num_identities_in_potential_role: Option<i64>,
        prune_threshold: Option<i64>,
        saved: Option<bool>,
        scope: Option<Scope>,
        #[serde(rename = "type")]
        kind: Option<Kind>,
        state: Option<State>,
        scoping_method: Option<Method>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Scope {
        identity_ids: Option<Vec<String>>,
        criteria: Option<String>,
        attribute_filter_criteria: Option<serde_json::Value>,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    enum Provision {
        Potential,
        Pending,
        Complete,
        Failed,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    enum Kind {
        Specialized,
        Common,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    enum State {
        Created,
        Updated,
        IdentitiesObtained,
        PruneThresholdObtained,
        PotentialRolesProcessing,
        PotentialRolesCreated,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "SCREAMING_SNAKE_CASE")]
    enum Method {
        Manual,
        AutoRm,
    }
}
