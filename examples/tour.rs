//! A tour of role mining: a session is created and waited for, its potential roles are listed, and
//! the best of them are exported.
//!
//! ```sh
//! cargo run --example tour                                    # in a tenant made up for the purpose
//! SAIL_BASE_URL=.. SAIL_CLIENT_ID=.. SAIL_CLIENT_SECRET=.. \
//!     cargo run --example tour -- 'source.name:Workday'       # in a real one, and fewer identities
//! ```
//!
//! The argument says which identities are mined, as a query of the service's search; by default all
//! are. The tour changes nothing in a tenant but for a session that is not saved, and its exports.

use std::cmp::Reverse;
use std::error::Error;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sailpoint_role_mining::types::{
    RoleMiningPotentialRoleSummary, RoleMiningRoleType, RoleMiningSessionDto, RoleMiningSessionScope,
};
use sailpoint_role_mining::{Archive, Client, Member, fields};
use sailpoint_role_mining_tenant::Tenant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How many roles are asked for at once. The service gives up to 250; with few, there are pages to see.
const PAGE: u32 = 10;
/// How many roles the table has.
const SHOWN: usize = 10;
/// How many of them are exported.
const EXPORTED: usize = 3;
/// How long to wait for anything.
const PATIENCE: Duration = Duration::from_secs(30 * 60);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    let criteria = std::env::args().nth(1).unwrap_or("*".into());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tour");
    if std::env::var_os("SAIL_BASE_URL").is_some() {
        return tour(&Client::from_env()?, &criteria, &folder, &mut io::stdout()).await;
    }
    println!("SAIL_BASE_URL is not set: this is a tour of a made-up tenant with 2000 identities.");
    // It stops when it is dropped.
    let tenant = Tenant::builder().identities(2000).step(Duration::from_millis(700)).start().await?;
    let client =
        Client::builder(tenant.base_url()).credentials(tenant.client_id(), tenant.client_secret()).build()?;
    tour(&client, &criteria, &folder, &mut io::stdout()).await
}

/// The whole tour; `out` gets what a person sees, `folder` the zips.
pub(crate) async fn tour(client: &Client, criteria: &str, folder: &Path, out: &mut dyn Write) -> Result<()> {
    writeln!(out, "\nA session that mines {criteria} at {}", client.base_url())?;
    let session = create_session(client, criteria).await?;
    wait_for_session(client, &session, out).await?;

    writeln!(out, "\nIts potential roles, {PAGE} a page")?;
    let mut roles = potential_roles(client, &session, out).await?;
    if roles.is_empty() {
        writeln!(out, "  There are none: too few identities in it have access in common.")?;
        return Ok(());
    }
    roles.sort_by_key(|role| Reverse((role.quality, role.identity_count)));
    show_best(&roles, out)?;

    std::fs::create_dir_all(folder)?;
    for (number, role) in (1..).zip(roles.iter().take(EXPORTED)) {
        let id = role.id.as_deref().ok_or("a potential role came without an id")?;
        writeln!(out, "\nExport of {}", role.name.as_deref().unwrap_or(id))?;
        let path = folder.join(format!("role-{number}.zip"));
        export(client, &session, id, &path, out).await?;
        show_zip(&path, out)?;
    }
    Ok(())
}

/// Creates a session and gives its id.
async fn create_session(client: &Client, criteria: &str) -> Result<String> {
    let scope = RoleMiningSessionScope { criteria: criteria.into(), ..Default::default() };
    let settings = RoleMiningSessionDto {
        name: "Tour".into(),
        scope: Some(scope),
        type_: Some(RoleMiningRoleType::Specialized),
        min_num_identities_in_potential_role: 10.into(),
        saved: Some(false),
        ..Default::default()
    };
    let session = client.create_role_mining_sessions().body(settings).send().await?;
    // A `ResponseValue` has the answer's status and headers beside its value, which this takes out.
    session.into_inner().id.ok_or("the new session came without an id".into())
}

/// Waits until the session's potential roles are there, and tells whenever it has changed.
async fn wait_for_session(client: &Client, id: &str, out: &mut dyn Write) -> Result<()> {
    let started = Instant::now();
    let mut told = None;
    let mut progress = client.wait_for_session(id).timeout(PATIENCE).watch().await?;
    while let Some(polled) = progress.next().await {
        // Trouble that may pass is told as well, and does not end the wait.
        let news = polled?.status();
        if let Some(news) = news.filter(|news| told.as_ref() != Some(news)) {
            writeln!(out, "  {:>5.1} s  {news}", started.elapsed().as_secs_f32())?;
            told = Some(news);
        }
    }
    Ok(())
}

/// The potential roles of a session that are worth a look, newest first, page by page.
async fn potential_roles(
    client: &Client,
    session: &str,
    out: &mut dyn Write,
) -> Result<Vec<RoleMiningPotentialRoleSummary>> {
    // Each operation has its own fields; with those of another one, this would not compile.
    use fields::get_potential_role_summaries::{CREATED_DATE, QUALITY, TYPE};
    let list = client
        .get_potential_role_summaries()
        .session_id(session)
        .filters(TYPE.eq(RoleMiningRoleType::Specialized) & QUALITY.gt(0))
        .sorters(CREATED_DATE.desc());
    let mut pages = list.paginate().page_size(PAGE).with_total().pages();
    let mut roles = Vec::new();
    while let Some(page) = pages.try_next().await? {
        roles.extend(page);
        match pages.total() {
            Some(total) => writeln!(out, "  {} of {total}", roles.len())?,
            None => writeln!(out, "  {}", roles.len())?,
        }
    }
    Ok(roles)
}

fn show_best(roles: &[RoleMiningPotentialRoleSummary], out: &mut dyn Write) -> Result<()> {
    writeln!(out, "\nThe best of them")?;
    writeln!(
        out,
        "  {:<44} {:>10} {:>12} {:>7} {:>9} {:>7}",
        "name", "identities", "entitlements", "density", "freshness", "quality"
    )?;
    // What the service leaves out is shown as a dash.
    let number = |number: Option<i64>| number.map_or("-".to_owned(), |number| number.to_string());
    for role in roles.iter().take(SHOWN) {
        writeln!(
            out,
            "  {:<44.44} {:>10} {:>12} {:>7} {:>9} {:>7}",
            role.name.as_deref().unwrap_or("-"),
            number(role.identity_count),
            number(role.entitlement_count),
            number(role.density),
            number(role.freshness),
            number(role.quality),
        )?;
    }
    Ok(())
}

/// Exports a role to a zip: starts a job, waits until it is done, and downloads what it made.
async fn export(client: &Client, session: &str, role: &str, path: &Path, out: &mut dyn Write) -> Result<()> {
    let started = Instant::now();
    let job = client.export(session, role).min_entitlement_popularity(10).start().await?;
    let (mut told, mut states) = (None, job.watch().timeout(PATIENCE));
    while let Some(polled) = states.next().await {
        let news = polled?.status();
        if let Some(news) = news.filter(|news| told.as_ref() != Some(news)) {
            writeln!(out, "  {:>5.1} s  {news}", started.elapsed().as_secs_f32())?;
            told = Some(news);
        }
    }
    // The zip may be of any size, and is never held in memory as a whole. It is checked, and has its name once
    // it is whole.
    let receipt = job.finish().await?.download().to_path(path).await?;
    let seconds = started.elapsed().as_secs_f32();
    writeln!(out, "  {seconds:>5.1} s  {} bytes in {}", receipt.bytes, path.display())?;
    Ok(())
}

/// Lists what is in a zip: each table with its number of records and the first of them.
fn show_zip(path: &Path, out: &mut dyn Write) -> Result<()> {
    let mut archive = Archive::open(path)?;
    let members: Vec<Member> = archive.members().collect();
    for Member { name, bytes, .. } in members {
        if !name.ends_with(".csv") {
            writeln!(out, "    {name}: {bytes} bytes")?;
            continue;
        }
        // A struct of your own is read by the names of the columns; this shows whatever there is.
        let rows: Vec<Vec<String>> = archive.records(&name)?.collect::<std::result::Result<_, _>>()?;
        writeln!(out, "    {name}: {} records", rows.len())?;
        for row in rows.iter().take(2) {
            writeln!(out, "      {:.100}", row.join(", "))?;
        }
    }
    Ok(())
}
