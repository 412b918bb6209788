//! The tenant's time: the machine's, or one that only moves when it is told to.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// How long the tenant has existed when it starts; what is in it from the start is younger than this.
pub(crate) const HISTORY: Duration = Duration::from_secs(30 * 24 * 3600);

/// A point in the tenant's time, as the time since the tenant came into being.
pub(crate) type Moment = Duration;

/// No tenant lives longer; dates far beyond cannot be written down.
const LIFE: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

pub(crate) struct Clock {
    birth: SystemTime,
    started: Option<Instant>,
    advanced: Mutex<Duration>,
}

impl Clock {
    pub(crate) fn new(start: SystemTime, frozen: bool) -> Self {
        let epoch = SystemTime::UNIX_EPOCH;
        Self {
            birth: start.clamp(epoch + HISTORY, epoch + LIFE) - HISTORY,
            started: (!frozen).then(Instant::now),
            advanced: Mutex::new(Duration::ZERO),
        }
    }

    pub(crate) fn now(&self) -> Moment {
        let ran = self.started.map_or(Duration::ZERO, |at| at.elapsed());
        let advanced = *self.advanced.lock().unwrap_or_else(PoisonError::into_inner);
        HISTORY.saturating_add(ran).saturating_add(advanced)
    }

    pub(crate) fn advance(&self, by: Duration) {
        let mut advanced = self.advanced.lock().unwrap_or_else(PoisonError::into_inner);
        *advanced = advanced.saturating_add(by).min(LIFE);
    }

    pub(crate) fn date(&self, at: Moment) -> SystemTime {
        self.birth.checked_add(at).unwrap_or(self.birth)
    }

    pub(crate) fn stamp(&self, at: Moment) -> String {
        humantime::format_rfc3339_millis(self.date(at)).to_string()
    }
}
