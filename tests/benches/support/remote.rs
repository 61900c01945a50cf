//! The tenant: the simulator in a process of its own, so that its cost is not ours and can be told apart.

use jackfield_simulators::qlik_cloud::{Changes, Config, Limits, NewClient, Population, Simulator};
use serde::{Deserialize, Serialize};
use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

/// The argument that makes a bench the tenant.
const ROLE: &str = "--be-the-tenant";

/// How to reach a tenant.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tenant {
    /// Scheme, host and port.
    pub(crate) base_url: String,
    /// Its authority.
    pub(crate) ca_pem: String,
    /// An OAuth client whose bot may read everything.
    pub(crate) client_id: String,
    /// Its secret.
    pub(crate) client_secret: String,
}

/// A tenant that is running. Ends when dropped.
pub(crate) struct Remote {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// How to reach it.
    pub(crate) tenant: Tenant,
}

impl Remote {
    /// Starts a tenant with so many apps and next to nothing else: HTTPS, pages of 100, no rate limits.
    pub(crate) fn start(apps: u64) -> Remote {
        let own = std::env::current_exe().expect("a running program has a path");
        let mut command = Command::new(own);
        command.args([ROLE, &apps.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a bench can be started again");
        let input = child.stdin.take().expect("it was piped");
        let mut output = BufReader::new(child.stdout.take().expect("it was piped"));
        let tenant = serde_json::from_str(&line(&mut output)).expect("the tenant introduces itself");
        Remote { child, input, output, tenant }
    }

    /// Moves its content on: of a hundred rows, one is touched with each revision.
    pub(crate) fn revise(&mut self, revision: u32) {
        writeln!(self.input, "{revision}").expect("the tenant listens");
        assert_eq!(line(&mut self.output).trim(), "revised");
    }

    /// Its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line(output: &mut impl BufRead) -> String {
    let mut line = String::new();
    output.read_line(&mut line).expect("the tenant speaks");
    line
}

/// Is the tenant, if this process was started as one; never returns then.
pub(crate) fn be_the_tenant_if_asked() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(ROLE) {
        return;
    }
    let apps = arguments.next().and_then(|apps| apps.parse().ok()).expect("a number of apps");
    let population = Population {
        apps,
        users: 10,
        groups: 5,
        spaces: 10,
        data_sets: 0,
        data_files: 0,
        data_connections: 5,
        automations: 0,
        notes: 0,
        tasks: 0,
        reloads: 0,
        sharing_tasks: 0,
        report_templates: 0,
        audits: 0,
    };
    let config = Config { tls: true, population, limits: Limits::off(), ..Config::default() };
    let simulator = Simulator::start_blocking(config).expect("the tenant starts");
    let client = simulator.create_oauth_client(&NewClient::default());
    let tenant = Tenant {
        base_url: simulator.base_url().to_owned(),
        ca_pem: simulator.ca_pem().to_owned(),
        client_id: client.client_id,
        client_secret: client.client_secret,
    };
    println!("{}", serde_json::to_string(&tenant).expect("texts have a JSON form"));
    for revision in std::io::stdin().lines() {
        let revision = revision.ok().and_then(|text| text.trim().parse().ok()).expect("a revision");
        simulator.change(Changes { percent: 1.0, revision });
        println!("revised");
    }
    std::process::exit(0);
}
