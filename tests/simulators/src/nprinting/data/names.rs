//! Names. They rise with the rank of a row, so that a list sorted by name needs no sorting; the rank is a permutation
//! of the index, so that the order of names says nothing about the order of creation.

use crate::nprinting::data::{Catalog, Kind};

const FAMILY: [&str; 20] = [
    "Almeida",
    "Andersson",
    "Bauer",
    "Costa",
    "Dubois",
    "Eriksson",
    "Fischer",
    "García",
    "Hopper",
    "Ivanova",
    "Jansen",
    "Kowalski",
    "Lovelace",
    "Müller",
    "Nakamura",
    "O'Neill",
    "Rossi",
    "Schmidt",
    "Turing",
    "Yılmaz",
];
const GIVEN: [&str; 16] = [
    "Ada", "Björn", "Carmen", "Daan", "Elif", "Fatima", "Giulia", "Hedy", "Ivan", "Jonas", "Kaito", "Lena",
    "Mateo", "Noor", "Olga", "Zoë",
];
const SUBJECTS: [&str; 24] = [
    "Accounts payable",
    "Budget",
    "Call centre",
    "Cash flow",
    "Claims",
    "Customer",
    "Delivery",
    "Energy",
    "Fleet",
    "Forecast",
    "Headcount",
    "Inventory",
    "KPI",
    "Logistics",
    "Margin",
    "Orders",
    "Payroll",
    "Procurement",
    "Quality",
    "Returns",
    "Sales",
    "Supplier",
    "Treasury",
    "Warehouse",
];

impl Catalog {
    /// Name of a row (a report's title, a user's name).
    pub(crate) fn name(&self, kind: Kind, index: u64) -> String {
        let rank = self.shuffles[kind as usize].rank(index);
        let noun = match kind {
            Kind::App => "app",
            Kind::Connection => "connection",
            Kind::Filter => "filter",
            Kind::Report | Kind::Request => "report",
            Kind::Task => "distribution",
            Kind::Group => "team",
            Kind::Role => return self.role_name(index, rank),
            Kind::User => {
                let (family, given) =
                    (FAMILY[self.bucket(kind, rank, FAMILY.len())], self.noise(kind, index, 10));
                return format!("{family} {rank:06} {}", GIVEN[(given % GIVEN.len() as u64) as usize]);
            }
            Kind::Execution | Kind::Audit => "event",
        };
        format!("{} {noun} {rank:06}", SUBJECTS[self.bucket(kind, rank, SUBJECTS.len())])
    }

    fn role_name(&self, index: u64, rank: u64) -> String {
        match index {
            0 => "Administrator".to_owned(),
            1 => "Developer".to_owned(),
            2 => "User".to_owned(),
            _ => format!("Readers {rank:06}"),
        }
    }

    /// Which of so many buckets a rank falls into; rows added later share the last.
    fn bucket(&self, kind: Kind, rank: u64, buckets: usize) -> usize {
        let share = u128::from(rank) * buckets as u128 / u128::from(self.seeded(kind).max(1));
        (share as usize).min(buckets - 1)
    }

    /// Do names of this kind rise with the rank?
    pub(crate) fn ranks(&self, kind: Kind) -> bool {
        !matches!(kind, Kind::Role)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nprinting::config::{Changes, Population, Shape};

    #[test]
    fn names_rise_with_the_rank() {
        let changes = Changes { percent: 5.0, revision: 1 };
        let catalog = Catalog::new(3, Shape::default(), &Population::of(500), changes);
        for kind in [Kind::App, Kind::User, Kind::Filter] {
            let rows = 0..catalog.extent(kind);
            let names: Vec<String> =
                rows.map(|rank| catalog.name(kind, catalog.ranked(kind, rank))).collect();
            assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{kind:?}");
        }
    }
}
