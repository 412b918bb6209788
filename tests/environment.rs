//! Where credentials are found, and which addresses are taken.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail by panicking")]

use std::path::Path;

use sailpoint_role_mining::{Client, ClientBuilder, Environment, Error};

const URL: &str = "https://acme.api.identitynow.com";
const SECRET: &str = "s3cr3t-of-acme";

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn variables() -> Environment {
    Environment::empty()
        .variable("SAIL_BASE_URL", URL)
        .variable("SAIL_CLIENT_ID", "id")
        .variable("SAIL_CLIENT_SECRET", SECRET)
}

fn client(environment: &Environment) -> Result<Client, Error> {
    ClientBuilder::from_environment(environment)?.build()
}

/// The error of a configuration, which holds no secret.
fn refusal(result: Result<Client, Error>) -> String {
    let error = result.unwrap_err();
    assert!(error.is_configuration() && error.operation().is_none());
    let text = error.to_string();
    assert!(!format!("{text} {error:?}").contains(SECRET), "{text}");
    text
}

#[test]
fn places_are_looked_at_in_order_and_the_winner_is_named() {
    let (folder, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let json = format!(
        r#"{{"BaseURL": "https://json.api.identitynow.com", "ClientId": "i", "ClientSecret": "{SECRET}"}}"#
    );
    write(&folder.path().join("config.json"), &json);
    let yaml = format!(
        "activeenvironment: prod\nauthtype: pat\nlist: [a, {{b: c}}]\nenvironments:\n    test:\n        baseurl: https://wrong.example\n    \
         Prod:\n        baseURL: 'https://yaml.api.identitynow.com'\n        pat:\n            clientID: \"i\"\n            clientsecret: {SECRET} # of old\n"
    );
    write(&home.path().join(".sailpoint/config.yaml"), &yaml);

    let all = variables().folder(folder.path()).home(home.path());
    let none = Environment::empty().folder(folder.path().join("none"));
    let cases = [
        (all, "acme", "environment variables"),
        (Environment::empty().folder(folder.path()).home(home.path()), "json", "config.json"),
        (none.clone().home(home.path()), "yaml", "config.yaml (environment prod)"),
    ];
    for (environment, tenant, place) in cases {
        let client = client(&environment).unwrap();
        assert_eq!(client.base_url(), format!("https://{tenant}.api.identitynow.com/beta"));
        let debug = format!("{client:?} {environment:?}");
        assert!(debug.contains(place) && !debug.contains(SECRET), "{debug}");
    }
    let text = refusal(client(&none.home("/nowhere")));
    for place in ["SAIL_BASE_URL", "config.json", ".sailpoint/config.yaml"] {
        assert!(text.contains(place), "{text}");
    }
    let given = Client::builder(URL).credentials("id", SECRET).build().unwrap();
    assert!(format!("{given:?}").contains("given: client id and secret"));
}

#[test]
fn keys_of_the_environment_may_stand_without_a_pat() {
    let home = tempfile::tempdir().unwrap();
    let yaml = format!(
        "activeenvironment: a.b\nenvironments: {{a.b: {{baseurl: '{URL}', clientid: i, clientsecret: {SECRET}}}}}\n"
    );
    write(&home.path().join(".sailpoint/config.yaml"), &yaml);
    client(&Environment::empty().home(home.path())).unwrap();
}

#[test]
fn what_is_missing_is_named() {
    let without = Environment::empty().variable("SAIL_CLIENT_ID", "id").variable("SAIL_BASE_URL", URL);
    assert!(refusal(client(&without)).contains("`SAIL_CLIENT_SECRET`"));
    assert!(refusal(client(&variables().variable("SAIL_CLIENT_ID", " "))).contains("`SAIL_CLIENT_ID`"));

    let folder = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        write(&folder.path().join("config.json"), text);
        refusal(client(&Environment::empty().folder(folder.path())))
    };
    for (text, told) in [
        (format!(r#"{{"BaseURL": "{URL}", "ClientSecret": "{SECRET}"}}"#), "`ClientId`"),
        (format!(r#"{{"BaseURL": null, "ClientId": "i", "ClientSecret": "{SECRET}"}}"#), "`BaseURL`"),
        (format!(r#"{{"ClientSecret": "{SECRET}""#), "no JSON object (line 1"),
        (format!(r#"{{"ClientSecret": ["{SECRET}"]}}"#), "no JSON object"),
        (format!(r#""{SECRET}""#), "no JSON object"),
        (String::new(), "no JSON object"),
    ] {
        let told_so = file(&text);
        assert!(told_so.contains(told) && told_so.contains("config.json"), "{text}: {told_so}");
    }

    let home = tempfile::tempdir().unwrap();
    let file = |text: &str| {
        write(&home.path().join(".sailpoint/config.yaml"), text);
        refusal(client(&Environment::empty().home(home.path())))
    };
    for (text, told) in [
        ("", "`activeenvironment`"),
        ("activeenvironment: a\nenvironments:\n  a:\n    baseurl: x\n", "`environments.a.pat.clientid`"),
        ("activeenvironment: a\nenvironments:\n  b:\n    baseurl: x\n", "`environments.a.baseurl`"),
        ("activeenvironment: a\nenvironments: [1, {a: b}]\n", "`environments.a.baseurl`"),
        ("activeenvironment: s3cr3t-of-acme: s3cr3t-of-acme: [\n", "no YAML (line"),
    ] {
        let told_so = file(text);
        assert!(told_so.contains(told) && told_so.contains("config.yaml"), "{text}: {told_so}");
    }
}

#[test]
fn addresses_are_taken_or_refused_with_a_reason() {
    let build = |url: &str| Client::builder(url).credentials("id", SECRET).build();
    for (url, base) in [
        (URL, "https://acme.api.identitynow.com/beta"),
        ("https://acme.api.identitynow.com/", "https://acme.api.identitynow.com/beta"),
        ("https://acme.api.identitynow.com/v2024/", "https://acme.api.identitynow.com/v2024"),
        ("https://acme.api.identitynow-demo.com", "https://acme.api.identitynow-demo.com/beta"),
        ("https://acme.api.saas.sailpointfedramp.com", "https://acme.api.saas.sailpointfedramp.com/beta"),
        ("https://identity.acme.com/api/sailpoint", "https://identity.acme.com/api/sailpoint"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/beta"),
        ("http://[::1]:8080", "http://[::1]:8080/beta"),
        ("http://localhost", "http://localhost/beta"),
    ] {
        assert_eq!(build(url).unwrap().base_url(), base);
    }
    for (url, told) in [
        ("https://acme.identitynow.com", "`https://acme.api.identitynow.com`"),
        ("https://acme.identitynow.com/ui/admin", "`https://acme.api.identitynow.com`"),
        ("https://acme.identitynow-demo.com", "`https://acme.api.identitynow-demo.com`"),
        ("http://acme.api.identitynow.com", "allow_http"),
        ("http://127.0.0.1.example.com", "allow_http"),
        ("https://user:s3cr3t-of-acme@acme.api.identitynow.com", "user name"),
        ("acme.api.identitynow.com", "no address"),
        ("ftp://acme.api.identitynow.com", "no http or https"),
        ("https://acme.api.identitynow.com?a=b", "query"),
        ("", "no address"),
    ] {
        let text = refusal(build(url));
        assert!(text.contains(told), "{url}: {text}");
    }
    Client::builder("http://acme.test").allow_http().build().unwrap();
    assert!(refusal(Client::builder(URL).token_url("http://acme.test/token").build()).contains("allow_http"));
    assert!(refusal(Client::builder(URL).credentials("id", "").build()).contains("empty"));
    assert!(refusal(Client::builder(URL).bearer("two\nlines").build()).contains("bearer token"));
}
