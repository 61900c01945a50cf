//! Tests of handles.
