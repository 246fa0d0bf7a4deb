//! A crash that leaves no secret behind.

/// Keeps the memory of this process, and so the tokens and Secrets in it, out of core dumps, also
/// where the machine pipes them to a collector; other processes of the same user cannot attach to it
/// (`prctl(2)`, `PR_SET_DUMPABLE`). Only Linux has it.
pub(super) fn forbid() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        if let Err(error) = set_dumpable_behavior(DumpableBehavior::NotDumpable) {
            super::output::note(
                "warning",
                format!("a crash may leave secrets in a core dump: {error}"),
            );
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use rustix::process::{DumpableBehavior, dumpable_behavior, set_dumpable_behavior};

    #[test]
    fn a_process_that_forbids_core_dumps_is_not_dumpable() {
        super::forbid();
        let after = dumpable_behavior();
        // The other tests of this process may read what is theirs in /proc.
        set_dumpable_behavior(DumpableBehavior::Dumpable).unwrap();
        assert_eq!(after.unwrap(), DumpableBehavior::NotDumpable);
    }
}
