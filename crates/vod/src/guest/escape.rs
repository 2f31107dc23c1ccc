//! A program in the cage that tries everything it can to get out of it, and what it may use up.

use std::{
    os::{linux::net::SocketAddrExt, unix::net::UnixListener},
    path::Path,
    time::Duration,
};

use super::*;

const ATTEMPTS: &str = include_str!("escape.py");

/// System calls that no decoder needs, by name and number.
macro_rules! calls {
    ($($name:ident),+ $(,)?) => {[$((stringify!($name).trim_start_matches("SYS_"), libc::$name)),+]};
}

fn python(dir: &Path, limits: Limits, code: &str) -> Guest {
    Guest::new(Path::new("python3"), limits).args(["-I", "-S", "-B", "-c", code]).scratch(dir)
}

fn limits() -> Limits {
    Limits { cpu: Duration::from_secs(20), wall: Duration::from_secs(60), ..Limits::default() }
}

#[tokio::test]
async fn nothing_leads_out() {
    assert!(capabilities().landlock > 0 && capabilities().seccomp, "this test needs a kernel that can cage");
    let house = tempfile::tempdir().unwrap();
    let (own, other) = (house.path().join("own"), house.path().join("other"));
    std::fs::create_dir(&own).unwrap();
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("secret"), "xyzzy").unwrap();
    let readable = house.path().join("source");
    std::fs::write(&readable, "a film").unwrap();
    let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    tcp.set_nonblocking(true).unwrap();
    let name = format!("kinora-{}", uuid::Uuid::now_v7());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let unix = UnixListener::bind_addr(&address).unwrap();
    unix.set_nonblocking(true).unwrap();

    let calls = calls![
        SYS_ptrace,
        SYS_process_vm_readv,
        SYS_process_vm_writev,
        SYS_pidfd_open,
        SYS_pidfd_getfd,
        SYS_pidfd_send_signal,
        SYS_io_uring_setup,
        SYS_io_uring_enter,
        SYS_userfaultfd,
        SYS_memfd_create,
        SYS_bpf,
        SYS_perf_event_open,
        SYS_unshare,
        SYS_setns,
        SYS_mount,
        SYS_umount2,
        SYS_pivot_root,
        SYS_chroot,
        SYS_open_by_handle_at,
        SYS_name_to_handle_at,
        SYS_openat2,
        SYS_keyctl,
        SYS_add_key,
        SYS_request_key,
        SYS_init_module,
        SYS_finit_module,
        SYS_delete_module,
        SYS_kexec_load,
        SYS_reboot,
        SYS_syslog,
        SYS_swapon,
        SYS_acct,
        SYS_quotactl,
        SYS_personality,
        SYS_seccomp,
        SYS_landlock_create_ruleset,
        SYS_capset,
        SYS_clone3,
        SYS_execveat,
        SYS_tgkill,
        SYS_tkill,
        SYS_kill,
        SYS_rt_sigqueueinfo,
        SYS_rt_tgsigqueueinfo,
        SYS_socketpair,
        SYS_sendmsg,
        SYS_sendto,
        SYS_recvmsg,
        SYS_bind,
        SYS_shmget,
        SYS_shmat,
        SYS_msgget,
        SYS_semget,
        SYS_mq_open,
        SYS_settimeofday,
        SYS_clock_settime,
        SYS_adjtimex,
        SYS_sethostname,
        SYS_setrlimit,
        SYS_ioprio_set,
        SYS_splice,
        SYS_vmsplice,
        SYS_copy_file_range,
        SYS_sendfile,
        SYS_fanotify_init,
        SYS_inotify_init1,
        SYS_signalfd4,
        SYS_timer_create,
        SYS_chdir,
        SYS_fchdir,
        SYS_linkat,
        SYS_symlinkat,
        SYS_renameat2,
        SYS_unlinkat,
        SYS_mkdirat,
        SYS_fchmodat,
        SYS_fchownat,
        SYS_utimensat,
        SYS_setresuid,
        SYS_setgid,
        SYS_setfsuid,
        SYS_move_pages,
        SYS_migrate_pages,
        SYS_kcmp,
    ];
    let guest = python(&own, limits(), ATTEMPTS)
        .args([other.as_os_str(), readable.as_os_str()])
        .args([tcp.local_addr().unwrap().port().to_string(), name])
        .args(calls.iter().map(|(name, number)| format!("{name}={number}")))
        .reads(&readable);
    let told = guest.output(1 << 20).await.unwrap();
    let told = String::from_utf8_lossy(&told);
    let wrong: Vec<&str> = told.lines().filter(|line| !line.ends_with(" refused")).collect();
    assert_eq!(wrong, [""; 0]);
    assert!(told.lines().count() > 150, "only {} attempts were made:\n{told}", told.lines().count());

    assert!(tcp.accept().is_err() && unix.accept().is_err(), "somebody called");
    assert_eq!(std::fs::read_to_string(other.join("secret")).unwrap(), "xyzzy");
    assert_eq!(std::fs::read_dir(&other).unwrap().count(), 1);
    assert_eq!(std::fs::read_to_string(&readable).unwrap(), "a film");
}

#[tokio::test]
async fn it_may_read_its_source_and_work_in_its_directory() {
    let house = tempfile::tempdir().unwrap();
    let (own, readable) = (house.path().join("own"), house.path().join("source"));
    std::fs::create_dir(&own).unwrap();
    std::fs::write(&readable, "a film").unwrap();
    let code = "import sys; open('out', 'w').write(open(sys.argv[1]).read()); print(open('out').read())";
    let told =
        python(&own, limits(), code).args([readable.as_os_str()]).reads(&readable).output(100).await.unwrap();
    assert_eq!(&told[..], b"a film\n");
}

/// What a request to a device is answered: 25 (ENOTTY) by one that does not know it, 13 (EACCES) or 38 (ENOSYS) by the cage.
const ASK: &str = "
import fcntl, os, sys
for path, request in zip(sys.argv[1::2], sys.argv[2::2]):
    try:
        fd = os.open(path, os.O_RDWR)
    except OSError as error:
        print(path, 'open', error.errno)
        continue
    try:
        print(path, request, fcntl.ioctl(fd, int(request, 0)))
    except OSError as error:
        print(path, request, error.errno)
";

#[tokio::test]
async fn a_device_is_reached_by_those_who_drive_it_alone() {
    // These two stand for devices: every machine has them, and neither knows a request.
    let ask = ["/dev/null", "0x6401", "/dev/null", "0x4601", "/dev/zero", "0x6401"];
    let told = async |doors: Option<Doors>| {
        let dir = tempfile::tempdir().unwrap();
        let guest = python(dir.path(), limits(), ASK).args(ask);
        let guest = doors.into_iter().fold(guest, Guest::drives);
        String::from_utf8(guest.output(1000).await.unwrap().to_vec()).unwrap()
    };
    let refused = "/dev/null open 13\n/dev/null open 13\n/dev/zero open 13\n";
    assert_eq!(told(None).await, refused, "whoever only decodes reaches no device");
    let null = |requests| Doors { nodes: vec!["/dev/null".into()], about: Vec::new(), requests };
    let one = told(Some(null(Some(b'd')))).await;
    assert_eq!(one, "/dev/null 0x6401 25\n/dev/null 0x4601 38\n/dev/zero open 13\n");
    let any = told(Some(null(None))).await;
    assert_eq!(any, "/dev/null 0x6401 25\n/dev/null 0x4601 25\n/dev/zero open 13\n");
    let absent = Doors { nodes: vec!["/dev/no-such-device".into()], ..Doors::default() };
    assert_eq!(told(Some(absent)).await, refused, "a device that is not there opens no door");
}

#[tokio::test]
async fn memory_ends() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { memory_bytes: 512 << 20, ..limits() };
    let code = "kept = []\nwhile True: kept.append(bytearray(16 << 20))";
    let error = python(dir.path(), limits, code).output(100).await.unwrap_err();
    assert!(error.to_string().contains("MemoryError"), "{error}");
}

#[tokio::test]
async fn no_disk_is_filled_by_one_file_or_by_many() {
    let dir = tempfile::tempdir().unwrap();
    let one = Limits { file_bytes: 1 << 20, ..limits() };
    let code = "import signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_DFL)\nout = open('out', 'wb')\nwhile True: out.write(bytes(1 << 16))";
    let error = python(dir.path(), one, code).output(100).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge), "{error:?}");
    assert!(dir.path().join("out").metadata().unwrap().len() <= 1 << 20);

    let many = Limits { file_bytes: 1 << 20, scratch_bytes: 8 << 20, ..limits() };
    let code =
        "import time\nfor n in range(100000): open(str(n), 'wb').write(bytes(1 << 20)); time.sleep(0.02)";
    let error = python(dir.path(), many, code).output(100).await.unwrap_err();
    assert!(matches!(error, Error::TooLarge), "{error:?}");
    let taken: u64 =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert!(taken < 256 << 20, "{taken} bytes");
}

#[tokio::test]
async fn complaints_without_end_are_let_go() {
    let dir = tempfile::tempdir().unwrap();
    let code = "import sys\nfor n in range(3000): sys.stderr.write('x' * 9999 + '\\n')\nsys.exit(1)";
    let error = python(dir.path(), limits(), code).output(100).await.unwrap_err();
    assert!(error.to_string().len() <= 2 * STDERR_KEPT, "{} bytes", error.to_string().len());
}

#[tokio::test]
async fn sleeping_does_not_help() {
    let dir = tempfile::tempdir().unwrap();
    let limits = Limits { wall: Duration::from_millis(700), ..limits() };
    let code = "import time\ntime.sleep(1000)";
    let error = python(dir.path(), limits, code).output(100).await.unwrap_err();
    assert!(matches!(error, Error::TooSlow(_)), "{error:?}");
}
