//! Names of rows. None holds a sign that the cloud product forbids in the name of a report.

use crate::qalyptus::config::Product;
use crate::qalyptus::data::{Catalog, Kind};

const GIVEN: [&str; 12] =
    ["Ada", "Björn", "Carmen", "Daan", "Elif", "Fatima", "Giulia", "Hedy", "Ivan", "Jonas", "Noor", "Zoë"];
const FAMILY: [&str; 12] = [
    "Almeida",
    "Andersson",
    "Bauer",
    "Costa",
    "Dubois",
    "García",
    "Hopper",
    "Kowalski",
    "Lovelace",
    "O'Neill",
    "Turing",
    "Yılmaz",
];
const SUBJECTS: [&str; 16] = [
    "Budget",
    "Cash flow",
    "Claims",
    "Customer",
    "Delivery",
    "Energy",
    "Fleet",
    "Forecast",
    "Inventory",
    "KPI",
    "Margin",
    "Orders",
    "Payroll",
    "Quality",
    "Sales",
    "Warehouse",
];
/// Right to left, beyond the basic plane, combining, and a letter whose lower case has three characters.
const ODD: [&str; 4] = ["تقرير المبيعات", "דוח חודשי", "𝒮ales 📊 報告", "İe\u{301}quipe"];
/// The roles that a server has; they cannot be changed.
const SERVER_ROLES: [&str; 6] = [
    "Administrators",
    "Developers",
    "Users",
    "Qalyptus Notify",
    "Qalyptus On-Demand",
    "Qalyptus Self-Reporting",
];
const CLOUD_ROLES: [&str; 6] =
    ["Tenant Administrator", "Administrator", "Creator", "Explorer", "Viewer", "Unlicensed"];

impl Catalog {
    /// Name of a row.
    pub(crate) fn name(&self, kind: Kind, index: u64) -> String {
        let noise = self.noise(kind, index, 4);
        if self.shape.odd_names && index % 3 == 2 {
            return format!("{} {index}", ODD[(noise % 4) as usize]);
        }
        let noun = match kind {
            Kind::Organization if index == 0 => return "Qalyptus".to_owned(),
            Kind::Role => return self.role_name(index),
            Kind::User => return self.person(index),
            Kind::Group if index < self.seeded(Kind::Organization) => return "Everyone".to_owned(),
            Kind::Organization => "company",
            Kind::Project => "project",
            Kind::Connection => "connection",
            Kind::Filter => "filter",
            Kind::Report | Kind::TaskReport | Kind::Request => "report",
            Kind::Task => "distribution",
            Kind::Group => "team",
            Kind::App => "analysis",
            Kind::Trigger => "schedule",
            Kind::TaskRecipient => "recipient",
        };
        format!("{} {noun} {index:05}", SUBJECTS[(noise % 16) as usize])
    }

    fn person(&self, index: u64) -> String {
        let noise = self.noise(Kind::User, index, 4);
        format!("{} {}", GIVEN[(noise % 12) as usize], FAMILY[(noise / 12 % 12) as usize])
    }

    fn role_name(&self, index: u64) -> String {
        let fixed = match self.product {
            Product::Server => SERVER_ROLES,
            Product::Cloud => CLOUD_ROLES,
        };
        let name = usize::try_from(index).ok().and_then(|index| fixed.get(index));
        name.map_or_else(|| format!("Readers {index:02}"), |name| (*name).to_owned())
    }

    /// Is a role one that every system has?
    pub(crate) fn is_fixed_role(&self, index: u64) -> bool {
        index < SERVER_ROLES.len() as u64
    }

    /// Email of a user.
    pub(crate) fn email(&self, index: u64) -> String {
        format!("user{index:05}@example.com")
    }

    /// A description that tells in which round the row was revised.
    pub(crate) fn note(&self, kind: Kind, index: u64) -> String {
        match self.touched(kind, index).unwrap_or_default() {
            0 if index.is_multiple_of(3) => String::new(),
            0 => "Made by the simulator".to_owned(),
            revision => format!("Revised in round {revision}"),
        }
    }
}
