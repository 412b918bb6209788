//! Runs a tenant until it is stopped, and says how to reach it.

use std::process::ExitCode;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};
use sailpoint_role_mining_tenant::{Builder, PastEnd, RetryAfter, Tenant};

const HELP: &str = "\
An in-memory tenant that speaks the Role Mining API on 127.0.0.1.

Usage: sailpoint-role-mining-tenant [options]

  --port N                  the port; 0 takes a free one (default 8080)
  --seed N                  what everything made up follows from (default 1)
  --identities N            how many identities there are (default 1000; a million is fine)
  --sessions N              how many mined sessions there are from the start (default 3)
  --step MS                 how long a session, export or provision request stays in a state (default 500)
  --client-id ID            the client that may ask for tokens (default: made up from the seed)
  --client-secret SECRET    its secret
  --expires-in SECONDS      how long a token is good for (default 749)
  --rate-limit N/SECONDS    how many requests within how long, or off (default 100/10)
  --retry-after-date        write Retry-After as a date
  --experimental LIST       the editions that demand X-SailPoint-Experimental (default v2024,v2025,v2026)
  --page-cap N              give no more than N records a page
  --past-end-400            answer 400 to an offset at or past the end
  --export-bytes N          pad every export by N bytes
  --redirect-downloads      redirect downloads to a second port
  --ranges                  honour Range on downloads
  --help                    show this
";

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

async fn run() -> Result<(), Box<dyn std::error::Error>> {
    let Some(builder) = builder(Parser::from_env())? else {
        print!("{HELP}");
        return Ok(());
    };
    let tenant = builder.start().await?;
    println!(
        "# A tenant listens on {} until it is stopped. Paste this where a client runs:",
        tenant.base_url()
    );
    println!("export SAIL_BASE_URL={}", tenant.base_url());
    println!("export SAIL_CLIENT_ID={}", tenant.client_id());
    println!("export SAIL_CLIENT_SECRET={}", tenant.client_secret());
    std::future::pending().await
}

/// The settings that the arguments ask for; none if they ask for help.
fn builder(mut arguments: Parser) -> Result<Option<Builder>, lexopt::Error> {
    let mut builder = Tenant::builder().port(8080);
    let (mut id, mut secret) = (None, None);
    while let Some(argument) = arguments.next()? {
        let Arg::Long(name) = argument else {
            return match argument {
                Arg::Short('h') => Ok(None),
                other => Err(other.unexpected()),
            };
        };
        let name = name.to_owned();
        builder = match name.as_str() {
            "help" => return Ok(None),
            "port" => builder.port(arguments.value()?.parse()?),
            "seed" => builder.seed(arguments.value()?.parse()?),
            "identities" => builder.identities(arguments.value()?.parse()?),
            "sessions" => builder.sessions(arguments.value()?.parse()?),
            "step" => builder.step(Duration::from_millis(arguments.value()?.parse()?)),
            "expires-in" => builder.expires_in(Duration::from_secs(arguments.value()?.parse()?)),
            "rate-limit" => builder.rate_limit(rate_limit(&arguments.value()?.string()?)?),
            "retry-after-date" => builder.retry_after(RetryAfter::Date),
            "experimental" => {
                let list = arguments.value()?.string()?;
                builder.experimental_editions(
                    &list.split(',').filter(|name| !name.is_empty()).collect::<Vec<_>>(),
                )
            }
            "page-cap" => builder.page_cap(arguments.value()?.parse()?),
            "past-end-400" => builder.past_end(PastEnd::BadRequest),
            "export-bytes" => builder.export_bytes(arguments.value()?.parse()?),
            "redirect-downloads" => builder.redirect_downloads(true),
            "ranges" => builder.ranges(true),
            "client-id" => {
                id = Some(arguments.value()?.string()?);
                builder
            }
            "client-secret" => {
                secret = Some(arguments.value()?.string()?);
                builder
            }
            _ => return Err(Arg::Long(&name).unexpected()),
        };
    }
    match (id, secret) {
        (None, None) => Ok(Some(builder)),
        (Some(id), Some(secret)) => {
            let scopes = ["iai:access-modeling:read", "iai:access-modeling:manage"];
            Ok(Some(builder.client(&id, &secret, &scopes)))
        }
        _ => Err("--client-id and --client-secret go together".into()),
    }
}

fn rate_limit(text: &str) -> Result<Option<(usize, Duration)>, lexopt::Error> {
    if text == "off" {
        return Ok(None);
    }
    let (count, seconds) = text.split_once('/').unwrap_or((text, "10"));
    match (count.parse(), seconds.parse()) {
        (Ok(count), Ok(seconds)) => Ok(Some((count, Duration::from_secs(seconds)))),
        _ => Err(format!(
            "--rate-limit takes a number of requests per seconds such as 100/10, or off; not {text:?}"
        )
        .into()),
    }
}
