//! Rekey.
