//! The lines of a test.

use super::{Connector, Context};
use crate::contract::{
    Failure,
    hooks::{Check, CheckStatus, TestReport},
};

/// Collects the checks of a test. Checks that are not reported are shown as skipped, after a failed one for that reason.
#[derive(Debug, Default)]
pub struct Checks {
    reported: Vec<Check>,
}

impl Checks {
    /// The check holds; `detail` says what was seen.
    pub fn pass(&mut self, name: &str, detail: impl Into<String>) {
        self.report(name, CheckStatus::Passed, detail.into(), None);
    }

    /// The check does not hold.
    pub fn fail(&mut self, name: &str, failure: Failure) {
        self.report(name, CheckStatus::Failed, failure.message.clone(), Some(failure));
    }

    /// The check was not tried; `reason` says why.
    pub fn skip(&mut self, name: &str, reason: impl Into<String>) {
        self.report(name, CheckStatus::Skipped, reason.into(), None);
    }

    /// Reports a result: passed with the detail, or failed. Yields whether it passed.
    pub fn result(&mut self, name: &str, result: Result<impl Into<String>, Failure>) -> bool {
        match result {
            Ok(detail) => {
                self.pass(name, detail);
                true
            }
            Err(failure) => {
                self.fail(name, failure);
                false
            }
        }
    }

    fn report(&mut self, name: &str, status: CheckStatus, detail: String, failure: Option<Failure>) {
        self.reported.retain(|check| check.name != name);
        self.reported.push(Check { name: name.to_owned(), status, detail, failure });
    }

    /// The report: every declared check in its order, then what was reported under other names (the host refuses those).
    fn finish(mut self, declared: impl Iterator<Item = String>) -> TestReport {
        let failed = self.reported.iter().find(|check| check.status == CheckStatus::Failed);
        let reason = match failed {
            Some(failed) => format!("not tried, because \"{}\" failed", failed.name),
            None => "not tried".to_owned(),
        };
        let mut checks = Vec::new();
        for name in declared {
            match self.reported.iter().position(|check| check.name == name) {
                Some(at) => checks.push(self.reported.remove(at)),
                None => {
                    let detail = reason.clone();
                    checks.push(Check { name, status: CheckStatus::Skipped, detail, failure: None });
                }
            }
        }
        checks.append(&mut self.reported);
        TestReport { checks }
    }
}

/// Runs a connector's test; used by the door.
pub(crate) async fn run<C: Connector>(context: &Context<C::Settings>) -> Result<TestReport, Failure> {
    let mut checks = Checks::default();
    C::test(context, &mut checks).await?;
    Ok(checks.finish(C::describe().checks.into_iter().map(|check| check.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_depends_on_a_failed_check_is_skipped_and_says_so() {
        let mut checks = Checks::default();
        checks.pass("Server reachable", "in 3 ms");
        checks.fail("Authentication", Failure::credential("wrong secret"));
        let report =
            checks.finish(["Server reachable", "Authentication", "RootAdmin"].map(str::to_owned).into_iter());
        let last = &report.checks[2];
        assert_eq!(last.status, CheckStatus::Skipped);
        assert_eq!(last.detail, "not tried, because \"Authentication\" failed");
        assert!(!report.passed());
    }

    #[test]
    fn a_test_in_which_nothing_passed_has_not_passed() {
        assert!(!Checks::default().finish(std::iter::once("Server reachable".to_owned())).passed());
    }
}
