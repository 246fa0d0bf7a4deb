//! What a client sees of the simulated instance, over sockets.

// The lints' exemption for tests covers test functions, not what they share.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod client;
mod deletes;
mod faults;
mod oauth;
mod paging;
mod served;
mod table;
mod traffic;
