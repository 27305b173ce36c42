//! (being made)
