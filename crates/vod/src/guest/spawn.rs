//! Starting children from one thread that lives as long as the process.
//!
//! The kernel sends the parent-death signal when the *thread* that forked ends, and threads of an async runtime may end
//! while their work goes on elsewhere.
#![allow(unsafe_code)]

use std::{
    io,
    sync::{
        LazyLock,
        mpsc::{Receiver, Sender, channel},
    },
};

use tokio::{
    process::{Child, Command},
    runtime::Handle,
    sync::oneshot,
};

use super::cage::Bars;

struct Birth {
    command: Command,
    runtime: Handle,
    reply: oneshot::Sender<io::Result<Child>>,
}

static NURSERY: LazyLock<io::Result<Sender<Birth>>> = LazyLock::new(|| {
    let (sender, births) = channel();
    std::thread::Builder::new().name("guest-spawner".into()).spawn(move || bear(&births))?;
    Ok(sender)
});

fn bear(births: &Receiver<Birth>) {
    while let Ok(Birth { mut command, runtime, reply }) = births.recv() {
        let _inside = runtime.enter();
        // When nobody waits any more, the child is dropped, which kills it.
        let _ = reply.send(command.spawn());
    }
}

/// Starts `command` behind `bars`.
pub(super) async fn caged(mut command: Command, bars: Bars) -> io::Result<Child> {
    // SAFETY: `enter` makes system calls only; see its module.
    unsafe { command.pre_exec(move || Err(bars.enter())) };
    let nursery = NURSERY.as_ref().map_err(|e| io::Error::new(e.kind(), e.to_string()))?;
    let (reply, born) = oneshot::channel();
    let birth = Birth { command, runtime: Handle::current(), reply };
    nursery.send(birth).map_err(|_| io::Error::other("the spawning thread is gone"))?;
    born.await.map_err(io::Error::other)?
}
