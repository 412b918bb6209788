//! Where credentials are kept, as the vendor's tools keep them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::Error;
use super::secret::Secret;
use super::wire::Key;
use super::yaml;

/// The surroundings that credentials are looked for in: variables, a folder, and a home folder.
///
/// [`of_process`](Self::of_process) has those of this process; [`empty`](Self::empty) has none, and takes what
/// it is given:
///
/// ```
/// use sailpoint_role_mining::{ClientBuilder, Environment};
///
/// let environment = Environment::empty()
///     .variable("SAIL_BASE_URL", "https://acme.api.identitynow.com")
///     .variable("SAIL_CLIENT_ID", "the client id");
/// let error = ClientBuilder::from_environment(&environment).unwrap_err();
/// assert!(error.to_string().contains("SAIL_CLIENT_SECRET"));
/// ```
#[derive(Clone)]
pub struct Environment {
    variables: BTreeMap<String, Secret>,
    folder: Option<PathBuf>,
    home: Option<PathBuf>,
}

/// An address and credentials, all from one place.
pub(crate) struct Found {
    pub(crate) base_url: String,
    pub(crate) client_id: String,
    pub(crate) client_secret: Secret,
    pub(crate) place: String,
}

const VARIABLES: [&str; 3] = ["SAIL_BASE_URL", "SAIL_CLIENT_ID", "SAIL_CLIENT_SECRET"];

impl Environment {
    /// The variables of this process, the folder it is in, and its user's home folder.
    pub fn of_process() -> Environment {
        let read = |name: &str| std::env::var(name).ok().map(|value| (name.to_owned(), Secret::from(value)));
        Environment {
            variables: VARIABLES.into_iter().filter_map(read).collect(),
            folder: std::env::current_dir().ok(),
            home: std::env::home_dir(),
        }
    }

    /// No variables and no folders.
    pub fn empty() -> Environment {
        Environment { variables: BTreeMap::new(), folder: None, home: None }
    }

    /// Sets a variable.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<Secret>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// Sets the folder that may hold `config.json`.
    pub fn folder(self, folder: impl Into<PathBuf>) -> Self {
        Environment { folder: Some(folder.into()), ..self }
    }

    /// Sets the folder that may hold `.sailpoint/config.yaml`.
    pub fn home(self, home: impl Into<PathBuf>) -> Self {
        Environment { home: Some(home.into()), ..self }
    }

    /// The address and the credentials of the first place that has any. They are never put together from
    /// several, as the secret of one tenant would then be sent to another.
    pub(crate) fn find(&self) -> Result<Found, Error> {
        let [url, id, secret] =
            VARIABLES.map(|name| self.variables.get(name).filter(|value| !value.is_empty()));
        if url.or(id).or(secret).is_some() {
            let place = "the environment variables";
            let get = |value: Option<&Secret>, name| value.cloned().ok_or_else(|| lacks(place, name));
            return found(place, get(url, VARIABLES[0])?, get(id, VARIABLES[1])?, get(secret, VARIABLES[2])?);
        }
        let mut looked = vec![VARIABLES.join(", ")];
        if let Some(folder) = &self.folder {
            let path = folder.join("config.json");
            if let Some(text) = read(&path)? {
                return from_json(&path, &text);
            }
            looked.push(path.display().to_string());
        }
        if let Some(home) = &self.home {
            let path = home.join(".sailpoint").join("config.yaml");
            if let Some(text) = read(&path)? {
                return from_yaml(&path, &text);
            }
            looked.push(path.display().to_string());
        }
        let places = looked.join("; ");
        Err(Error::config(format!("no credentials: none of these is there: {places}")))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment")
            .field("variables", &self.variables.keys().collect::<Vec<_>>())
            .field("folder", &self.folder)
            .field("home", &self.home)
            .finish()
    }
}

fn found(place: &str, url: Secret, id: Secret, secret: Secret) -> Result<Found, Error> {
    Ok(Found {
        base_url: url.expose().to_owned(),
        client_id: id.expose().to_owned(),
        client_secret: secret,
        place: place.to_owned(),
    })
}

fn lacks(place: &str, key: &str) -> Error {
    Error::config(format!("{place}: `{key}` is missing or empty"))
}

/// The text of a file, if it is there.
fn read(path: &Path) -> Result<Option<Zeroizing<String>>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::config(format!("{} cannot be read: {error}", path.display()))),
    }
}

fn from_json(path: &Path, text: &str) -> Result<Found, Error> {
    let place = path.display().to_string();
    // What the parser says may repeat a value; where it is says enough.
    let file: Texts = serde_json::from_str(text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Error::config(format!("{place} is no JSON object (line {line}, column {column})"))
    })?;
    let get = |name: &str| {
        let value = file.0.get(&name.to_lowercase()).cloned().flatten();
        value.filter(|value| !value.is_empty()).ok_or_else(|| lacks(&place, name))
    };
    found(&place, get("BaseURL")?, get("ClientId")?, get("ClientSecret")?)
}

fn from_yaml(path: &Path, text: &str) -> Result<Found, Error> {
    let place = path.display().to_string();
    let file =
        yaml::texts(text).map_err(|line| Error::config(format!("{place} is no YAML (line {line})")))?;
    let find = |keys: &[&str]| {
        let found = file.iter().find(|(path, _)| {
            path.len() == keys.len()
                && path.iter().zip(keys).all(|(one, other)| one.eq_ignore_ascii_case(other))
        });
        found.map(|(_, value)| value).filter(|value| !value.is_empty())
    };
    let active = find(&["activeenvironment"]).ok_or_else(|| lacks(&place, "activeenvironment"))?;
    let get = |ways: &[&[&str]]| {
        let keys = ways.iter().map(|way| [&["environments", active.expose()], *way].concat());
        let value = keys.clone().find_map(|keys| find(&keys)).cloned();
        value
            .ok_or_else(|| lacks(&place, &keys.map(|keys| keys.join(".")).collect::<Vec<_>>().join("` or `")))
    };
    let place = format!("{place} (environment {})", active.expose());
    found(
        &place,
        get(&[&["baseurl"]])?,
        get(&[&["pat", "clientid"], &["clientid"]])?,
        get(&[&["pat", "clientsecret"], &["clientsecret"]])?,
    )
}

/// The members of a JSON object that are text, by their names in lower case.
struct Texts(BTreeMap<String, Option<Secret>>);

impl<'de> serde::Deserialize<'de> for Texts {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Texts, D::Error> {
        struct Members;
        impl<'de> serde::de::Visitor<'de> for Members {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Texts, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some(key) = map.next_key::<Key<'de>>()? {
                    let name = key.0.to_lowercase();
                    if ["baseurl", "clientid", "clientsecret"].contains(&&*name) {
                        texts.insert(name, map.next_value()?);
                    } else {
                        map.next_value::<serde::de::IgnoredAny>()?;
                    }
                }
                Ok(Texts(texts))
            }
        }
        deserializer.deserialize_map(Members)
    }
}
