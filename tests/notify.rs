//! What a service manager hears of the exporter: a unit of `Type=notify` with `WatchdogSec`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::allow_attributes,
    reason = "a test panics when it fails, and waits in real time"
)]

mod support;

use std::os::unix::net::UnixDatagram;

use support::{PATIENCE, Program, Site};

/// The next message that isn't the watchdog's.
fn heard(manager: &UnixDatagram) -> String {
    loop {
        let said = next(manager);
        if said != "WATCHDOG=1" {
            return said;
        }
    }
}

fn next(manager: &UnixDatagram) -> String {
    let mut message = [0; 512];
    let length = manager.recv(&mut message).expect("a message in time");
    String::from_utf8_lossy(&message[..length]).into_owned()
}

#[test]
fn a_service_manager_hears_ready_reloading_alive_and_stopping() {
    let site = Site::new();
    site.configure("http://127.0.0.1:9", "");
    let socket = site.path("notify");
    let manager = UnixDatagram::bind(&socket).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let arguments = site.arguments();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let socket = socket.display().to_string();
    let exporter = Program::start(
        &arguments,
        &[("NOTIFY_SOCKET", &socket), ("WATCHDOG_USEC", "400000")],
    );
    let ready = heard(&manager);
    assert!(ready.starts_with("READY=1\nSTATUS="), "{ready}");
    // Twice, so that it isn't only said at the start.
    for _ in 0..2 {
        assert_eq!(next(&manager), "WATCHDOG=1");
    }
    exporter.signal("HUP");
    let reloading = heard(&manager);
    assert!(
        reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="),
        "{reloading}"
    );
    assert!(heard(&manager).starts_with("READY=1\n"));
    site.write("config.yml", "accounts: [oops]\n");
    exporter.signal("HUP");
    assert!(heard(&manager).starts_with("RELOADING=1\n"));
    let kept = heard(&manager);
    assert!(
        kept.starts_with("READY=1\n") && kept.contains("was not read again"),
        "{kept}"
    );
    let ended = std::thread::spawn(move || exporter.terminate());
    assert!(heard(&manager).starts_with("STOPPING=1"));
    assert_eq!(ended.join().unwrap(), Some(0));
}
