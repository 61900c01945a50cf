//! Whole hooks against scripted answers of a server.
