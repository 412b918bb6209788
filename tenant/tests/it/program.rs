use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_sailpoint-role-mining-tenant"))
}

#[tokio::test]
async fn the_program_prints_what_a_client_needs() {
    let mut running = Running(program().args(["--port", "0"]).stdout(Stdio::piped()).spawn().unwrap());
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    let value = |line: String, name: &str| line.strip_prefix(&format!("export {name}=")).unwrap().to_owned();
    let mut lines = lines.map(Result::unwrap).skip(1);
    let base = value(lines.next().unwrap(), "SAIL_BASE_URL");
    let id = value(lines.next().unwrap(), "SAIL_CLIENT_ID");
    let secret = value(lines.next().unwrap(), "SAIL_CLIENT_SECRET");
    let form = [("grant_type", "client_credentials"), ("client_id", &id), ("client_secret", &secret)];
    let answer = reqwest::Client::new().post(format!("{base}/oauth/token")).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 200);
}

#[test]
fn the_program_refuses_what_it_does_not_know_and_offers_help() {
    for (arguments, expected) in [
        (vec!["--prot", "1"], "--prot"),
        (vec!["--port", "many"], "many"),
        (vec!["--rate-limit", "often"], "100/10, or off"),
        (vec!["--client-id", "me"], "go together"),
    ] {
        let output = program().args(&arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(expected), "{arguments:?}: {text}");
    }
    let output = program().arg("--help").output().unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("--identities"));
}

#[test]
fn a_taken_port_is_named_in_the_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = program().args(["--port", &port]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && text.contains(&port) && text.contains("another port"), "{text}");
}
