//! The catalog: the kinds of object that this product lists, read by its endpoint map.

use crate::{client::PRODUCT, settings::Settings};
use jackfield_plugin::{Context, Failure, contract::hooks::RefreshReport, sdk::DescriptionBuilder};

/// Adds the kinds of object to the description.
pub(crate) fn objects(description: DescriptionBuilder) -> DescriptionBuilder {
    jackfield_qalyptus::objects(description, &PRODUCT)
}

/// Reads everything.
pub(crate) async fn run(context: &Context<Settings>) -> Result<RefreshReport, Failure> {
    jackfield_qalyptus::refresh(context).await
}
