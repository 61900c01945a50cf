//! Faults: what can go wrong, as data, so that a test or a person switches it on at run time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// One fault: which requests it hits, how often, and what happens to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", try_from = "Written")]
pub struct Fault {
    /// Only this method; any when absent.
    pub method: Option<String>,
    /// Only paths that start so.
    pub path: String,
    /// Only when the raw query contains this.
    pub query: Option<String>,
    /// How many matching requests pass unharmed first.
    pub skip: u32,
    /// How many are hit; all when absent.
    pub times: Option<u32>,
    /// What happens.
    #[serde(flatten)]
    pub kind: FaultKind,
}

/// A fault as JSON: its own members beside those of its kind, none of them unknown.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    method: Option<String>,
    path: String,
    query: Option<String>,
    #[serde(default)]
    skip: u32,
    times: Option<u32>,
    #[serde(flatten)]
    kind: serde_json::Map<String, serde_json::Value>,
}

impl TryFrom<Written> for Fault {
    type Error = serde_json::Error;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { method, path, query, skip, times, kind } = written;
        let members: Vec<String> = kind.keys().cloned().collect();
        let kind = FaultKind::deserialize(serde_json::Value::Object(kind))?;
        let known = serde_json::to_value(&kind)?;
        if let Some(stray) = members.iter().find(|member| known.get(member).is_none()) {
            return Err(serde::de::Error::custom(format!("unknown member {stray}")));
        }
        Ok(Self { method, path, query, skip, times, kind })
    }
}

/// What happens to a request that a fault hits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "camelCase")]
pub enum FaultKind {
    /// This status instead of an answer.
    Status {
        /// The status.
        status: u16,
        /// What the body looks like.
        #[serde(default)]
        body: BodyKind,
    },
    /// 429, with or without `Retry-After`.
    TooManyRequests {
        /// Seconds for the header; no header when absent.
        #[serde(default)]
        retry_after: Option<u64>,
    },
    /// The answer comes late.
    Delay {
        /// Milliseconds.
        milliseconds: u64,
    },
    /// The connection breaks in the middle of the body.
    ResetMidBody,
    /// The body ends early, in a well-formed HTTP message.
    TruncatedJson,
    /// The body never ends.
    EndlessBody,
    /// A small gzip body that becomes this large.
    GzipBomb {
        /// Size when unpacked.
        megabytes: u32,
    },
    /// A redirect.
    Redirect {
        /// Where to.
        location: String,
        /// 302 when absent.
        #[serde(default)]
        status: Option<u16>,
    },
    /// The next link leads to the page that was just read.
    RepeatPage,
    /// The next link leads to another origin.
    NextLinkOrigin {
        /// Scheme, host and port, such as `https://alias.example`.
        origin: String,
    },
    /// The right body, compressed.
    Gzip,
    /// The right body under a wrong type.
    WrongContentType {
        /// The type.
        content_type: String,
    },
    /// No answer at all, on an open connection.
    Hang,
    /// The answer is an error envelope that repeats the request's headers and body, plainly, percent-encoded and in base64.
    Echo {
        /// The status.
        status: u16,
    },
}

/// What the body of a faulty status looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BodyKind {
    /// The canonical envelope.
    #[default]
    Envelope,
    /// The status text as plain text, such as `Forbidden`.
    Bare,
    /// A page as a proxy at the edge would send it.
    Html,
    /// Nothing.
    Empty,
    /// The envelope with a number as code.
    NumericCode,
    /// The envelope without `traceId`.
    NoTraceId,
}

impl Fault {
    /// A fault for every request whose path starts with `path`.
    #[must_use]
    pub fn new(path: impl Into<String>, kind: FaultKind) -> Self {
        Self { method: None, path: path.into(), query: None, skip: 0, times: None, kind }
    }

    /// Only this method.
    #[must_use]
    pub fn method(mut self, method: impl Into<String>) -> Self {
        self.method = Some(method.into());
        self
    }

    /// Only this many times.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = Some(times);
        self
    }

    /// Only after this many matching requests.
    #[must_use]
    pub fn after(mut self, requests: u32) -> Self {
        self.skip = requests;
        self
    }

    /// Only when the raw query contains this text.
    #[must_use]
    pub fn query(mut self, part: impl Into<String>) -> Self {
        self.query = Some(part.into());
        self
    }

    fn matches(&self, method: &str, path: &str, query: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && path.starts_with(&self.path)
            && self.query.as_deref().is_none_or(|part| query.contains(part))
    }

    /// Counts a matching request; true when it is hit.
    fn strike(&mut self) -> bool {
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        match &mut self.times {
            None => true,
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
        }
    }
}

/// The faults that are switched on.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    on: Mutex<Vec<Fault>>,
    strikes: AtomicU64,
}

impl Faults {
    /// Starts with these.
    pub(crate) fn new(faults: Vec<Fault>) -> Self {
        Self { on: Mutex::new(faults), strikes: AtomicU64::new(0) }
    }

    /// Switches one on.
    pub(crate) fn add(&self, fault: Fault) {
        self.locked().push(fault);
    }

    /// Switches all off.
    pub(crate) fn clear(&self) {
        self.locked().clear();
        self.strikes.store(0, Ordering::Relaxed);
    }

    /// How many requests were hit since all were off.
    pub(crate) fn strikes(&self) -> u64 {
        self.strikes.load(Ordering::Relaxed)
    }

    /// Those switched on and not used up.
    pub(crate) fn list(&self) -> Vec<Fault> {
        self.locked().iter().filter(|fault| fault.times != Some(0)).cloned().collect()
    }

    /// What hits this request: the delays before the first other fault, summed, and that fault.
    pub(crate) fn strike(&self, method: &str, path: &str, query: &str) -> (u64, Option<FaultKind>) {
        let (mut delay, mut hit) = (0, None);
        for fault in self.locked().iter_mut() {
            if !fault.matches(method, path, query) || !fault.strike() {
                continue;
            }
            match &fault.kind {
                FaultKind::Delay { milliseconds } => delay += milliseconds,
                kind => {
                    hit = Some(kind.clone());
                    break;
                }
            }
        }
        if delay > 0 || hit.is_some() {
            self.strikes.fetch_add(1, Ordering::Relaxed);
        }
        (delay, hit)
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.on.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_data() -> anyhow::Result<()> {
        let fault: Fault = serde_json::from_str(
            r#"{"path":"/api/v1/items","times":1,"kind":"status","status":503,"body":"html"}"#,
        )?;
        assert_eq!(fault.kind, FaultKind::Status { status: 503, body: BodyKind::Html });
        let late: Fault = serde_json::from_str(r#"{"path":"/","kind":"too-many-requests","retryAfter":3}"#)?;
        assert_eq!(late.kind, FaultKind::TooManyRequests { retry_after: Some(3) });
        assert!(serde_json::from_str::<Fault>(r#"{"path":"/","kind":"hang","time":1}"#).is_err());
        let faults = Faults::new(vec![fault]);
        assert_eq!(faults.strike("GET", "/api/v1/spaces", ""), (0, None));
        assert!(faults.strike("GET", "/api/v1/items", "").1.is_some());
        assert_eq!(faults.strike("GET", "/api/v1/items", ""), (0, None));
        assert_eq!(faults.strikes(), 1);
        faults.clear();
        assert_eq!(faults.strikes(), 0);
        Ok(())
    }

    #[test]
    fn delays_add_to_the_fault_behind_them() {
        let faults = Faults::new(vec![
            Fault::new("/", FaultKind::Delay { milliseconds: 5 }),
            Fault::new("/a", FaultKind::Hang).after(1),
        ]);
        assert_eq!(faults.strike("GET", "/a", ""), (5, None));
        assert_eq!(faults.strike("GET", "/a", ""), (5, Some(FaultKind::Hang)));
    }
}
