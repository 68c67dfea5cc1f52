//! What answers in the API's place isn't the API.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::support::{Program, Samples, Site, simulate};

/// In front of the simulator: refuses everything with an answer of its own, or lets through.
struct Gateway {
    address: SocketAddr,
    refusal: Arc<Mutex<Option<&'static str>>>,
}

const HTML: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 41\r\nConnection: close\r\n\r\n<html><body>Request blocked</body></html>";
const EMPTY: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
/// As the API says it, of an account that has the API switched off.
const OWN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\nContent-Length: 21\r\nConnection: close\r\n\r\n{\"error\":\"Forbidden\"}";

impl Gateway {
    fn new(simulator: SocketAddr, refusal: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let refusal = Arc::new(Mutex::new(Some(refusal)));
        let state = Arc::clone(&refusal);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let refusal = *state.lock().unwrap();
                thread::spawn(move || answer(client, simulator, refusal));
            }
        });
        Self { address, refusal }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn open(&self) {
        *self.refusal.lock().unwrap() = None;
    }
}

/// One request a connection: the exporter is told to close it.
fn answer(mut client: TcpStream, simulator: SocketAddr, refusal: Option<&str>) {
    let mut request = Vec::new();
    let mut bytes = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        match client.read(&mut bytes) {
            Ok(read) if read > 0 => request.extend_from_slice(&bytes[..read]),
            _ => return,
        }
    }
    let answer = match refusal {
        Some(refusal) => refusal.as_bytes().to_vec(),
        None => {
            let head = String::from_utf8(request).unwrap();
            let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
            let mut upstream = TcpStream::connect(simulator).unwrap();
            upstream.write_all(head.as_bytes()).unwrap();
            let mut answer = Vec::new();
            upstream.read_to_end(&mut answer).unwrap();
            answer
        }
    };
    let _ = client.write_all(&answer);
}

const NEXT: &str = "knowbe4_exporter_collector_next_run_timestamp_seconds";

/// All enabled collectors have failed, and are asked again within minutes.
fn refused(exporter: &mut Program) {
    let samples = exporter.until("all have failed", |samples: &Samples| {
        let failed = samples.of("knowbe4_exporter_collector_success", &[]);
        failed.len() >= 9 && failed.iter().all(|value| *value == 0.0)
    });
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64();
    for next in samples.of(NEXT, &[]) {
        assert!(next - now < 180.0, "asked again in {} s only", next - now);
    }
    exporter.until_logged("it is asked again in");
}

#[test]
fn a_gateways_refusal_is_not_the_apis() {
    for refusal in [HTML, EMPTY] {
        let simulator = simulate(&[]);
        let gateway = Gateway::new(simulator.address, refusal);
        let site = Site::new();
        site.configure(&gateway.url(), "");
        let mut exporter = site.serve();
        refused(&mut exporter);
        exporter.until_logged("not in the API's form");
        gateway.open();
        exporter.signal("HUP");
        exporter.until_complete();
    }
}

#[test]
fn who_switches_the_api_on_later_needs_no_day() {
    let simulator = simulate(&[]);
    let gateway = Gateway::new(simulator.address, OWN);
    let site = Site::new();
    site.configure(&gateway.url(), "");
    let mut exporter = site.serve();
    refused(&mut exporter);
    assert_eq!(exporter.terminate(), Some(0));
    gateway.open();
    let mut exporter = site.serve();
    exporter.until_complete();
}

#[test]
fn what_one_endpoint_refuses_waits_a_day_until_somebody_asks() {
    let simulator = simulate(&["--fault=403:endpoint=training/policies"]);
    let site = Site::new();
    site.configure(&simulator.url(), "");
    let mut exporter = site.serve();
    let policies = ["collector=\"policies\""];
    exporter.until("policies are unavailable", |samples| {
        samples.get("knowbe4_exporter_collector_success", &policies) == Some(0.0)
            && samples.sum("knowbe4_exporter_collector_success", &[]) >= 8.0
    });
    let asked = || {
        let asked = super::support::asked(&simulator);
        asked.iter().filter(|(path, _)| path.contains("policies")).count()
    };
    let view = exporter.get("/api/v1/status").json();
    assert!(view.to_string().contains("\"unavailable\""), "{view}");
    let before = asked();
    exporter.signal("HUP");
    exporter.until("it is asked once more", |_| asked() == before + 1);
    assert_eq!(exporter.terminate(), Some(0));
    let mut exporter = site.serve();
    exporter.until("a restart asks once more", |_| asked() == before + 2);
}
