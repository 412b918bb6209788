//! Things that go wrong on demand.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;

use crate::organisation::mix;
use crate::reply::{Body, Reply};

/// Something that shall go wrong, and when.
///
/// Made by what goes wrong ([`Fault::status`], [`Fault::reset`], ..) and narrowed to where and when:
///
/// ```
/// use sailpoint_role_mining_tenant::Fault;
///
/// Fault::status(503).on("get_role_mining_sessions").nth(2).times(1);
/// Fault::reset().probability(0.1, 42);
/// ```
///
/// Without being narrowed, a fault strikes every request. If several strike one request, all apply.
#[derive(Clone, Debug)]
#[must_use = "a fault strikes once it is given to `Tenant::fault`"]
pub struct Fault {
    effect: Effect,
    operation: Option<String>,
    nth: u64,
    times: u64,
    chance: Option<(f64, u64)>,
    processed: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Effect {
    Answer { status: u16, headers: Vec<(String, String)>, body: Vec<u8> },
    Delay(Duration),
    Reset,
    Wire(Wire),
    Header { name: String, value: String },
    Field { names: Vec<String>, value: Value },
    AddedField { name: String, value: Value },
    Shift(isize),
}

/// What is done to an answer below HTTP.
#[derive(Clone, Debug)]
pub(crate) enum Wire {
    Stall { after: usize, pause: Duration },
    ResetInBody { after: usize },
    Truncate { after: usize },
    ContentLength { difference: i64 },
}

impl Fault {
    fn new(effect: Effect, processed: bool) -> Self {
        Self { effect, operation: None, nth: 1, times: u64::MAX, chance: None, processed }
    }

    fn answer(status: u16, content_type: Option<&str>, body: Vec<u8>) -> Self {
        let headers =
            content_type.map(|value| ("content-type".to_owned(), value.to_owned())).into_iter().collect();
        Self::new(Effect::Answer { status, headers, body }, false)
    }

    /// Answers a status with an empty body and does nothing else.
    pub fn status(status: u16) -> Self {
        Self::answer(status, None, Vec::new())
    }

    /// Answers a status with a JSON body and does nothing else.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::answer(status, Some("application/json"), body.to_string().into_bytes())
    }

    /// Answers a status with a page of HTML, as a gateway would, and does nothing else.
    pub fn html(status: u16, page: &str) -> Self {
        Self::answer(status, Some("text/html; charset=utf-8"), page.as_bytes().to_vec())
    }

    /// Waits before the first byte of the answer.
    pub fn delay(delay: Duration) -> Self {
        Self::new(Effect::Delay(delay), true)
    }

    /// Sends so many bytes of the body, pauses, and sends the rest.
    pub fn stall(after: usize, pause: Duration) -> Self {
        Self::new(Effect::Wire(Wire::Stall { after, pause }), true)
    }

    /// Resets the connection instead of answering, and does nothing else.
    pub fn reset() -> Self {
        Self::new(Effect::Reset, false)
    }

    /// Resets the connection after so many bytes of the body.
    pub fn reset_in_body(after: usize) -> Self {
        Self::new(Effect::Wire(Wire::ResetInBody { after }), true)
    }

    /// Closes the connection in good order, but after so many bytes of the body.
    pub fn truncate(after: usize) -> Self {
        Self::new(Effect::Wire(Wire::Truncate { after }), true)
    }

    /// Announces a body that is so many bytes longer (or shorter) than the one sent.
    pub fn content_length(difference: i64) -> Self {
        Self::new(Effect::Wire(Wire::ContentLength { difference }), true)
    }

    /// Puts a header on the answer, in place of the one it has.
    pub fn header(name: &str, value: &str) -> Self {
        Self::new(Effect::Header { name: name.to_lowercase(), value: value.to_owned() }, true)
    }

    /// Calls the body what it is not.
    pub fn content_type(value: &str) -> Self {
        Self::header("content-type", value)
    }

    /// Says the body has an encoding; it has none.
    pub fn content_encoding(value: &str) -> Self {
        Self::header("content-encoding", value)
    }

    /// Puts a word no enum knows wherever the answer has a `state`, `status` or `provisionState`.
    pub fn unknown_status(word: &str) -> Self {
        let names = ["state", "status", "provisionState"].map(str::to_owned).to_vec();
        Self::new(Effect::Field { names, value: Value::from(word) }, true)
    }

    /// Puts a value in place of every field of this name, at any depth of the answer.
    pub fn field(name: &str, value: Value) -> Self {
        Self::new(Effect::Field { names: vec![name.to_owned()], value }, true)
    }

    /// Puts null in place of every field of this name, at any depth of the answer.
    pub fn null_field(name: &str) -> Self {
        Self::field(name, Value::Null)
    }

    /// Adds a field to the object that is answered, or to each of the list.
    pub fn added_field(name: &str, value: Value) -> Self {
        Self::new(Effect::AddedField { name: name.to_owned(), value }, true)
    }

    /// Moves a collection under its pages: as if so many records had gone from its front (or, below
    /// zero, had come to it) since the caller counted them.
    pub fn shifted(records: isize) -> Self {
        Self::new(Effect::Shift(records), true)
    }

    /// Strikes only this operation, named in snake case (`token` is the one that gives tokens,
    /// `download_redirect_target` the second port's).
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// Strikes first on the nth request it could strike, counted from 1.
    pub fn nth(mut self, nth: u64) -> Self {
        self.nth = nth;
        self
    }

    /// Strikes so many times and no more.
    pub fn times(mut self, times: u64) -> Self {
        self.times = times;
        self
    }

    /// Strikes with a probability; which requests these are follows from the seed.
    pub fn probability(mut self, probability: f64, seed: u64) -> Self {
        self.chance = Some((probability, seed));
        self
    }

    /// Adds a header to what [`status`](Self::status), [`json`](Self::json) or [`html`](Self::html) answer.
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        if let Effect::Answer { headers, .. } = &mut self.effect {
            headers.push((name.to_lowercase(), value.to_owned()));
        }
        self
    }

    /// Does what was asked before it goes wrong: a request whose outcome the caller cannot know.
    pub fn after_processing(mut self) -> Self {
        self.processed = true;
        self
    }
}

#[derive(Default)]
pub(crate) struct Faults {
    installed: Mutex<Vec<Installed>>,
}

struct Installed {
    fault: Fault,
    calls: u64,
    struck: u64,
}

/// The effects that strike one request.
pub(crate) struct Strike {
    pub(crate) effects: Vec<Effect>,
    /// Whether the request is to be carried out all the same.
    pub(crate) processed: bool,
}

impl Faults {
    fn installed(&self) -> MutexGuard<'_, Vec<Installed>> {
        self.installed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, fault: Fault) {
        self.installed().push(Installed { fault, calls: 0, struck: 0 });
    }

    pub(crate) fn clear(&self) {
        self.installed().clear();
    }

    pub(crate) fn strike(&self, operation: Option<&str>) -> Strike {
        let mut strike = Strike { effects: Vec::new(), processed: true };
        for installed in self.installed().iter_mut().filter(|installed| installed.concerns(operation)) {
            if installed.strikes() {
                strike.effects.push(installed.fault.effect.clone());
                strike.processed &= installed.fault.processed;
            }
        }
        strike
    }
}

impl Installed {
    fn concerns(&self, operation: Option<&str>) -> bool {
        self.fault.operation.is_none() || self.fault.operation.as_deref() == operation
    }

    fn strikes(&mut self) -> bool {
        self.calls += 1;
        let by_chance = self.fault.chance.is_none_or(|(probability, seed)| {
            (mix(mix(seed) ^ self.calls) >> 11) as f64 / (1u64 << 53) as f64 <= probability
                && probability > 0.0
        });
        let strikes = self.calls >= self.fault.nth && self.struck < self.fault.times && by_chance;
        self.struck += u64::from(strikes);
        strikes
    }
}

impl Strike {
    pub(crate) fn shift(&self) -> isize {
        self.effects.iter().map(|effect| if let Effect::Shift(records) = effect { *records } else { 0 }).sum()
    }

    pub(crate) fn delay(&self) -> Duration {
        self.effects
            .iter()
            .map(|effect| if let Effect::Delay(delay) = effect { *delay } else { Duration::ZERO })
            .sum()
    }

    pub(crate) fn resets(&self) -> bool {
        self.effects.iter().any(|effect| matches!(effect, Effect::Reset))
    }

    pub(crate) fn wire(&self) -> Option<&Wire> {
        self.effects.iter().find_map(|effect| if let Effect::Wire(wire) = effect { Some(wire) } else { None })
    }

    /// Changes an answer as the effects say.
    pub(crate) fn spoil(&self, reply: &mut Reply) {
        for effect in &self.effects {
            match effect {
                Effect::Answer { status, headers, body } => {
                    *reply =
                        Reply { status: *status, headers: headers.clone(), body: Body::Bytes(body.clone()) };
                }
                Effect::Header { name, value } => reply.set_header(name, value.clone()),
                Effect::Field { names, value } => {
                    if let Body::Json(answer) = &mut reply.body {
                        set_fields(answer, names, value);
                    }
                }
                Effect::AddedField { name, value } => {
                    if let Body::Json(answer) = &mut reply.body {
                        add_field(answer, name, value);
                    }
                }
                Effect::Delay(_) | Effect::Reset | Effect::Wire(_) | Effect::Shift(_) => {}
            }
        }
    }
}

fn set_fields(answer: &mut Value, names: &[String], value: &Value) {
    match answer {
        Value::Array(items) => items.iter_mut().for_each(|item| set_fields(item, names, value)),
        Value::Object(fields) => {
            for (name, field) in fields {
                // A status may be an object that holds the state.
                match names.contains(name) && !(value.is_string() && field.is_object()) {
                    true => *field = value.clone(),
                    false => set_fields(field, names, value),
                }
            }
        }
        _ => {}
    }
}

fn add_field(answer: &mut Value, name: &str, value: &Value) {
    match answer {
        Value::Array(items) => items.iter_mut().for_each(|item| add_field(item, name, value)),
        Value::Object(fields) => {
            fields.insert(name.to_owned(), value.clone());
        }
        _ => {}
    }
}
