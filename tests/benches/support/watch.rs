//! Watching processes: how long, how much processor time, how much memory at most.

use std::{
    collections::BTreeMap,
    fs,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// What a process and its children took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Taken {
    /// From start to end.
    pub(crate) seconds: f64,
    /// Processor seconds of all processes.
    pub(crate) cpu: f64,
    /// Peak memory of the process itself, in MB.
    pub(crate) peak: f64,
    /// Peak memory of its children, added up, in MB.
    pub(crate) peak_of_children: f64,
}

/// Runs a command to its end, which must be a good one.
pub(crate) fn watch(command: &mut Command) -> Taken {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let began = Instant::now();
    let mut child = command.spawn().expect("the command can be started");
    let id = child.id();
    // The last that was seen of each; a process takes its numbers along.
    let mut seen: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
    let status = loop {
        for process in children(id).into_iter().chain([id]) {
            if let (Some(cpu), Some(peak)) = (cpu(process), peak(process)) {
                seen.insert(process, (cpu, peak));
            }
        }
        if let Some(status) = child.try_wait().expect("a child can be asked") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let seconds = began.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?} ended with {status}");
    let peak = seen.get(&id).map_or(0.0, |own| own.1);
    let all = seen.values().fold((0.0, 0.0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    Taken { seconds, cpu: all.0, peak, peak_of_children: all.1 - peak }
}

/// Runs a command and yields how long it took, to the microsecond.
pub(crate) fn time(command: &mut Command) -> f64 {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let began = Instant::now();
    let status = command.status().expect("the command can be started");
    let seconds = began.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?} ended with {status}");
    seconds
}

/// The best of several: whatever else the machine does only adds.
pub(crate) fn best(all: &[Taken], of: impl Fn(&Taken) -> f64) -> f64 {
    all.iter().map(of).fold(f64::INFINITY, f64::min)
}

/// Processor seconds that a process has used.
pub(crate) fn cpu(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // Behind the name, which may hold anything: the state is the first, user and system time are the 12th and 13th.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    // The kernel counts for us in hundredths, whatever it does itself.
    Some((ticks()? + ticks()?) / 100.0)
}

/// Peak memory of a process in MB (VmHWM).
pub(crate) fn peak(process: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<f64>().ok().map(|kib| kib / 1024.0)
}

fn children(process: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    let lists =
        threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    lists
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect()
}
