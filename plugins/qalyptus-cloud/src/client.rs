//! The remote API: its endpoint map, which is all that this product has of its own. How it is asked by the map is the library's.

use jackfield_qalyptus::Product;

/// The product, with the one place that knows paths of it.
pub(crate) const PRODUCT: Product = Product {
    id: "qalyptus-cloud",
    name: "Qalyptus Cloud",
    map: include_str!("map.json"),
    without: &[],
    address: "the address of the Qalyptus Cloud tenant, as in https://your-tenant.qalyptus.net (Administration > Settings shows its hostname)",
    keys: "Administration > Settings > API keys",
};
