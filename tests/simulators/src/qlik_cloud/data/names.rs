//! Names. They rise with the rank of a row, so that a list sorted by name needs no sorting; the rank is a permutation
//! of the index, so that the order of names says nothing about the order of creation.

use crate::qlik_cloud::data::{Catalog, Kind};

const GIVEN: [&str; 40] = [
    "Ada", "Agnes", "Alan", "Anders", "Beatriz", "Björn", "Carmen", "Chloé", "Daan", "Dimitri", "Edith", "Elif",
    "Emil", "Fatima", "Femke", "Giulia", "Grace", "Hamza", "Hedy", "Ines", "Ivan", "Jonas", "Julia", "Kaito", "Katrin",
    "Lena", "Linus", "Margaret", "Mateo", "Nadia", "Noor", "Olga", "Pavel", "Quentin", "Rosa", "Sakura", "Tomás",
    "Ursula", "Yasmin", "Zoë",
];
const FAMILY: [&str; 25] = [
    "Almeida", "Andersson", "Bauer", "Costa", "Dubois", "Eriksson", "Fischer", "García", "Hopper", "Ivanova", "Jansen",
    "Kowalski", "Lovelace", "Martin", "Müller", "Nakamura", "Novák", "O'Neill", "Papadopoulos", "Rossi", "Schmidt",
    "Silva", "Turing", "Weber", "Yılmaz",
];
const SUBJECTS: [&str; 32] = [
    "Accounts payable", "Audience", "Basket", "Budget", "Call centre", "Capacity", "Cash flow", "Claims", "Customer",
    "Delivery", "Energy", "Fleet", "Forecast", "Fraud", "Headcount", "Inventory", "KPI", "Ledger", "Logistics",
    "Maintenance", "Margin", "Marketing", "Orders", "Payroll", "Pipeline", "Procurement", "Quality", "Returns", "Sales",
    "Supplier", "Treasury", "Warehouse",
];

impl Catalog {
    /// Writes the name of a row that is not a person.
    pub(crate) fn name(&self, kind: Kind, index: u64) -> String {
        let rank = self.rank(kind, index);
        let subject = SUBJECTS[self.bucket(kind, rank, SUBJECTS.len())];
        let noun = match kind {
            Kind::App => "analysis",
            Kind::Space => "space",
            Kind::Group => "team",
            Kind::DataSet => "facts",
            Kind::DataFile => "extract",
            Kind::DataConnection => "source",
            Kind::Automation => "flow",
            Kind::Note => "note",
            Kind::Task => "reload",
            Kind::SharingTask => "delivery",
            Kind::ReportTemplate => "template",
            Kind::User | Kind::Reload | Kind::Audit => "record",
        };
        let mut name = String::with_capacity(48);
        for part in [subject, " ", noun, " ", &digits(rank)] {
            name.push_str(part);
        }
        name
    }

    /// Given and family name of a person.
    pub(crate) fn person(&self, index: u64) -> (&'static str, &'static str) {
        let both = self.bucket(Kind::User, self.rank(Kind::User, index), GIVEN.len() * FAMILY.len());
        (GIVEN[both / FAMILY.len()], FAMILY[both % FAMILY.len()])
    }

    fn bucket(&self, kind: Kind, rank: u64, buckets: usize) -> usize {
        let last = buckets - 1;
        ((u128::from(rank) * buckets as u128 / u128::from(self.seeded(kind).max(1))) as usize).min(last)
    }
}

/// Seven digits, so that names of one subject sort as their numbers do.
fn digits(mut value: u64) -> String {
    let mut text = [b'0'; 7];
    for digit in text.iter_mut().rev() {
        *digit += (value % 10) as u8;
        value /= 10;
    }
    text.iter().map(|byte| char::from(*byte)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qlik_cloud::config::{Changes, Population};

    #[test]
    fn names_rise_with_the_rank() {
        let changes = Changes { percent: 5.0, revision: 1 };
        let catalog = Catalog::new(3, String::new(), &Population::of(5000), changes);
        let names: Vec<String> = (0..catalog.extent(Kind::App))
            .map(|rank| catalog.name(Kind::App, catalog.ranked(Kind::App, rank)))
            .collect();
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
