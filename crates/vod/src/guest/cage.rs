//! The cage itself: what is done between `fork` and `execve` so that a guest program can do nothing but decode and encode.
//!
//! Everything is prepared in the parent ([`Bars::build`]). The child ([`Bars::enter`]) makes system calls only: it neither
//! allocates nor takes a lock, since another thread of the parent may have held one when it forked.
#![allow(unsafe_code)]

use std::{
    collections::BTreeMap,
    ffi::{CString, OsString, c_char},
    io,
    os::{
        fd::{AsRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::{Path, PathBuf},
    ptr,
};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, Scope, path_beneath_rules,
};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};

use super::{Doors, Limits};

/// Newest Landlock interface whose rights are asked for; an older kernel gives what it has.
const NEWEST: ABI = ABI::V6;

/// Where programs and the libraries they load live. Read and execute only.
const SYSTEM: &[&str] = &["/usr/lib", "/usr/lib32", "/usr/lib64", "/lib", "/lib64", "/etc/ld.so.cache"];

/// What encoders read to learn how many threads are worth it: without it x265 makes none, and codes pictures otherwise.
const MACHINE: &[&str] = &["/sys/devices/system/node"];

/// A prepared cage for one program.
pub(super) struct Bars {
    image: Image,
    landlock: Option<OwnedFd>,
    seccomp: BpfProgram,
    rlimits: Vec<(libc::__rlimit_resource_t, u64)>,
    nice: i32,
    parent: libc::pid_t,
}

/// The program to become: pointers for `execve` and the memory they point into.
struct Image {
    path: CString,
    argv: Vec<*const c_char>,
    envp: Vec<*const c_char>,
    _args: Vec<CString>,
}

// SAFETY: the pointers lead into heap memory owned by the same struct, which nothing changes after construction.
unsafe impl Send for Image {}
// SAFETY: as above; shared access only reads.
unsafe impl Sync for Image {}

impl Bars {
    /// Prepares the cage: `program` may read `read`, read and write below `scratch`, and drive the device behind `doors`.
    pub(super) fn build(
        program: &Path,
        args: &[OsString],
        (read, scratch): (&[PathBuf], Option<&Path>),
        doors: Option<&Doors>,
        limits: &Limits,
    ) -> io::Result<Self> {
        let image = Image::new(program, args)?;
        let seccomp = seccomp(&image, doors).map_err(io::Error::other)?;
        let landlock = landlock(program, read, scratch, doors).map_err(io::Error::other)?;
        let cpu = limits.cpu.as_secs().max(1);
        // Drivers reserve more addresses than any machine has memory, and pin what the device reads.
        let (memory, files, pinned) = match doors {
            None => (libc::RLIMIT_AS, 64, 0),
            Some(_) => (libc::RLIMIT_DATA, 256, limits.memory_bytes / 8),
        };
        let rlimits = vec![
            (libc::RLIMIT_CPU, cpu),
            (memory, limits.memory_bytes),
            (libc::RLIMIT_FSIZE, limits.file_bytes),
            (libc::RLIMIT_NOFILE, files),
            (libc::RLIMIT_CORE, 0),
            (libc::RLIMIT_MEMLOCK, pinned),
            (libc::RLIMIT_MSGQUEUE, 0),
        ];
        // SAFETY: getpid has no preconditions.
        let parent = unsafe { libc::getpid() };
        Ok(Self { image, landlock, seccomp, rlimits, nice: limits.nice, parent })
    }

    /// Runs in the child after `fork`; becomes the program and only returns when that failed.
    ///
    /// # Safety
    /// Must be called in a freshly forked child, which it turns into the guest.
    pub(super) unsafe fn enter(&self) -> io::Error {
        match self.lock_up() {
            // SAFETY: both arrays end with a null pointer, and all they point to lives in `self.image`.
            Ok(()) => unsafe {
                libc::execve(self.image.path.as_ptr(), self.image.argv.as_ptr(), self.image.envp.as_ptr());
                io::Error::last_os_error()
            },
            Err(error) => error,
        }
    }

    fn lock_up(&self) -> io::Result<()> {
        // SAFETY: plain system calls with valid arguments; no memory is handed over but structs on this stack.
        unsafe {
            check(libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0))?;
            // The parent may have died before the line above took effect.
            if libc::getppid() != self.parent {
                return Err(io::Error::from_raw_os_error(libc::ESRCH));
            }
            libc::setpriority(libc::PRIO_PROCESS, 0, self.nice);
            for (resource, value) in &self.rlimits {
                let mut old = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
                check(libc::getrlimit(*resource, &mut old))?;
                let value = (*value).min(old.rlim_max);
                check(libc::setrlimit(*resource, &libc::rlimit { rlim_cur: value, rlim_max: value }))?;
            }
            // Whatever the parent had open, even what it inherited itself, ends with `execve`. Kernels before 5.11 cannot.
            libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC);
            check(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))?;
            drop_capabilities()?;
            if let Some(ruleset) = &self.landlock {
                check(libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0) as i32)?;
            }
        }
        // No allocation unless it fails.
        seccompiler::apply_filter(&self.seccomp).map_err(|_| io::Error::from_raw_os_error(libc::ENOSYS))
    }
}

impl Image {
    fn new(program: &Path, args: &[OsString]) -> io::Result<Self> {
        let path = CString::new(program.as_os_str().as_bytes())?;
        let mut owned = vec![path.clone()];
        for arg in args {
            owned.push(CString::new(arg.as_bytes())?);
        }
        let argv = owned.iter().map(|a| a.as_ptr()).chain([ptr::null()]).collect();
        Ok(Self { path, argv, envp: vec![ptr::null()], _args: owned })
    }
}

fn check(result: i32) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Gives up every capability, which root would otherwise keep. With "no new privileges" set they cannot come back.
///
/// # Safety
/// Only system calls; meant for the child.
unsafe fn drop_capabilities() -> io::Result<()> {
    #[repr(C)]
    struct Header {
        version: u32,
        pid: i32,
    }
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Data {
        effective: u32,
        permitted: u32,
        inheritable: u32,
    }
    // _LINUX_CAPABILITY_VERSION_3: two words of 32 capabilities.
    let header = Header { version: 0x2008_0522, pid: 0 };
    let none = [Data { effective: 0, permitted: 0, inheritable: 0 }; 2];
    // SAFETY: both structs have the layout that capset(2) documents and outlive the call.
    check(unsafe { libc::syscall(libc::SYS_capset, &header, none.as_ptr()) } as i32)
}

/// The rule set of files, or `None` when this kernel has no Landlock.
fn landlock(
    program: &Path,
    read: &[PathBuf],
    scratch: Option<&Path>,
    doors: Option<&Doors>,
) -> Result<Option<OwnedFd>, landlock::RulesetError> {
    let look = AccessFs::ReadFile | AccessFs::ReadDir;
    let run: BitFlags<AccessFs> = look | AccessFs::Execute;
    // Nothing is removed: what is no longer seen could still fill the disk.
    let keep = look | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::MakeReg;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rules(path_beneath_rules(SYSTEM, run))?
        .add_rules(path_beneath_rules(MACHINE, look))?
        .add_rules(path_beneath_rules([program], run))?
        .add_rules(path_beneath_rules(read, look))?;
    if let Some(scratch) = scratch {
        rules = rules.add_rules(path_beneath_rules([scratch], keep))?;
    }
    if let Some(doors) = doors {
        // Nodes that are files: there is nothing to list or to make below them.
        let drive = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::IoctlDev;
        rules = rules.add_rules(path_beneath_rules(&doors.nodes, drive))?;
        rules = rules.add_rules(path_beneath_rules(&doors.about, look))?;
    }
    Ok(rules.into())
}

/// The version of Landlock that this kernel offers; 0 for none.
pub(super) fn landlock_version() -> u32 {
    // SAFETY: with the flag LANDLOCK_CREATE_RULESET_VERSION (1) the call takes no memory.
    let version =
        unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, ptr::null::<u8>(), 0_usize, 1_u32) };
    u32::try_from(version).unwrap_or(0)
}

/// Whether this kernel filters system calls.
pub(super) fn has_seccomp() -> bool {
    // SAFETY: PR_GET_SECCOMP reads a number.
    unsafe { libc::prctl(libc::PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 }
}

/// Sends SIGKILL to a guest's process group.
pub(super) fn kill_group(pid: u32) {
    if let Ok(pid) = libc::pid_t::try_from(pid)
        && pid > 1
    {
        // SAFETY: a signal to a process group that we created and whose leader we have not reaped yet.
        unsafe { libc::kill(-pid, libc::SIGKILL) };
    }
}

/// SIGKILL to this very process.
#[cfg(debug_assertions)]
pub(super) fn kill_self() {
    // SAFETY: a signal to ourselves.
    unsafe { libc::kill(libc::getpid(), libc::SIGKILL) };
}

/// System calls that decoding and encoding files needs. All others answer ENOSYS, as if the kernel had never had them:
/// C libraries then fall back to older calls instead of failing.
#[rustfmt::skip]
const ALLOWED: &[libc::c_long] = &[
    libc::SYS_read, libc::SYS_write, libc::SYS_readv, libc::SYS_writev, libc::SYS_pread64, libc::SYS_pwrite64,
    libc::SYS_close, libc::SYS_fstat, libc::SYS_newfstatat, libc::SYS_statx, libc::SYS_statfs,
    libc::SYS_fstatfs, libc::SYS_lseek, libc::SYS_faccessat, libc::SYS_faccessat2, libc::SYS_readlinkat,
    libc::SYS_getdents64, libc::SYS_getcwd, libc::SYS_ftruncate, libc::SYS_fallocate, libc::SYS_fadvise64,
    libc::SYS_fsync, libc::SYS_fdatasync,
    libc::SYS_dup, libc::SYS_dup3, libc::SYS_fcntl, libc::SYS_pipe2, libc::SYS_eventfd2, libc::SYS_ppoll,
    libc::SYS_pselect6, libc::SYS_mmap, libc::SYS_munmap, libc::SYS_mprotect, libc::SYS_mremap, libc::SYS_madvise,
    libc::SYS_mlock, libc::SYS_munlock, libc::SYS_brk, libc::SYS_membarrier, libc::SYS_get_mempolicy,
    libc::SYS_set_mempolicy, libc::SYS_futex, libc::SYS_set_robust_list, libc::SYS_get_robust_list,
    libc::SYS_set_tid_address, libc::SYS_rseq, libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn, libc::SYS_rt_sigtimedwait, libc::SYS_sigaltstack, libc::SYS_restart_syscall,
    libc::SYS_sched_yield, libc::SYS_sched_getaffinity, libc::SYS_sched_setaffinity, libc::SYS_sched_getparam,
    libc::SYS_sched_getscheduler, libc::SYS_sched_get_priority_max, libc::SYS_sched_get_priority_min,
    libc::SYS_getpid, libc::SYS_gettid, libc::SYS_getppid, libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid,
    libc::SYS_getegid, libc::SYS_uname, libc::SYS_sysinfo, libc::SYS_getrusage, libc::SYS_times, libc::SYS_umask,
    libc::SYS_clock_gettime, libc::SYS_clock_getres, libc::SYS_clock_nanosleep, libc::SYS_nanosleep,
    libc::SYS_gettimeofday, libc::SYS_getrandom, libc::SYS_exit, libc::SYS_exit_group,
];

/// The older twins of some of the above, which newer architectures never had.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const ALLOWED_OLD: &[libc::c_long] = &[
    libc::SYS_stat, libc::SYS_lstat, libc::SYS_access, libc::SYS_readlink, libc::SYS_dup2, libc::SYS_pipe, libc::SYS_poll, libc::SYS_select,
    libc::SYS_arch_prctl, libc::SYS_time,
];
#[cfg(not(target_arch = "x86_64"))]
const ALLOWED_OLD: &[libc::c_long] = &[];

/// What drivers ask beside: where their memory lies and which processor they are on.
const ALLOWED_DRIVERS: &[libc::c_long] = &[libc::SYS_mincore, libc::SYS_getcpu];

/// An allow-list of system calls: no sockets, no new processes, no second program.
fn seccomp(image: &Image, doors: Option<&Doors>) -> Result<BpfProgram, seccompiler::BackendError> {
    use SeccompCmpArgLen::{Dword, Qword};
    use SeccompCmpOp::{Eq, MaskedEq};
    let arg = SeccompCondition::new;
    let only = |conditions| SeccompRule::new(conditions).map(|rule| vec![rule]);

    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        ALLOWED.iter().chain(ALLOWED_OLD).map(|number| (*number, Vec::new())).collect();
    if doors.is_some() {
        rules.extend(ALLOWED_DRIVERS.iter().map(|number| (*number, Vec::new())));
    }
    // Threads, but no processes. (`clone3`, whose flags a filter cannot see, is not on the list.)
    let thread = libc::CLONE_THREAD as u64;
    rules.insert(libc::SYS_clone, only(vec![arg(0, Qword, MaskedEq(thread), thread)?])?);
    // One program: the very pointers that `enter` passes, which mean nothing in the new program's memory.
    let execve = vec![
        arg(0, Qword, Eq, image.path.as_ptr() as u64)?,
        arg(1, Qword, Eq, image.argv.as_ptr() as u64)?,
        arg(2, Qword, Eq, image.envp.as_ptr() as u64)?,
    ];
    rules.insert(libc::SYS_execve, only(execve)?);
    // Limits may be read, not set.
    rules.insert(libc::SYS_prlimit64, only(vec![arg(2, Qword, Eq, 0)?])?);
    rules.insert(libc::SYS_prctl, only(vec![arg(0, Dword, Eq, libc::PR_SET_NAME as u64)?])?);
    // "Is this a terminal?" and "how many bytes wait?", nothing else of a device.
    let ioctls = [libc::TCGETS, libc::TIOCGWINSZ, libc::FIONREAD];
    let ioctls: Result<Vec<_>, seccompiler::BackendError> =
        ioctls.iter().map(|request| SeccompRule::new(vec![arg(1, Dword, Eq, *request)?])).collect();
    let mut ioctls = ioctls?;
    match doors.map(|doors| doors.requests) {
        None => {}
        Some(Some(family)) => {
            // Requests carry their driver's letter in the second byte.
            let letter = u64::from(family) << 8;
            ioctls.push(SeccompRule::new(vec![arg(1, Dword, MaskedEq(0xff00), letter)?])?);
        }
        // No rule at all lets every request pass; Landlock still says to which files.
        Some(None) => ioctls.clear(),
    }
    rules.insert(libc::SYS_ioctl, ioctls);
    // No files without a name, which take room that nobody sees.
    let named = libc::O_TMPFILE as u64 & !(libc::O_DIRECTORY as u64);
    rules.insert(libc::SYS_openat, only(vec![arg(2, Dword, MaskedEq(named), 0)?])?);
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_open, only(vec![arg(1, Dword, MaskedEq(named), 0)?])?);
    // No signals, not even to itself: a filter cannot tell whom they go to. abort() ends in an illegal instruction instead.

    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let refuse = SeccompAction::Errno(libc::ENOSYS as u32);
    SeccompFilter::new(rules, refuse, SeccompAction::Allow, arch)?.try_into()
}
