//! Names and accounts. An app's name is a permutation of its index, so that the order of names says nothing about the
//! order of creation; names of apps are not unique on a real site, so one in fifty is another's.

use crate::qlik_onprem::data::Catalog;
use crate::qlik_onprem::entities::Kind;

const FAMILY: [&str; 12] = [
    "Almeida", "Bauer", "Costa", "Dubois", "Fischer", "García", "Hopper", "Lovelace", "Müller", "O'Neill",
    "Rossi", "Yılmaz",
];
const GIVEN: [&str; 8] = ["Ada", "Björn", "Carmen", "Elif", "Hedy", "Ivan", "Noor", "Zoë"];
const SUBJECTS: [&str; 16] = [
    "Accounts payable",
    "Budget",
    "Cash flow",
    "Claims",
    "Customers & churn",
    "Delivery",
    "Energy",
    "Forecast",
    "Headcount",
    "Inventory",
    "KPI",
    "Margin",
    "Orders",
    "Quality",
    "Sales",
    "Treasury",
];
const PROPERTIES: [&str; 6] =
    ["Department", "Region", "Confidentiality", "Lifecycle", "CostCentre", "Owner team"];
/// Accounts that every site has.
const INTERNAL: [&str; 6] =
    ["sa_repository", "sa_api", "sa_scheduler", "sa_proxy", "sa_engine", "sa_printing"];
/// Where the internal accounts begin among the users.
const FIRST_INTERNAL: u64 = 12;
/// What the first users are there for.
const PEOPLE: [&str; 12] = [
    "svc_qlik",
    "content.admin",
    "deployment.admin",
    "audit.admin",
    "security.admin",
    "hub.admin",
    "reader",
    "blocked",
    "inactive",
    "departed",
    "second.root",
    "developer",
];

impl Catalog {
    /// Name of a row.
    pub(crate) fn name(&self, kind: Kind, index: u64) -> String {
        let rank = self.shuffles[kind as usize].rank(index);
        let noun = match kind {
            Kind::App if index % 50 == 49 => return self.name(kind, index - 1),
            Kind::App => "",
            Kind::Stream => return self.stream_name(index),
            Kind::ReloadTask => {
                return format!("Reload task of {}", self.name(Kind::App, self.app_of(index)));
            }
            Kind::ExternalProgramTask => " clean-up",
            Kind::UserSyncTask => " user directory",
            Kind::User => return self.user_name(index),
            Kind::CustomProperty => match PROPERTIES.get(index as usize) {
                Some(name) => return (*name).to_owned(),
                None => return format!("Property {index:03}"),
            },
            Kind::Tag => " tag",
            Kind::Extension => " chart",
            Kind::DataConnection => " database",
            Kind::SystemRule => return self.rule_name(index),
            Kind::ContentLibrary => return ["Default", "Brand images"][index as usize % 2].to_owned(),
            Kind::UserDirectory => return self.directory(index).to_owned(),
            Kind::CompositeEvent => return format!("After {}", self.name(Kind::ReloadTask, index)),
            Kind::AppObject => return format!("Sheet {}", index + 1),
            Kind::SchemaEvent => return format!("Schedule {index:06}"),
            _ => " row",
        };
        format!("{}{noun} {rank:06}", SUBJECTS[(rank % SUBJECTS.len() as u64) as usize])
    }

    fn stream_name(&self, index: u64) -> String {
        match index {
            0 => "Everyone".to_owned(),
            1 => "Monitoring apps".to_owned(),
            _ => format!("{} stream {index:03}", SUBJECTS[(index % SUBJECTS.len() as u64) as usize]),
        }
    }

    fn user_name(&self, index: u64) -> String {
        let special = PEOPLE.get(index as usize).or_else(|| self.internal(index));
        if let Some(name) = special {
            return (*name).to_owned();
        }
        let pick = |names: &[&'static str], property| {
            names[(self.noise(Kind::User, index, property) % names.len() as u64) as usize]
        };
        format!("{} {}", pick(&GIVEN, 10), pick(&FAMILY, 11))
    }

    fn internal(&self, index: u64) -> Option<&&'static str> {
        INTERNAL.get(index.checked_sub(FIRST_INTERNAL)? as usize)
    }

    /// A name of a user directory.
    pub(crate) fn directory(&self, index: u64) -> &'static str {
        ["EXAMPLE", "PARTNER"][index as usize % 2]
    }

    /// A user's directory and id.
    pub(crate) fn user_key(&self, index: u64) -> (&'static str, String) {
        if let Some(name) = self.internal(index) {
            return ("INTERNAL", (*name).to_owned());
        }
        let directory = self.directory(u64::from(index >= 18 && index % 9 == 4));
        match PEOPLE.get(index as usize) {
            Some(name) => (directory, (*name).to_owned()),
            None => (directory, format!("user{index:07}")),
        }
    }

    /// `DIRECTORY\id` of a user.
    pub(crate) fn account(&self, index: u64) -> String {
        let (directory, id) = self.user_key(index);
        format!("{directory}\\{id}")
    }

    /// The generated user with this directory and id, in any case.
    pub(crate) fn user_by_key(&self, directory: &str, id: &str) -> Option<u64> {
        let same = |name: &&&str| name.eq_ignore_ascii_case(id);
        let internal = INTERNAL.iter().position(|name| same(&name)).map(|at| at as u64 + FIRST_INTERNAL);
        let special = PEOPLE.iter().position(|name| same(&name)).map(|at| at as u64).or(internal);
        let numbered = || id.to_ascii_lowercase().strip_prefix("user").and_then(|digits| digits.parse().ok());
        let index = special.or_else(numbered)?;
        let (own_directory, own_id) = self.user_key(index);
        let found = own_directory.eq_ignore_ascii_case(directory) && own_id.eq_ignore_ascii_case(id);
        (found && self.exists(Kind::User, index)).then_some(index)
    }
}
