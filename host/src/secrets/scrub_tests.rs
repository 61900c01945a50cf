//! Tests of scrub.
