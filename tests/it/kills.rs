//! Killing the host at every step of a rotation, and looking what is left: at the remote system, which alone knows which
//! credentials live, and here.
//!
//! The moments are counted by a run that writes down which it reaches, so a step that is added is covered without anybody
//! remembering. `JACKFIELD_KILLS` is the number of random kills (12); a long run takes 10,000.

use crate::{
    database,
    qlik_cloud::{Tenant, small},
};
use jackfield_simulators::{
    faults::{Fault, FaultKind},
    qlik_cloud::Config,
};
use std::{collections::BTreeSet, time::Duration};

/// What else goes wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    Nothing,
    /// The remote system makes the new one, and its answer is lost.
    AnswerLost,
}

/// A credential of the class that has room for two.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Class {
    /// What an attempt makes carries its id.
    Tagged,
    /// What an attempt makes is known by not having been there before.
    Untagged,
}

/// A connection with one credential, and the remote system that it belongs to.
struct Scene {
    tenant: Tenant,
    class: Class,
}

impl Scene {
    fn new(class: Class) -> Scene {
        let config = Config { max_api_key_expiry: "P30D".to_owned(), ..small() };
        let mut tenant = Tenant::new(config);
        tenant.host.set("JACKFIELD_ROTATION__GRACE_MINUTES", "0");
        match class {
            Class::Tagged => {
                let key = tenant.key_of(0, Duration::from_secs(7 * 86_400));
                tenant.add_key(&key).expect_success();
            }
            Class::Untagged => drop(tenant.add(&[]).expect_success()),
        }
        Scene { tenant, class }
    }

    /// The ids of what lives on the remote side.
    fn alive(&self) -> BTreeSet<String> {
        let Tenant { simulator, client, .. } = &self.tenant;
        let alive = match self.class {
            Class::Tagged => simulator.active_api_keys(&simulator.user_id(0)),
            Class::Untagged => simulator.client_secret_hints(&client.client_id),
        };
        alive.into_iter().collect()
    }

    /// Where the new one is made.
    fn path(&self) -> String {
        match self.class {
            Class::Tagged => "/api/v1/api-keys".to_owned(),
            Class::Untagged => {
                format!("/api/v1/oauth-clients/{}/client-secrets", self.tenant.client.client_id)
            }
        }
    }

    fn spoil(&self, trouble: Trouble) {
        self.tenant.simulator.clear_faults();
        if trouble == Trouble::AnswerLost {
            self.tenant.simulator.add_fault(Fault {
                method: Some("POST".to_owned()),
                path: self.path(),
                query: None,
                skip: 0,
                times: Some(1),
                kind: FaultKind::ResetMidBody,
            });
        }
    }

    /// A rotation that is killed at the moment of this number, if there are so many; answers whether it was.
    fn rotate_until(&self, moment: u64) -> bool {
        let mut command = self.tenant.host.command(["credential", "rotate", "T"]);
        command.env("FAILPOINTS", format!("kill={moment}"));
        let done = jackfield_tests::Started::of(command).finish();
        done.code() == 128 + 9
    }

    /// The time that a lease lasts has passed.
    fn let_leases_end(&self) {
        database::run(&self.tenant.host, "UPDATE runs SET lease_until = 0 WHERE state = 'running'");
    }

    /// What somebody does afterwards, or a timer: what is due, until nothing is.
    fn recover(&self) {
        self.let_leases_end();
        for _ in 0..3 {
            let renewed = self.tenant.host.run(["credential", "renew", "--due"]);
            if renewed.stdout.contains("Nothing is due") {
                return;
            }
        }
        let list = self.tenant.host.run(["credential", "history", "T"]).all();
        panic!("it does not come to its end:\n{list}");
    }

    /// The invariants, by what the remote system says.
    fn judge(&self, what: &str) {
        let (host, alive) = (&self.tenant.host, self.alive());
        let history = host.json(["credential", "history", "T"]);
        let versions = history["versions"].as_array().unwrap();
        let known: BTreeSet<String> = versions
            .iter()
            .filter(|version| version["state"] == "current")
            .map(|version| version["remote_id"].as_str().unwrap_or_default().to_owned())
            .collect();
        // The first key's id is learnt when it is renewed.
        let known = if known.contains("") { alive.clone() } else { known };
        assert_eq!(
            alive, known,
            "{what}: the remote system has what is in use and nothing else\n{history:#}"
        );
        assert_eq!(alive.len(), 1, "{what}: one lives");
        for rotation in history["rotations"].as_array().unwrap() {
            let entered = |state: &str| {
                rotation["journal"].as_array().unwrap().iter().filter(|line| line["state"] == state).count()
            };
            assert!(entered("finished") <= 1 && entered("cleanup_pending") <= 2, "{what}: {rotation:#}");
            assert!(!rotation["rotation"]["ended_at"].is_null(), "{what}: {rotation:#}");
        }
        let tested = host.run(["connection", "test", "T"]);
        assert_eq!(tested.code(), 0, "{what}: {}", tested.all());
    }

    /// The moments of a rotation that nothing interrupts.
    fn moments(&self) -> Vec<String> {
        let trace = self.tenant.host.work().join("trace");
        let mut command = self.tenant.host.command(["credential", "rotate", "T"]);
        command.env("FAILPOINTS", format!("trace={}", trace.display()));
        jackfield_tests::Started::of(command).finish().expect_success();
        std::fs::read_to_string(trace).unwrap().lines().map(str::to_owned).collect()
    }
}

#[test]
fn no_kill_at_any_step_loses_a_key_or_leaves_one_behind() {
    killed_everywhere("tagged", Class::Tagged);
}

#[test]
fn no_kill_at_any_step_loses_a_client_secret_or_leaves_one_behind() {
    killed_everywhere("untagged", Class::Untagged);
}

fn killed_everywhere(name: &str, class: Class) {
    let scene = Scene::new(class);
    let moments = scene.moments();
    scene.judge("undisturbed");
    let ids = [
        (r"[0-9a-f]{32}", "[KEY]"),
        (r"configs/\S+", "configs/[TENANT]"),
        (r"client-secrets/\S+", "client-secrets/[HINT]"),
    ];
    insta::with_settings!({ filters => ids }, { insta::assert_snapshot!(name, moments.join("\n")) });
    for trouble in [Trouble::Nothing, Trouble::AnswerLost] {
        for (at, moment) in moments.iter().enumerate() {
            scene.spoil(trouble);
            let killed = scene.rotate_until(at as u64 + 1);
            assert!(killed || trouble != Trouble::Nothing, "{moment}");
            scene.recover();
            scene.judge(&format!("killed at {moment}, {trouble:?}"));
        }
    }
}

/// Kills at moments drawn at random, one after the other without anybody tidying up in between, and now and then a lost answer.
#[test]
fn random_kills_lose_nothing() {
    let scenes = [Class::Tagged, Class::Untagged].map(Scene::new);
    let wanted: u64 =
        std::env::var("JACKFIELD_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(12);
    let seed: u64 = std::env::var("JACKFIELD_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut kills, mut lost, mut finished) = (0, 0, 0);
    while kills < wanted {
        let scene = &scenes[random.usize(0..scenes.len())];
        for _ in 0..random.u32(1..=3) {
            let trouble = if random.u32(0..4) == 0 { Trouble::AnswerLost } else { Trouble::Nothing };
            scene.spoil(trouble);
            lost += u64::from(trouble == Trouble::AnswerLost);
            match scene.rotate_until(random.u64(1..=40)) {
                true => kills += 1,
                false => finished += 1,
            }
            scene.let_leases_end();
        }
        scene.recover();
        scene.judge(&format!("{:?} after {kills} kills, seed {seed}", scene.class));
    }
    println!(
        "{kills} kills, {lost} answers lost, {finished} rotations that came to their end: nothing lost, nothing left"
    );
}
