//! A simulated site of Qlik Sense Enterprise on Windows for any client to be pointed at.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use jackfield_simulators::qlik_onprem::{Changes, Config, Pkcs12, Population, Simulator};

/// A simulated Qlik Sense Enterprise site on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(name = "qlik-onprem-sim", version)]
struct Options {
    /// Port of the repository on 127.0.0.1; 0 takes a free one (a real site has 4242)
    #[arg(long, default_value_t = 0)]
    repository_port: u16,
    /// Port of the proxy on 127.0.0.1; 0 takes a free one (a real site has 443)
    #[arg(long, default_value_t = 0)]
    proxy_port: u16,
    /// Further ports that answer as the repository's, such as 4243 and 4747
    #[arg(long, value_name = "PORT")]
    further_port: Vec<u16>,
    /// Host name in the server's certificate
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    server_name: String,
    /// Where the certificates are written, as an administrator exports them
    #[arg(long, value_name = "DIR", default_value = "qlik-onprem-sim-certificates")]
    certificates: PathBuf,
    /// Password of the .pfx files
    #[arg(long, default_value = "")]
    pfx_password: String,
    /// Number of apps; the other sizes follow
    #[arg(long, default_value_t = 60)]
    apps: u64,
    /// Number of users
    #[arg(long)]
    users: Option<u64>,
    /// The same seed gives the same site
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Percentage of rows that each revision changes
    #[arg(long, default_value_t = 0.0)]
    changed: f64,
    /// Revision of the content
    #[arg(long, default_value_t = 0)]
    revision: u32,
    /// Seconds for which the proxy is away when it starts anew
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    restart: f64,
    /// Cut lists silently after so many rows
    #[arg(long, value_name = "ROWS")]
    list_cap: Option<u64>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut population = Population::of(options.apps);
    population.users = options.users.unwrap_or(population.users);
    let simulator = Simulator::start_blocking(Config {
        repository_port: options.repository_port,
        proxy_port: options.proxy_port,
        further_ports: options.further_port.clone(),
        server_name: options.server_name.clone(),
        seed: options.seed,
        population,
        changes: Changes { percent: options.changed, revision: options.revision },
        restart: Duration::try_from_secs_f64(options.restart).context("--restart")?,
        list_cap: options.list_cap,
        ..Config::default()
    })?;
    export(&simulator, &options)?;
    println!("repository     {}", simulator.repository_url());
    println!("proxy          {}", simulator.proxy_url());
    println!("certificates   {}/{{root,client,client_key}}.pem", options.certificates.display());
    println!("               {}/client{{,-rc2,-3des}}.pfx", options.certificates.display());
    for (what, index) in [("RootAdmin", 0), ("service acct.", 13), ("no role", 6)] {
        let (directory, id) = simulator.user(index);
        println!("{what:<15}UserDirectory={directory}; UserId={id}");
    }
    println!(
        "control        {}/__sim/{{faults,line,certificate,proxy-line,proxy-certificate,requests,counters,changes,events,sessions}}",
        simulator.proxy_url()
    );
    loop {
        std::thread::park();
    }
}

/// Writes what an administrator would export, under the names that Qlik gives them.
fn export(simulator: &Simulator, options: &Options) -> anyhow::Result<()> {
    let (folder, password) = (&options.certificates, options.pfx_password.as_str());
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let client = simulator.client_certificate();
    write(&folder.join("root.pem"), simulator.root_pem().as_bytes())?;
    write(&folder.join("client.pem"), client.certificate_pem.as_bytes())?;
    write(&folder.join("client_key.pem"), client.key_pem.as_bytes())?;
    for (name, encryption) in [
        ("client.pfx", Pkcs12::Aes256),
        ("client-rc2.pfx", Pkcs12::Rc2),
        ("client-3des.pfx", Pkcs12::TripleDes),
    ] {
        write(&folder.join(name), &client.pfx(encryption, password)?)?;
    }
    Ok(())
}

fn write(file: &Path, content: &[u8]) -> anyhow::Result<()> {
    std::fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}
