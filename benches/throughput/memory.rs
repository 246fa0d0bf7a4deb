//! What a page costs in memory, beside its bytes, in a process that does nothing else.

use std::{
    fs,
    net::SocketAddr,
    process::{Command, Stdio},
};

use crate::{
    Result,
    edges::Acknowledging,
    one_thread,
    pollen::{Poller, PollerSettings, callback},
    provider::{Framing, Provider},
    receiver::Receiver,
    table::Table,
};

/// The argument that makes of this program the client whose memory is measured.
pub(crate) const CLIENT: &str = "memory-client";

const MIB: f64 = 1_048_576.0;

/// Measures and prints, where the system tells a process's memory.
pub(crate) fn run() -> Result<()> {
    if peak().is_err() {
        println!("memory: not measured on this system\n");
        return Ok(());
    }
    println!("memory: peak of resident bytes above those at rest, in MiB");
    println!(
        "{:36}{:>12}{:>18}{:>18}",
        "", "the page", "read and dropped", "delivered"
    );
    for (framing, framed) in [
        (Framing::Length, "length told"),
        (Framing::Chunks, "in chunks"),
    ] {
        let name = |what: &str| format!("{what}, {framed}");
        let long = Table::new(1, &"note ".repeat(1_000_000));
        page(
            &name("10000 records of 1 KB"),
            Table::new(10_000, ""),
            framing,
        )?;
        page(&name("1 record of 5 MB"), long, framing)?;
    }
    println!();
    Ok(())
}

/// One line: the client reads the table as one page.
fn page(name: &str, table: Table, framing: Framing) -> Result<()> {
    let (records, page) = (table.len(), table.page(0, table.len()).len());
    let (provider, receiver) = (Provider::start(table, framing)?, Receiver::start()?);
    let client = Command::new(std::env::current_exe()?)
        .arg(CLIENT)
        .args([
            provider.address().to_string(),
            receiver.address().to_string(),
        ])
        .arg(records.to_string())
        .stderr(Stdio::inherit())
        .output()?;
    if !client.status.success() {
        return Err(format!("the client of {name} ended with {}", client.status).into());
    }
    let peaks: Vec<f64> = String::from_utf8(client.stdout)?
        .split_whitespace()
        .map(str::parse)
        .collect::<std::result::Result<_, _>>()?;
    let page = page as f64;
    print!("{name:36}{:12.1}", page / MIB);
    for peak in peaks {
        print!(
            "{:>18}",
            format!("{:.1} ({:.2} ×)", peak / MIB, peak / page)
        );
    }
    println!();
    Ok(())
}

/// The client: one page read and dropped, then delivered; prints both peaks.
pub(crate) fn client(mut arguments: impl Iterator<Item = String>) -> Result<()> {
    let mut next = || arguments.next().ok_or("an argument is missing");
    let (provider, receiver): (SocketAddr, SocketAddr) = (next()?.parse()?, next()?.parse()?);
    let settings = PollerSettings::of_pages(next()?.parse()?);
    one_thread()?.block_on(async {
        let poller = Poller::new(provider, &settings)?;
        let callback = callback(receiver)?;
        let rest = peak()?;
        let begun = poller.start().await?;
        let (_, settled) = poller.poll(&begun, &Acknowledging).await?;
        clear_peak()?;
        poller.poll(&settled, &Acknowledging).await?;
        let dropped = peak()?.saturating_sub(rest);
        clear_peak()?;
        poller.poll(&begun, &callback).await?;
        println!("{dropped} {}", peak()?.saturating_sub(rest));
        Ok(())
    })
}

/// The most bytes that were resident since the start or the last [`clear_peak`].
fn peak() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes: u64 = line
        .and_then(|line| line.trim().strip_suffix("kB"))
        .ok_or("no VmHWM in /proc/self/status")?
        .trim()
        .parse()?;
    Ok(kilobytes * 1_024)
}

fn clear_peak() -> Result<()> {
    Ok(fs::write("/proc/self/clear_refs", "5")?)
}
