//! A simulated Qlik NPrinting server for any client to be pointed at.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use jackfield_simulators::nprinting::{
    Changes, Config, JwtPair, Matching, Population, Shape, Simulator, Tls,
};
use serde_json::json;

/// A simulated Qlik NPrinting server on 127.0.0.1.
#[derive(Debug, Parser)]
#[command(name = "nprinting-sim", version)]
struct Options {
    /// Port on 127.0.0.1; 0 takes a free one (a real server has 4993)
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// How the listener is secured
    #[arg(long, value_enum, default_value_t = Security::SelfMade)]
    tls: Security,
    /// Where to write the authority's or the server's certificate
    #[arg(long, value_name = "FILE", default_value = "nprinting-sim.pem")]
    ca_file: PathBuf,
    /// Register this X.509 certificate for tokens; without it a pair is made and written to --jwt-pair
    #[arg(long, value_name = "FILE")]
    jwt_certificate: Option<PathBuf>,
    /// Where cert.pem and key.pem are written, as a server ships them
    #[arg(long, value_name = "DIR", default_value = "nprinting-sim-certificates")]
    jwt_pair: PathBuf,
    /// Claim with the user's email
    #[arg(long, value_name = "CLAIM", default_value = "email")]
    email_claim: String,
    /// Match by domain account instead: the claims with user and domain
    #[arg(long, num_args = 2, value_names = ["USER", "DOMAIN"])]
    domain_claims: Option<Vec<String>>,
    /// Number of apps; the other sizes follow
    #[arg(long, default_value_t = 12)]
    apps: u64,
    /// Number of users
    #[arg(long)]
    users: Option<u64>,
    /// The same seed gives the same server
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Percentage of rows that each revision changes
    #[arg(long, default_value_t = 0.0)]
    changed: f64,
    /// Revision of the content
    #[arg(long, default_value_t = 0)]
    revision: u32,
    /// Write rows as servers of 2018 did: lower-case keys, without the members that came later
    #[arg(long)]
    old_release: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Security {
    /// Plain HTTP
    Off,
    /// A certificate of the simulator's own authority
    Authority,
    /// The self-signed certificate that a server makes itself
    SelfMade,
    /// The same with a common name and nothing else
    CommonNameOnly,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut population = Population::of(options.apps);
    population.users = options.users.unwrap_or(population.users);
    let matching = match options.domain_claims.as_deref() {
        Some([user, domain]) => Matching::DomainName { user: user.clone(), domain: domain.clone() },
        _ => Matching::Email { claim: options.email_claim.clone() },
    };
    let tls = match options.tls {
        Security::Off => Tls::Off,
        Security::Authority => Tls::Authority,
        Security::SelfMade => Tls::SelfMade,
        Security::CommonNameOnly => Tls::CommonNameOnly,
    };
    let old = options.old_release;
    let simulator = Simulator::start_blocking(Config {
        port: options.port,
        tls,
        seed: options.seed,
        population,
        matching: matching.clone(),
        changes: Changes { percent: options.changed, revision: options.revision },
        shape: Shape { lower_case_keys: old, omit_optional: old, ..Shape::default() },
        ..Config::default()
    })?;
    println!("base URL       {}", simulator.base_url());
    if !simulator.ca_pem().is_empty() {
        write(&options.ca_file, simulator.ca_pem())?;
        println!("certificate    {}", options.ca_file.display());
        println!("SHA-256        {}", simulator.leaf_sha256());
    }
    println!("administrator  {} / {}", simulator.user_email(0), Config::default().password);
    println!("limited user   {} / {}", simulator.user_email(1), Config::default().password);
    sign(&simulator, &options, &matching)?;
    println!(
        "control        {}/__sim/{{faults,line,certificate,requests,counters,changes,jwt-certificate,sessions}}",
        simulator.base_url()
    );
    loop {
        std::thread::park();
    }
}

/// Registers the certificate that was given, or a pair made now, with a token of the administrator.
fn sign(simulator: &Simulator, options: &Options, matching: &Matching) -> anyhow::Result<()> {
    if let Some(file) = &options.jwt_certificate {
        let pem = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        return simulator.register_jwt_certificate(&pem);
    }
    let pair = JwtPair::generate()?;
    simulator.register_jwt_certificate(&pair.certificate_pem)?;
    std::fs::create_dir_all(&options.jwt_pair)
        .with_context(|| format!("cannot make {}", options.jwt_pair.display()))?;
    write(&options.jwt_pair.join("cert.pem"), &pair.certificate_pem)?;
    write(&options.jwt_pair.join("key.pem"), &pair.private_key_pem)?;
    let claims = match matching {
        Matching::Email { claim } => json!({(claim): simulator.user_email(0)}),
        Matching::DomainName { user, domain } => {
            let account = simulator.user_account(0);
            let (of, name) = account.split_once('\\').unwrap_or_default();
            json!({(user): name, (domain): of})
        }
    };
    println!("JWT pair       {}/{{cert.pem,key.pem}}", options.jwt_pair.display());
    println!("JWT            {}", pair.token(&claims)?);
    Ok(())
}

fn write(file: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
}
