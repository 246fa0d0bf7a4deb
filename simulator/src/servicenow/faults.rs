//! Answers that an instance should not give and gives.

use std::{collections::VecDeque, time::Duration};

use super::Instance;
use crate::RetryAfter;

/// What goes wrong with an authorized request of the Table API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This status with ServiceNow's error body.
    Status(u16),
    /// 429 with the headers of a rate limit rule.
    Throttle(RetryAfter),
    /// 401, though the access token is valid.
    Unauthorized,
    /// 200 with a page for people, as of hibernating instances and single sign-on.
    Html,
    /// 200 whose JSON breaks off.
    Truncated,
    /// 200 with rows, then an error behind them: the body was under way when the transaction was cancelled.
    ErrorAfterRows,
    /// 200 with a text in the place of a record.
    StringAmongRows,
    EmptyBody,
    /// The right answer after a while, as it was when the request came.
    Slow(Duration),
    /// The right answer in eight pieces, with this pause before each.
    Drip(Duration),
    /// No answer as long as the client waits.
    Hang,
    /// The connection ends without an answer.
    CloseConnection,
}

/// What goes wrong with a request for tokens; nothing is issued or used up but by `LostAnswer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    Status(u16),
    /// 200 with an OAuth error in the body.
    ErrorWith200,
    Html,
    Empty,
    Hang,
    CloseConnection,
    /// The request is carried out, and the connection ends without an answer.
    LostAnswer,
}

/// Faults in store.
#[derive(Debug, Default)]
pub(super) struct Faults {
    next: VecDeque<Fault>,
    always: Option<Fault>,
    next_token: VecDeque<TokenFault>,
}

impl Faults {
    pub(super) fn take(&mut self) -> Option<Fault> {
        self.next.pop_front().or_else(|| self.always.clone())
    }

    pub(super) fn take_token(&mut self) -> Option<TokenFault> {
        self.next_token.pop_front()
    }
}

impl Instance {
    /// Queues a fault for one authorized request of the Table API.
    pub fn fail_next(&self, fault: Fault) {
        self.state().faults.next.push_back(fault);
    }

    /// Sets what goes wrong with every such request for which no fault is queued.
    pub fn fail_always(&self, fault: Option<Fault>) {
        self.state().faults.always = fault;
    }

    /// Queues a fault for one request for tokens.
    pub fn fail_next_token(&self, fault: TokenFault) {
        self.state().faults.next_token.push_back(fault);
    }
}
