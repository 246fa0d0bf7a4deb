//! Which addresses may be reached, and HTTP clients that keep to it.
