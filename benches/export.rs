//! What exports cost: the speed and memory of a download, and the delay and number of polls of a wait.
//!
//! `cargo bench --bench export` writes `docs/polls.svg` and prints the figures. The download is measured
//! against `curl` on the same server, which runs in a process of its own.

use std::error::Error;
use std::fmt::Write as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sailpoint_role_mining::{Client, FinishedExport, Poller, Verdict};
use sailpoint_role_mining_tenant::Tenant;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

fn main() -> Result<()> {
    // A part of the work is done by this program as a child, so that its memory is its own.
    match std::env::args().nth(1).as_deref() {
        Some("serve") => serve(),
        Some("download") => download(),
        Some("simulate") => simulate(),
        _ => {
            simulate()?;
            compare()
        }
    }
}

/// A tenant whose exports have as many bytes as the next argument says.
fn serve() -> Result<()> {
    let bytes = std::env::args().nth(2).ok_or("how many bytes?")?.parse()?;
    tokio::runtime::Runtime::new()?.block_on(async {
        let tenant = Tenant::builder().identities(300).export_bytes(bytes).step(Duration::from_millis(10));
        let tenant = tenant.ranges(true).rate_limit(None).client("id", "secret", &SCOPES).start().await?;
        println!("{}", tenant.base_url());
        std::future::pending().await
    })
}

const SCOPES: [&str; 2] = ["iai:access-modeling:read", "iai:access-modeling:manage"];

/// Makes an export, and gives it with the address of its zip.
async fn export(url: &str) -> Result<(FinishedExport, String)> {
    let client = Client::builder(url).credentials("id", "secret").build()?;
    let sessions = client.get_role_mining_sessions().send().await?;
    let session = sessions[0].id.clone().ok_or("a session without an id")?;
    let roles = client.get_potential_role_summaries().session_id(&session).send().await?;
    let role = roles[0].id.clone().ok_or("a role without an id")?;
    let export = client.export(&session, &role).start().await?.finish().await?;
    let id = export.token().export_id();
    let address = format!(
        "{}/role-mining-sessions/{session}/potential-roles/{role}/export-async/{id}/download",
        client.base_url()
    );
    Ok((export, address))
}

/// Downloads to the path in the last argument, and prints the time in seconds and the peak of memory in kB.
fn download() -> Result<()> {
    let mut arguments = std::env::args().skip(2);
    let (url, to) = (arguments.next().ok_or("where from?")?, arguments.next().ok_or("where to?")?);
    tokio::runtime::Runtime::new()?.block_on(async {
        let (export, _) = export(&url).await?;
        // The server counts the bytes once, before it is asked for them for good.
        drop(export.download().stream().await?);
        let begun = Instant::now();
        if to == "-" {
            let mut stream = export.download().stream().await?;
            while stream.chunk().await?.is_some() {}
        } else {
            export.download().to_path(&to).await?;
        }
        println!("{} {}", begun.elapsed().as_secs_f64(), peak()?);
        Ok(())
    })
}

/// The most memory this process had, in kB.
fn peak() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).ok_or("no peak of memory")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse()?)
}

struct Server(Child, String);

impl Server {
    fn start(bytes: u64) -> Result<Server> {
        use std::io::BufRead as _;
        let mut child = Command::new(std::env::current_exe()?)
            .args(["serve", &bytes.to_string()])
            .stdout(Stdio::piped())
            .spawn()?;
        let mut url = String::new();
        let output = child.stdout.take().ok_or("no output")?;
        std::io::BufReader::new(output).read_line(&mut url)?;
        Ok(Server(child, url.trim().to_owned()))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn compare() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("role.zip");
    let ours = |server: &Server, to: &std::ffi::OsStr| -> Result<(f64, u64)> {
        let mut child = Command::new(std::env::current_exe()?);
        let output = child.args(["download", &server.1]).arg(to).stderr(Stdio::inherit()).output()?;
        let text = String::from_utf8(output.stdout)?;
        let (seconds, kilobytes) = text.trim().split_once(' ').ok_or("the download failed")?;
        Ok((seconds.parse()?, kilobytes.parse()?))
    };
    let (small, large) = (Server::start(MIB)?, Server::start(GIB)?);
    let (_, least) = ours(&small, path.as_os_str())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let (_, address) = runtime.block_on(export(&large.1))?;
    let token = runtime.block_on(token(&large.1))?;
    // The time of the transfer, and the time until it is on the disk.
    let curl = || -> Result<(f64, f64)> {
        let (header, file) = (format!("Authorization: Bearer {token}"), folder.path().join("curl.zip"));
        // Cutting a file to nothing that is on the disk would cost curl time.
        drop(std::fs::remove_file(&file));
        let mut curl = Command::new("curl");
        curl.args(["-sSf", "-H", &header, "-w", "%{time_total}", "-o"]).arg(&file).arg(&address);
        let seconds: f64 = String::from_utf8(curl.output()?.stdout)?.trim().parse()?;
        let begun = Instant::now();
        std::fs::File::open(&file)?.sync_all()?;
        Ok((seconds, seconds + begun.elapsed().as_secs_f64()))
    };
    curl()?;
    println!("download of 1 GiB, best of 5 each, in turn:");
    let (mut theirs, mut on_disk) = (f64::MAX, f64::MAX);
    let (mut to_path, mut streamed, mut most) = (f64::MAX, f64::MAX, 0);
    for _ in 0..5 {
        let (seconds, synced) = curl()?;
        (theirs, on_disk) = (theirs.min(seconds), on_disk.min(synced));
        drop(std::fs::remove_file(&path));
        let (seconds, kilobytes) = ours(&large, path.as_os_str())?;
        (to_path, most) = (to_path.min(seconds), most.max(kilobytes));
        streamed = streamed.min(ours(&large, "-".as_ref())?.0);
    }
    let speed = |seconds: f64| GIB as f64 / seconds / MIB as f64;
    println!("  curl to a file              {:6.0} MiB/s", speed(theirs));
    println!("  curl to a file, then fsync  {:6.0} MiB/s", speed(on_disk));
    println!("  to_path, with fsync, checked {:5.0} MiB/s, {:.2} of curl", speed(to_path), theirs / to_path);
    println!("  stream                      {:6.0} MiB/s, {:.2} of curl", speed(streamed), theirs / streamed);
    println!(
        "  peak memory {:.1} MiB; {:.1} MiB for 1 MiB; {:.1} MiB more",
        most as f64 / 1024.0,
        least as f64 / 1024.0,
        (most as f64 - least as f64) / 1024.0
    );
    Ok(())
}

async fn token(url: &str) -> Result<String> {
    let form = [("grant_type", "client_credentials"), ("client_id", "id"), ("client_secret", "secret")];
    let form: Vec<String> = form.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let output =
        Command::new("curl").args(["-sSf", "-d", &form.join("&"), &format!("{url}/oauth/token")]).output()?;
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(answer["access_token"].as_str().ok_or("no token")?.to_owned())
}

/// What came of waiting for jobs of one length.
struct Waits {
    length: f64,
    lags: Vec<f64>,
    polls: Vec<u32>,
}

impl Waits {
    fn median_lag(&self) -> f64 {
        self.lags[self.lags.len() / 2]
    }

    fn median_polls(&self) -> u32 {
        self.polls[self.polls.len() / 2]
    }

    fn most_polls(&self) -> u32 {
        self.polls.iter().copied().max().unwrap_or(0)
    }
}

/// Waits for jobs of many lengths on simulated time, by the very engine that waits for exports.
fn simulate() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build()?;
    let mut all = Vec::new();
    for step in 0..=40 {
        let length = 600f64.powf(f64::from(step) / 40.0);
        let (mut lags, mut polls) = (Vec::new(), Vec::new());
        for _ in 0..501 {
            let request = Duration::from_millis(50);
            let (lag, asked) = runtime.block_on(wait(Duration::from_secs_f64(length), request))?;
            lags.push(lag.as_secs_f64() / length);
            polls.push(asked);
        }
        lags.sort_by(f64::total_cmp);
        polls.sort_unstable();
        all.push(Waits { length, lags, polls });
    }
    println!("waits on simulated time, 501 for each length, 50 ms a request:");
    println!("  length    median delay    polls (most)");
    for waits in all.iter().step_by(4) {
        let lag = waits.median_lag() * 100.0;
        println!(
            "  {:6.1} s  {lag:5.1} %         {} ({})",
            waits.length,
            waits.median_polls(),
            waits.most_polls()
        );
    }
    let mut every: Vec<f64> = all.iter().flat_map(|waits| waits.lags.iter().copied()).collect();
    every.sort_by(f64::total_cmp);
    let worst = all.iter().map(Waits::median_lag).fold(0.0, f64::max);
    println!(
        "  of all lengths: median delay {:.1} %, the largest median of one length {:.1} %",
        every[every.len() / 2] * 100.0,
        worst * 100.0
    );
    std::fs::write("docs/polls.svg", plot(&all)?)?;
    Ok(())
}

/// Waits for one job; gives the time between its end and its discovery, and how often it was asked after.
async fn wait(length: Duration, request: Duration) -> Result<(Duration, u32)> {
    let begun = tokio::time::Instant::now();
    let ask = move || async move {
        tokio::time::sleep(request / 2).await;
        let done = begun.elapsed() >= length;
        tokio::time::sleep(request / 2).await;
        Ok((done, reqwest::header::HeaderMap::new()))
    };
    let judge = |done: &bool| if *done { Verdict::Done } else { Verdict::Pending };
    // The answer to the start of an export has its first status.
    let mut poller = Poller::new(ask, judge).knowing(Some(false));
    while let Some(polled) = poller.next().await {
        polled.map_err(|error| format!("{error}"))?;
    }
    Ok((begun.elapsed() - length, poller.polls()))
}

/// Delay (left scale) and polls (right scale) over the length of the job, which is on a scale of logarithms.
fn plot(all: &[Waits]) -> Result<String> {
    let x = |length: f64| 60.0 + length.ln() / 600f64.ln() * 600.0;
    let (lag_y, polls_y) =
        (|lag: f64| 320.0 - lag / 0.4 * 280.0, |polls: u32| 320.0 - f64::from(polls) / 40.0 * 280.0);
    let mut svg = String::from(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 380\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"720\" height=\"380\" fill=\"#fff\"/>\n\
         <text x=\"360\" y=\"22\" text-anchor=\"middle\" font-size=\"14\">Delay of discovery and number of polls, by \
         length of the export</text>\n",
    );
    for tenth in 0..=4u32 {
        let y = 320.0 - f64::from(tenth) * 70.0;
        writeln!(svg, "<line x1=\"60\" x2=\"660\" y1=\"{y}\" y2=\"{y}\" stroke=\"#ddd\"/>")?;
        writeln!(
            svg,
            "<text x=\"54\" y=\"{}\" text-anchor=\"end\" fill=\"#0057b7\">{} %</text>",
            y + 4.0,
            tenth * 10
        )?;
        writeln!(svg, "<text x=\"666\" y=\"{}\" fill=\"#b7410e\">{}</text>", y + 4.0, tenth * 10)?;
    }
    for (length, name) in [
        (1.0, "1 s"),
        (3.0, "3 s"),
        (10.0, "10 s"),
        (30.0, "30 s"),
        (60.0, "1 min"),
        (180.0, "3 min"),
        (600.0, "10 min"),
    ] {
        writeln!(svg, "<text x=\"{:.1}\" y=\"338\" text-anchor=\"middle\">{name}</text>", x(length))?;
    }
    let band: Vec<String> = all
        .iter()
        .map(|waits| (waits, waits.lags[waits.lags.len() / 10]))
        .chain(all.iter().rev().map(|waits| (waits, waits.lags[waits.lags.len() * 9 / 10])))
        .map(|(waits, lag)| format!("{:.1},{:.1}", x(waits.length), lag_y(lag)))
        .collect();
    writeln!(svg, "<polygon points=\"{}\" fill=\"#0057b7\" opacity=\"0.15\"/>", band.join(" "))?;
    let line = |points: Vec<(f64, f64)>| {
        points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
    };
    let lags = line(all.iter().map(|waits| (x(waits.length), lag_y(waits.median_lag()))).collect());
    let polls = line(all.iter().map(|waits| (x(waits.length), polls_y(waits.median_polls()))).collect());
    writeln!(svg, "<polyline points=\"{lags}\" fill=\"none\" stroke=\"#0057b7\" stroke-width=\"2\"/>")?;
    writeln!(svg, "<polyline points=\"{polls}\" fill=\"none\" stroke=\"#b7410e\" stroke-width=\"2\"/>")?;
    let limit = lag_y(0.15);
    writeln!(
        svg,
        "<line x1=\"60\" x2=\"660\" y1=\"{limit}\" y2=\"{limit}\" stroke=\"#0057b7\" stroke-dasharray=\"4 4\"/>"
    )?;
    writeln!(
        svg,
        "<text x=\"60\" y=\"362\" fill=\"#0057b7\">delay as a share of the length: median, and from the 10th to the \
         90th percentile (dashed: 15 %)</text>\n<text x=\"660\" y=\"362\" text-anchor=\"end\" fill=\"#b7410e\">polls, \
         median</text>\n</svg>"
    )?;
    Ok(svg)
}
