//! Checking manifests without running them.

use std::path::{Path, PathBuf};

use super::{
    assembly::{Assembler, Assembly},
    manifests::Manifests,
    memory::Memory,
    problem::Problem,
};
use crate::{callback::SIGNING_SECRET, fleet::Environment};

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// Objects looked at: instances, pollers and Secrets.
    pub objects: usize,
    /// Documents that are nothing of Pollen's.
    pub foreign: usize,
    /// What would be refused, in order of file and line.
    pub problems: Vec<Problem>,
    /// What is no mistake, but could not be checked to the end.
    pub notes: Vec<Problem>,
}

/// Checks the manifests at and below `paths` by the rules of the API server, then builds every
/// instance and poller; sends nothing.
///
/// A Secret that is not among the manifests may be in the cluster: that is a note.
pub async fn check(paths: &[PathBuf], environment: &Environment) -> Checked {
    let (mut manifests, problems) = Manifests::read(paths, None);
    let mut notes = std::mem::take(&mut manifests.left_out);
    for instance in manifests.instances.values() {
        for secret in manifests.missing_secrets(instance) {
            let elsewhere = manifests.elsewhere(&instance.id.name, &secret);
            let text = format!(
                "Secret {secret:?} is not among these files: its entries were not checked{elsewhere}"
            );
            notes.push(instance.problem(text));
        }
    }
    let (assembly, found) = assemble(&manifests, environment, true).await;
    notes.extend(doubts(&manifests, &assembly));
    let problems = sorted(problems, found);
    Checked {
        objects: manifests.len(),
        foreign: manifests.foreign,
        problems,
        notes,
    }
}

/// What is no mistake, but odd, of instances that could be built.
pub(super) fn doubts(manifests: &Manifests, assembly: &Assembly) -> Vec<Problem> {
    let built = assembly.instances.iter().filter_map(|(name, instance)| {
        let placed = manifests.instances.get(name)?;
        let doubts = instance.doubts().iter();
        Some(doubts.map(|doubt| placed.fault(SIGNING_SECRET, doubt)))
    });
    built.flatten().collect()
}

/// Builds everything as if it were seen for the first time; sends nothing.
pub(super) async fn assemble(
    manifests: &Manifests,
    environment: &Environment,
    secrets_may_be_elsewhere: bool,
) -> (Assembly, Vec<Problem>) {
    let memory = Memory::blank(manifests, environment.clock.now());
    // Nothing is sent, so no token is asked for, and the state folder is never looked at.
    let state = Path::new(".pollen");
    let assembler = Assembler {
        manifests,
        memory: &memory,
        state,
        environment,
        secrets_may_be_elsewhere,
    };
    assembler.assemble().await
}

/// All problems in order of file and line.
pub(super) fn sorted(mut problems: Vec<Problem>, found: Vec<Problem>) -> Vec<Problem> {
    problems.extend(found);
    problems.sort();
    problems
}
