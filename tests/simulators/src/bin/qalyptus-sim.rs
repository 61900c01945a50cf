//! A simulated Qalyptus Server or Qalyptus Cloud tenant for any client to be pointed at.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use jackfield_simulators::qalyptus::{
    Changes, Config, Integration, NewKey, Population, Product, Simulator, Tls,
};

/// A simulated Qalyptus Server or Qalyptus Cloud tenant on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(name = "qalyptus-sim", version)]
struct Options {
    /// Which product
    #[arg(value_enum)]
    product: Which,
    /// Port on 127.0.0.1; 0 takes a free one (a real server may have 3994)
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How the listener is secured; the server product speaks plain HTTP unless told, the cloud product HTTPS
    #[arg(long, value_enum)]
    tls: Option<Security>,
    /// Where to write the authority's or the system's certificate
    #[arg(long, value_name = "FILE", default_value = "qalyptus-sim.pem")]
    ca_file: PathBuf,
    /// A folder in front of everything, as behind a reverse proxy (/qalyptus)
    #[arg(long, default_value = "")]
    mount: String,
    /// Number of tasks; the other sizes follow
    #[arg(long, default_value_t = 79)]
    tasks: u64,
    /// Number of organizations
    #[arg(long)]
    organizations: Option<u64>,
    /// The same seed gives the same system
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Percentage of rows that each revision changes
    #[arg(long, default_value_t = 0.0)]
    changed: f64,
    /// Revision of the content
    #[arg(long, default_value_t = 0)]
    revision: u32,
    /// State of the link to Qlik Sense (cloud)
    #[arg(long, value_enum, default_value_t = Link::Connected)]
    qlik_sense: Link,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    Server,
    Cloud,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Security {
    /// Plain HTTP
    Off,
    /// A certificate of the simulator's own authority
    Authority,
    /// A certificate that is its own issuer
    SelfSigned,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Link {
    /// It works
    Connected,
    /// Nobody set one up
    NotConfigured,
    /// It was set up and is broken
    Disconnected,
    /// The owner of the key may not know
    Forbidden,
    /// There is no such question
    Missing,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let usual = match options.product {
        Which::Server => Config::server(),
        Which::Cloud => Config::cloud(),
    };
    let mut population = Population::of(options.tasks);
    population.organizations = options.organizations.unwrap_or(population.organizations);
    let simulator = Simulator::start_blocking(Config {
        port: options.port,
        tls: options.tls.map_or(usual.tls, security),
        mount: options.mount.clone(),
        seed: options.seed,
        population,
        changes: Changes { percent: options.changed, revision: options.revision },
        integration: link(options.qlik_sense),
        ..usual
    })?;
    introduce(&simulator, &options)?;
    loop {
        std::thread::park();
    }
}

fn introduce(simulator: &Simulator, options: &Options) -> anyhow::Result<()> {
    println!("server URL     {}", simulator.base_url());
    if !simulator.ca_pem().is_empty() {
        std::fs::write(&options.ca_file, simulator.ca_pem())
            .with_context(|| format!("cannot write {}", options.ca_file.display()))?;
        println!("certificate    {}", options.ca_file.display());
    }
    println!("API key        {}", simulator.create_api_key(&NewKey::default())?.key);
    let user = NewKey { owner: 2, ..NewKey::default() };
    println!("a user's key   {}", simulator.create_api_key(&user)?.key);
    if simulator.product() == Product::Server {
        println!("administrator  {} / {}", simulator.user_email(0), Config::server().password);
    }
    let origin = simulator.origin();
    println!(
        "control        {origin}/__sim/{{faults,line,certificate,requests,counters,changes,switches,keys}}"
    );
    Ok(())
}

fn security(security: Security) -> Tls {
    match security {
        Security::Off => Tls::Off,
        Security::Authority => Tls::Authority,
        Security::SelfSigned => Tls::SelfSigned,
    }
}

fn link(link: Link) -> Integration {
    match link {
        Link::Connected => Integration::Connected,
        Link::NotConfigured => Integration::NotConfigured,
        Link::Disconnected => Integration::Disconnected("The Qlik Sense API key has expired".to_owned()),
        Link::Forbidden => Integration::Forbidden,
        Link::Missing => Integration::Missing,
    }
}
