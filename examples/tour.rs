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
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use sailpoint_role_mining::types::{
    RoleMiningPotentialRoleExportRequest, RoleMiningPotentialRoleExportState as ExportState,
    RoleMiningPotentialRoleSummary, RoleMiningRoleType, RoleMiningSessionDto, RoleMiningSessionScope,
    RoleMiningSessionState,
};
use sailpoint_role_mining::{Client, fields};
use sailpoint_role_mining_tenant::Tenant;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// How many roles are asked for at once. The service gives up to 250; with few, there are pages to see.
const PAGE: i64 = 10;
/// How many roles the table has.
const SHOWN: usize = 10;
/// How many of them are exported.
const EXPORTED: usize = 3;
/// How often to ask how far the service has come, and how long to go on with it.
const POLL: Duration = Duration::from_millis(500);
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

/// Asks for the session until its potential roles are there, and tells whenever it has changed.
async fn wait_for_session(client: &Client, id: &str, out: &mut dyn Write) -> Result<()> {
    let started = Instant::now();
    let mut told = String::new();
    loop {
        let session = client.get_role_mining_session().session_id(id).send().await?;
        let state = session.status.as_ref().and_then(|status| status.state.as_ref());
        let news = format!(
            "{}, {} identities, {} of {} potential roles",
            state.map_or("no state", RoleMiningSessionState::as_str),
            session.identity_count.unwrap_or(0),
            session.potential_roles_ready_count.unwrap_or(0),
            session.potential_role_count.unwrap_or(0),
        );
        if news != told {
            writeln!(out, "  {:>5.1} s  {news}", started.elapsed().as_secs_f32())?;
            told = news;
        }
        if state == Some(&RoleMiningSessionState::PotentialRolesCreated) {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            return Err(format!("the session {id} is not done yet: {told}").into());
        }
        sleep(POLL).await;
    }
}

/// The potential roles of a session that are worth a look, newest first, page by page.
async fn potential_roles(
    client: &Client,
    session: &str,
    out: &mut dyn Write,
) -> Result<Vec<RoleMiningPotentialRoleSummary>> {
    // Each operation has its own fields; with those of another one, this would not compile.
    use fields::get_potential_role_summaries::{CREATED_DATE, QUALITY, TYPE};
    let mut roles = Vec::new();
    loop {
        let page = client
            .get_potential_role_summaries()
            .session_id(session)
            .filters(TYPE.eq(RoleMiningRoleType::Specialized) & QUALITY.gt(0))
            .sorters(CREATED_DATE.desc())
            .offset(i64::try_from(roles.len())?)
            .limit(PAGE)
            .count(true)
            .send()
            .await?;
        let total = page.total_count();
        // A page that is shorter than asked for is not the end; an empty one is, and so is the total.
        if page.is_empty() {
            return Ok(roles);
        }
        roles.extend(page.into_inner());
        match total {
            Some(total) => writeln!(out, "  {} of {total}", roles.len())?,
            None => writeln!(out, "  {}", roles.len())?,
        }
        if total.is_some_and(|total| roles.len() as u64 >= total) {
            return Ok(roles);
        }
    }
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

/// Exports a role to a zip: starts a job, asks for it until it is done, and downloads what it made.
async fn export(client: &Client, session: &str, role: &str, path: &Path, out: &mut dyn Write) -> Result<()> {
    let started = Instant::now();
    let wanted = RoleMiningPotentialRoleExportRequest {
        min_entitlement_popularity: Some(10),
        include_common_access: Some(true),
        ..Default::default()
    };
    let start = client.export_role_mining_potential_role_async().session_id(session).potential_role_id(role);
    let job = start.body(wanted).send().await?.into_inner();
    let id = job.export_id.ok_or("the export came without an id")?;

    let (mut state, mut told) = (job.status, String::new());
    loop {
        let word = state.as_ref().map_or("no state", ExportState::as_str);
        if word != told {
            writeln!(out, "  {:>5.1} s  {word}", started.elapsed().as_secs_f32())?;
            told = word.to_owned();
        }
        match &state {
            Some(ExportState::Success) => break,
            Some(ExportState::Error) => return Err(format!("the export {id} failed").into()),
            // On its way, or in a state that is newer than this program.
            _ if started.elapsed() > PATIENCE => {
                return Err(format!("the export {id} is still {word}").into());
            }
            _ => sleep(POLL).await,
        }
        let ask = client.export_role_mining_potential_role_status();
        let job = ask.session_id(session).potential_role_id(role).export_id(&id).send().await?;
        state = job.into_inner().status;
    }

    // The zip may be of any size, and is never held in memory as a whole.
    let download = client.download_role_mining_potential_role_zip();
    let answer = download.session_id(session).potential_role_id(role).export_id(&id).send().await?;
    let mut bytes = answer.into_inner();
    let mut file = tokio::fs::File::create(path).await?;
    let mut size = 0;
    while let Some(chunk) = bytes.chunk().await? {
        file.write_all(&chunk).await?;
        size += chunk.len();
    }
    file.flush().await?;
    writeln!(out, "  {:>5.1} s  {size} bytes in {}", started.elapsed().as_secs_f32(), path.display())?;
    Ok(())
}

/// Lists what is in a zip: each file with its number of records and its first lines.
fn show_zip(path: &Path, out: &mut dyn Write) -> Result<()> {
    let mut zip = zip::ZipArchive::new(File::open(path)?)?;
    for number in 0..zip.len() {
        let file = zip.by_index(number)?;
        let (name, size) = (file.name()?.into_owned(), file.size());
        if !name.ends_with(".csv") {
            writeln!(out, "    {name}: {size} bytes")?;
            continue;
        }
        // The first line has the names of the columns.
        let (mut lines, mut first) = (0_u64, Vec::new());
        for line in BufReader::new(file).lines() {
            let line = line?;
            lines += 1;
            if first.len() < 3 {
                first.push(line);
            }
        }
        writeln!(out, "    {name}: {} records", lines.saturating_sub(1))?;
        for line in first {
            writeln!(out, "      {line:.100}")?;
        }
    }
    Ok(())
}
