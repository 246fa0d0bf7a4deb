//! What a client sees of the simulated instance, over sockets.

mod client;
mod deletes;
mod faults;
mod oauth;
mod paging;
mod served;
mod table;
mod traffic;
