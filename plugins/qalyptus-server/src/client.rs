//! The remote API: its endpoint map, which is all that this product has of its own. How it is asked by the map is the library's.

use jackfield_qalyptus::Product;

/// The product, with the one place that knows paths of it.
pub(crate) const PRODUCT: Product = Product {
    id: "qalyptus-server",
    name: "Qalyptus Server",
    map: include_str!("map.json"),
    without: &["apps.list", "reports.filters", "reports.templateItems"],
    address: "the address of Qalyptus Server itself, with its port; if it stands below a path, give base_path in the endpoint map",
    keys: "Administration > Settings > API Keys",
};
