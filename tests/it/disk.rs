//! A disk that fills up or becomes read-only: what is said, and that nothing is lost by it.
//!
//! The disk is pretended everywhere: a library that is loaded before the C library (`disk.c`) answers for the files of the
//! data folder as the kernel would, for root and for others, in any container. Where this machine lets us mount a file system,
//! the same is seen with a real one.

use crate::{
    crashes::settled,
    database::{number, picture},
    support::{adding, refresh, set, snapshots, start_slow_refresh, with_connection},
};
use jackfield_tests::{Finished, Host};
use serde_json::json;
use std::{
    fs::{self, File},
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
};

/// A disk with the data folder of a host on it.
pub(crate) trait Disk {
    fn is_full(&mut self);
    fn is_read_only(&mut self);
    fn is_fine(&mut self);
}

/// A disk that `disk.c` pretends.
pub(crate) struct Pretended(PathBuf);

impl Pretended {
    pub(crate) fn below(host: &mut Host) -> Pretended {
        static LIBRARY: OnceLock<tempfile::TempDir> = OnceLock::new();
        let folder = LIBRARY.get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let source = concat!(env!("CARGO_MANIFEST_DIR"), "/it/disk.c");
            let mut cc = Command::new("cc");
            cc.args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"]).arg(folder.path().join("disk.so"));
            assert!(cc.arg(source).arg("-ldl").status().unwrap().success(), "cc makes the disk");
            folder
        });
        let state = host.file("disk", "fine");
        host.set("LD_PRELOAD", folder.path().join("disk.so").display().to_string());
        host.set("DISK_FOLDER", host.data().display().to_string());
        host.set("DISK_STATE", state.display().to_string());
        Pretended(state)
    }
}

impl Disk for Pretended {
    fn is_full(&mut self) {
        fs::write(&self.0, "full").unwrap();
    }

    fn is_read_only(&mut self) {
        fs::write(&self.0, "read-only").unwrap();
    }

    fn is_fine(&mut self) {
        fs::write(&self.0, "fine").unwrap();
    }
}

/// A real file system in the memory.
struct Mounted(PathBuf);

impl Mounted {
    /// None if this machine does not let us mount.
    fn below(host: &mut Host) -> Option<Mounted> {
        let (data, aside) = (host.data(), host.work().join("aside"));
        fs::rename(&data, &aside).unwrap();
        fs::create_dir(&data).unwrap();
        if !run(Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m,mode=700", "jackfield"])
            .arg(&data))
        {
            return None;
        }
        let mounted = Mounted(data);
        assert!(run(Command::new("cp").arg("-a").arg(aside.join(".")).arg(&mounted.0)));
        Some(mounted)
    }

    fn remount(&self, how: &str) {
        assert!(run(Command::new("mount").args(["-o", &format!("remount,{how}")]).arg(&self.0)), "{how}");
    }

    fn filling(&self) -> PathBuf {
        self.0.join("filling")
    }
}

/// Whether a command could be run and succeeded.
fn run(command: &mut Command) -> bool {
    command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

impl Disk for Mounted {
    fn is_full(&mut self) {
        let mut filling = File::create(self.filling()).unwrap();
        while filling.write(&[0; 4096]).is_ok_and(|written| written > 0) {}
    }

    fn is_read_only(&mut self) {
        self.remount("ro");
    }

    fn is_fine(&mut self) {
        self.remount("rw");
        // There may be nothing to remove.
        let _ = fs::remove_file(self.filling());
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // Nothing is left to be done if that fails.
        run(Command::new("umount").arg("--lazy").arg(&self.0));
    }
}

/// A host for each kind of disk, with the connection "A" on it.
fn disks() -> Vec<(Host, Box<dyn Disk>)> {
    let mut disks: Vec<(Host, Box<dyn Disk>)> = Vec::new();
    let mut host = with_connection("A");
    let mut other = host.copy();
    let pretended = Pretended::below(&mut host);
    disks.push((host, Box::new(pretended)));
    match Mounted::below(&mut other) {
        Some(mounted) => disks.push((other, Box::new(mounted))),
        None => eprintln!("this machine lets nobody mount a file system: the disk is only pretended"),
    }
    disks
}

/// What cannot be done and says so, each with its name.
fn refused(host: &Host) -> Vec<(String, Finished)> {
    let commands = [
        vec!["connection", "list"],
        vec!["connection", "refresh", "A"],
        vec!["connection", "test", "A"],
        vec!["connection", "edit", "A", "--description", "new"],
    ];
    let commands = commands.map(|command| command.into_iter().map(str::to_owned).collect::<Vec<_>>());
    let commands = commands.into_iter().chain([adding("B")]);
    commands.map(|command| (command[..2].join(" "), host.run(&command))).collect()
}

/// Everything from before is there and works; "B" is not.
fn nothing_is_lost(host: &Host, before: &str) {
    assert_eq!(picture(host), before);
    let listed = host.json(["connection", "list"]);
    assert_eq!(
        (listed.as_array().unwrap().len(), &listed[0]["connection"]["description"]),
        (1, &json!("")),
        "{listed:#}"
    );
    host.run(["connection", "test", "A"]).expect_success();
    refresh(host, "A").expect_success();
    host.run(adding("B")).expect_success();
}

#[test]
fn a_disk_that_is_full_is_named_and_nothing_is_lost() {
    for (host, mut disk) in disks() {
        let before = picture(&host);
        disk.is_full();
        let mut told = String::new();
        for (command, finished) in refused(&host) {
            assert_eq!(finished.code(), 1, "{command}: {}", finished.all());
            told += &format!("--- {command}\n{}", finished.stderr);
        }
        snapshots(&host).bind(|| insta::assert_snapshot!("full", told));
        disk.is_fine();
        nothing_is_lost(&host, &before);
    }
}

#[test]
fn a_folder_that_is_read_only_is_named_and_nothing_is_lost() {
    for (host, mut disk) in disks() {
        let before = picture(&host);
        disk.is_read_only();
        let mut told = String::new();
        for (command, finished) in refused(&host) {
            assert_eq!(finished.code(), 2, "{command}: {}", finished.all());
            told += &format!("--- {command}\n{}", finished.stderr);
        }
        snapshots(&host).bind(|| insta::assert_snapshot!("read_only", told));
        // What needs no data folder works.
        host.run(["plugin", "list"]).expect_success();
        host.run(["config", "show"]).expect_success();
        disk.is_fine();
        nothing_is_lost(&host, &before);
    }
}

#[test]
fn a_fresh_folder_on_a_full_disk_is_made_when_there_is_room() {
    let mut host = Host::with_plugins(&["hostile"]);
    host.file("token", crate::support::TOKEN);
    let mut disk = Pretended::below(&mut host);
    disk.is_full();
    let refused = host.run(["connection", "list"]);
    assert_eq!(refused.code(), 1, "{}", refused.all());
    snapshots(&host).bind(|| insta::assert_snapshot!("fresh_folder", refused.stderr));
    disk.is_fine();
    assert_eq!(host.json(["connection", "list"]), json!([]));
    host.run(adding("A")).expect_success();
}

/// The settings of a refresh that finds other things than before.
fn find_more(host: &Host) {
    set(host, "A", json!({ "mode": "ok", "count": 3000 }));
}

#[test]
fn a_disk_that_fills_up_under_a_refresh_ends_it_and_loses_nothing() {
    let mut rows: Vec<_> = disks().into_iter().map(|(host, disk)| ("fills up", host, disk)).collect();
    // A real one cannot become read-only while somebody writes to it, but for its own reasons.
    let mut host = with_connection("A");
    let disk = Pretended::below(&mut host);
    rows.push(("becomes read-only", host, Box::new(disk)));
    let mut ended = Vec::new();
    for (what, host, mut disk) in rows {
        let before = picture(&host);
        let (started, id) = start_slow_refresh(&host, "A");
        if what == "fills up" {
            disk.is_full()
        } else {
            disk.is_read_only()
        }
        let finished = started.finish();
        assert_eq!(finished.code(), 1, "{what}: {}", finished.all());
        let error = finished.stderr.lines().skip_while(|line| !line.starts_with("error"));
        let error = error.collect::<Vec<_>>().join("\n");
        eprintln!("{what}: {}", finished.all());
        snapshots(&host).bind(|| insta::assert_snapshot!(what.replace([' ', '-'], "_"), error));
        disk.is_fine();
        assert_eq!(picture(&host), before, "{what}");
        ended.push((what, host, disk, id));
    }
    for (what, host, _disk, id) in ended {
        let run = settled(&host, &what).expect("its ending could not be recorded");
        assert_eq!((&run["state"], &run["id"]), (&json!("queued"), &json!(id)), "{what}: {run:#}");
        find_more(&host);
        refresh(&host, "A").expect_success();
        assert_eq!(host.json(["run", "show", &id])["run"]["state"], "succeeded", "{what}");
    }
}

#[test]
fn wherever_in_a_refresh_the_disk_fills_up_all_of_it_or_nothing_is_visible() {
    let base = with_connection("A");
    find_more(&base);
    let old = picture(&base);
    let whole = {
        let mut whole = base.copy();
        Pretended::below(&mut whole);
        whole.set("DISK_COUNT", whole.work().join("count").display().to_string());
        refresh(&whole, "A").expect_success();
        whole
    };
    let new = picture(&whole);
    assert_ne!(old, new);
    let writes: u64 = fs::read_to_string(whole.work().join("count")).unwrap().trim().parse().unwrap();
    assert!(writes > 30, "only {writes} writes");
    let mut hosts = Vec::new();
    let (mut failed, mut succeeded) = (0, 0);
    for number in 0..12 {
        let after = number * (writes + 2) / 12;
        let mut host = base.copy();
        let mut disk = Pretended::below(&mut host);
        host.set("DISK_AFTER", after.to_string());
        let ended = refresh(&host, "A");
        host.set("DISK_AFTER", u32::MAX.to_string());
        disk.is_fine();
        let seen = picture(&host);
        match ended.code() {
            0 => succeeded += 1,
            code => {
                failed += 1;
                assert_eq!(code, 1, "{after}: {}", ended.all());
                assert!(
                    ended.stderr.contains(&host.data().display().to_string()),
                    "{after}: {}",
                    ended.all()
                );
                assert!(ended.stderr.contains("free some space"), "{after}: {}", ended.all());
            }
        }
        assert_eq!(
            seen,
            if ended.code() == 0 { &*new } else { &*old },
            "{after} of {writes}: {}",
            ended.all()
        );
        hosts.push((host, after));
    }
    assert!(failed > 4, "{failed} failed, {succeeded} succeeded");
    for (host, after) in hosts {
        settled(&host, &after);
        refresh(&host, "A").expect_success();
        assert_eq!(picture(&host), new, "{after}");
        let query = "SELECT COUNT(*) FROM catalog_objects WHERE generation NOT IN (SELECT generation FROM catalog_kinds)";
        assert_eq!(number(&host, query), 0, "{after}: what was staged in vain is still there");
    }
}
