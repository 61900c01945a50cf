//! A simulated Qlik Cloud tenant for any client to be pointed at.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use jackfield_simulators::qlik_cloud::{
    Changes, Config, JwtAuthorization, Limits, NewClient, OwnProvider, Population, SignIn, Simulator,
};

/// A simulated Qlik Cloud tenant on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(name = "qlik-cloud-sim", version)]
struct Options {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Speak HTTPS with a certificate of the simulator's own authority
    #[arg(long)]
    tls: bool,
    /// Where to write the authority's certificate (with --tls)
    #[arg(long, value_name = "FILE", default_value = "qlik-cloud-sim-ca.pem")]
    ca_file: PathBuf,
    /// Number of apps; the other sizes follow
    #[arg(long, default_value_t = 100)]
    apps: u64,
    /// Number of users
    #[arg(long)]
    users: Option<u64>,
    /// Number of spaces
    #[arg(long)]
    spaces: Option<u64>,
    /// The same seed gives the same tenant
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Percentage of rows that each revision changes
    #[arg(long, default_value_t = 0.0)]
    changed: f64,
    /// Revision of the content
    #[arg(long, default_value_t = 0)]
    revision: u32,
    /// Switch the rate limiter off
    #[arg(long)]
    no_limits: bool,
    /// Let tokens of identity providers sign in, as after the vendor's activation
    #[arg(long)]
    jwt_authorization: bool,
    /// Give the tenant an interactive identity provider of its own (okta, azureAD, …)
    #[arg(long, value_name = "PROVIDER")]
    own_identity_provider: Option<String>,
    /// Further host names of the tenant
    #[arg(long = "alias", value_name = "HOST")]
    aliases: Vec<String>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut population = Population::of(options.apps);
    population.users = options.users.unwrap_or(population.users);
    population.spaces = options.spaces.unwrap_or(population.spaces);
    let simulator = Simulator::start_blocking(Config {
        port: options.port,
        tls: options.tls,
        seed: options.seed,
        population,
        changes: Changes { percent: options.changed, revision: options.revision },
        limits: if options.no_limits { Limits::off() } else { Limits::default() },
        alias_hosts: options.aliases,
        sign_in: SignIn {
            jwt: if options.jwt_authorization {
                JwtAuthorization::Active
            } else {
                JwtAuthorization::Inactive
            },
            own_provider: options
                .own_identity_provider
                .map(|provider| OwnProvider { provider, ..OwnProvider::default() }),
            ..SignIn::default()
        },
        ..Config::default()
    })?;
    introduce(&simulator, options.tls.then_some(&options.ca_file))?;
    loop {
        std::thread::park();
    }
}

fn introduce(simulator: &Simulator, ca_file: Option<&PathBuf>) -> anyhow::Result<()> {
    let client = simulator.create_oauth_client(&NewClient {
        grant_types: vec!["client_credentials".to_owned(), "urn:qlik:oauth:user-impersonation".to_owned()],
        ..NewClient::default()
    });
    let key = simulator.create_api_key(&simulator.user_id(0), Duration::from_secs(30 * 86_400))?;
    println!("base URL       {}", simulator.base_url());
    if let Some(file) = ca_file {
        std::fs::write(file, simulator.ca_pem())
            .with_context(|| format!("cannot write {}", file.display()))?;
        println!("CA certificate {}", file.display());
    }
    println!("tenant id      {}", simulator.tenant_id());
    println!("client id      {}", client.client_id);
    println!("client secret  {}", client.client_secret);
    println!("API key        {}", key.token);
    println!("of             {}", simulator.user_email(0));
    println!(
        "control        {}/__sim/{{faults,line,certificate,requests,counters,changes,sign-in,sessions}}",
        simulator.base_url()
    );
    Ok(())
}
