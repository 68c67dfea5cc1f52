//! A PostgreSQL of the tests' own: on loopback, in a folder of its own, not as root.
#![allow(dead_code, reason = "shared by tests that each use a part")]

use std::fs;
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{PATIENCE, free_port};

/// `nobody`: a server refuses to run as root.
const NOBODY: u32 = 65_534;

/// A server that ends with the test.
pub struct Postgres {
    folder: tempfile::TempDir,
    programs: PathBuf,
    pub port: u16,
    server: Option<Child>,
}

impl Postgres {
    /// [`None`] where there is no PostgreSQL, which in CI is a failure.
    pub fn start() -> Option<Self> {
        let Some(programs) = programs() else {
            let required = std::env::var_os("REQUIRE_OUTSIDE_COMPONENTS").is_some();
            assert!(!required, "PostgreSQL is missing; apt-get install postgresql");
            eprintln!("skipped: PostgreSQL is missing; apt-get install postgresql");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut postgres = Self {
            folder,
            programs,
            port: free_port(),
            server: None,
        };
        let data = postgres.data();
        let made = postgres
            .program("initdb")
            .args([
                "--username=kb4",
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "-D",
                &data,
            ])
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        postgres.up();
        postgres.sql("postgres", "CREATE DATABASE kb4");
        Some(postgres)
    }

    /// A copy that follows this one; from now on nothing is committed that the copy doesn't have.
    pub fn standby(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut standby = Self {
            folder,
            programs: self.programs.clone(),
            port: free_port(),
            server: None,
        };
        let copied = standby
            .program("pg_basebackup")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "kb4"])
            .args(["--checkpoint=fast", "--no-sync", "--write-recovery-conf"])
            .args(["-D", &standby.data()])
            .output()
            .unwrap();
        assert!(copied.status.success(), "{copied:?}");
        standby.up();
        self.ask("ALTER SYSTEM SET synchronous_standby_names = '*'");
        self.ask("SELECT pg_reload_conf()");
        standby
    }

    /// A copy follows nobody any more.
    pub fn promote(&self) {
        self.ask("ALTER SYSTEM SET synchronous_standby_names = ''");
        assert_eq!(self.ask("SELECT pg_promote()"), ["t"]);
        self.ask("SELECT pg_reload_conf()");
    }

    fn data(&self) -> String {
        self.folder.path().join("data").display().to_string()
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Starts the server, and waits until it answers.
    pub fn up(&mut self) {
        let log = fs::File::create(self.folder.path().join("log")).unwrap();
        let server = self
            .program("postgres")
            .args(["-D", &self.data(), "-p", &self.port.to_string()])
            .args([
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "unix_socket_directories=",
                "-c",
                "fsync=off",
            ])
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        self.server = Some(server);
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ready = TcpStream::connect(("127.0.0.1", self.port)).is_ok()
                && self.query("postgres", "SELECT 1").is_ok();
            if ready {
                return;
            }
            let log = || fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "PostgreSQL never answered:\n{}", log());
            sleep(Duration::from_millis(50));
        }
    }

    /// Has the server speak TLS with this certificate and key, and refuse everything else.
    pub fn speak_tls(&mut self, certificate: &Path, key: &Path) {
        self.down();
        let data = PathBuf::from(self.data());
        for (from, name) in [(certificate, "server.crt"), (key, "server.key")] {
            let to = data.join(name);
            fs::copy(from, &to).unwrap();
            fs::set_permissions(&to, fs::Permissions::from_mode(0o600)).unwrap();
            if is_root() {
                chown(&to, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let mut settings = fs::read_to_string(data.join("postgresql.conf")).unwrap();
        settings += "\nssl = on\n";
        fs::write(data.join("postgresql.conf"), settings).unwrap();
        fs::write(data.join("pg_hba.conf"), "hostssl all all 127.0.0.1/32 trust\n").unwrap();
        self.up();
    }

    /// As a power failure does.
    pub fn down(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = Command::new("kill")
                .args(["-QUIT", &server.id().to_string()])
                .status();
            let _ = server.wait();
        }
    }

    /// Of user `kb4`, who may do everything.
    pub fn url(&self) -> String {
        self.url_of("kb4")
    }

    pub fn url_of(&self, user: &str) -> String {
        format!("postgresql://{user}@127.0.0.1:{}/kb4", self.port)
    }

    /// What a statement answers, a line a row.
    pub fn ask(&self, sql: &str) -> Vec<String> {
        let answer = self.query("kb4", sql).unwrap();
        answer.lines().map(str::to_owned).collect()
    }

    fn sql(&self, database: &str, sql: &str) {
        self.query(database, sql).unwrap();
    }

    fn query(&self, database: &str, sql: &str) -> Result<String, String> {
        let output = Command::new(self.programs.join("psql"))
            .args([
                "-X",
                "-h",
                "127.0.0.1",
                "-p",
                &self.port.to_string(),
                "-U",
                "kb4",
                "-d",
                database,
            ])
            .args(["-v", "ON_ERROR_STOP=1", "-Atc", sql])
            .output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.down();
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Debian keeps them by version.
fn programs() -> Option<PathBuf> {
    let versions = fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<_> = versions
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    found.retain(|bin: &PathBuf| Path::new(bin).join("initdb").is_file());
    found.sort();
    found.pop()
}
