//! Calls a tenant that fails one request in ten at random, and prints how it goes.
//!
//! `cargo run --release --example soak [calls]`, 100,000 by default. It ends with status 1 if a call was not
//! answered, or if memory grew.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sailpoint_role_mining::{Client, RetryPolicy};
use sailpoint_role_mining_tenant::{Fault, Tenant};

const CALL: &str = "get_role_mining_sessions";
const WORKERS: usize = 16;

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let calls: usize = std::env::args().nth(1).map_or(Ok(100_000), |number| number.parse())?;
    let tenant = Tenant::builder().identities(100).rate_limit(None).start().await?;
    // A request in fifty fails in each of five ways.
    for (seed, fault) in [
        Fault::status(500),
        Fault::html(502, "<h1>Bad Gateway</h1>"),
        Fault::status(429).with_header("retry-after", "0"),
        Fault::reset(),
        Fault::truncate(20),
    ]
    .into_iter()
    .enumerate()
    {
        tenant.fault(fault.on(CALL).probability(0.02, seed as u64));
    }
    tenant.fault(Fault::status(503).on("token").probability(0.1, 9));
    let retry = RetryPolicy {
        max_attempts: 10,
        base: Duration::from_millis(2),
        cap: Duration::from_millis(50),
        ..RetryPolicy::default()
    };
    let client = Client::builder(tenant.base_url())
        .credentials(tenant.client_id(), tenant.client_secret())
        .rate_limit(None)
        .retry(retry)
        .build()?;

    let started = Instant::now();
    let (begun, answered) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (client, begun, answered) = (client.clone(), Arc::clone(&begun), Arc::clone(&answered));
            tokio::spawn(async move {
                while begun.fetch_add(1, Ordering::Relaxed) < calls {
                    match client.get_role_mining_sessions().send().await {
                        Ok(_) => drop(answered.fetch_add(1, Ordering::Relaxed)),
                        Err(error) => println!("{error}"),
                    }
                }
            })
        })
        .collect();

    println!("{:>9} {:>9} {:>9} {:>9}", "answered", "requests", "seconds", "RSS KiB");
    let (mut requests, mut first) = (0, None);
    let mut rss = 0;
    let mut shown = 0;
    while shown < 10 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let done = answered.load(Ordering::Relaxed);
        let ended = workers.iter().all(|worker| worker.is_finished());
        if done < (shown + 1) * calls / 10 && !ended {
            continue;
        }
        shown = if ended { 10 } else { shown + 1 };
        // All tokens given out so far are worthless from now on.
        tenant.revoke_tokens();
        // The tenant's record would be what grows.
        requests += tenant.calls(CALL);
        tenant.clear_record();
        rss = resident();
        println!("{done:>9} {requests:>9} {:>9.1} {rss:>9}", started.elapsed().as_secs_f64());
        if shown == 2 {
            first = Some(rss);
        }
    }
    for worker in workers {
        worker.await?;
    }
    let answered = answered.load(Ordering::Relaxed);
    let grown = rss.saturating_sub(first.unwrap_or(rss));
    println!("{answered} of {calls} answered; {grown} KiB grown since a fifth of them");
    Ok(if answered == calls && grown < 8 * 1024 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The memory this process has, tenant and all, in KiB; 0 where the platform does not tell.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
