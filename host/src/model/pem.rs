//! PEM (RFC 7468), written.

use pem_rfc7468::{LineEnding, encode_string};
use zeroize::Zeroizing;

/// The text of a certificate or a key; `label` is what stands behind `BEGIN`.
pub fn written(label: &'static str, der: &[u8]) -> Zeroizing<String> {
    // It fails only for labels and lengths that there are not.
    Zeroizing::new(encode_string(label, LineEnding::LF, der).unwrap_or_default())
}
