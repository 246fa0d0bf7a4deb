//! A crash leaves no memory behind, in which every secret stands.

use std::{fs, path::Path, process::Stdio};

use tokio::process::Command;

use crate::harness::World;

/// Runs `program` where a core dump of any size may be written, into `folder`.
async fn run_dumping(folder: &Path, program: &str) {
    let script = format!("ulimit -c unlimited; cd \"$0\"; {program}");
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).arg(folder).stderr(Stdio::null());
    bash.status().await.unwrap();
}

fn dumps(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[tokio::test]
async fn an_aborted_process_writes_no_core_dump() {
    let control = tempfile::tempdir().unwrap();
    run_dumping(control.path(), "bash -c 'kill -ABRT $$'").await;
    if dumps(control.path()) == 0 {
        eprintln!(
            "this machine writes no core dumps into the folder of a process: nothing is shown"
        );
        return;
    }
    let world = World::with_incidents().await;
    let folder = tempfile::tempdir().unwrap();
    // Aborted once it has polled, and so has its secrets in memory.
    let program = format!(
        "{pollen} local {manifests} --allow-address 127.0.0.0/8 & child=$!; \
         while ! [ -e {polled} ]; do sleep 0.05; done; kill -ABRT $child; wait $child",
        pollen = env!("CARGO_BIN_EXE_pollen"),
        manifests = world.manifests.path().display(),
        polled = folder.path().join("polled").display(),
    );
    let polled = async {
        world.until(|world| world.asked("incident") > 0).await;
        fs::write(folder.path().join("polled"), "").unwrap();
    };
    tokio::join!(run_dumping(folder.path(), &program), polled);
    assert_eq!(dumps(folder.path()), 1, "nothing but the mark of this test");
}
