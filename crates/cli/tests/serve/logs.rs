//! What it logs, and to whom.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::load::QUESTION;
use super::running::{Gateway, configured, counterfoil, get};

#[test]
fn the_log_is_json_where_that_is_asked_for() {
    let (home, file) = configured();
    let arguments = ["serve", "--config", file.to_str().unwrap(), "--log-format", "json"];
    let (_, log) = Gateway::start(counterfoil(home.path(), &arguments)).stop();
    assert!(!log.is_empty());
    for line in log.lines() {
        assert!(line.starts_with("{\"timestamp\":\"") && line.ends_with('}'), "{line}");
    }
    assert!(log.contains("\"message\":\"stopped\""), "{log}");
}

#[test]
fn a_log_that_nobody_reads_holds_up_no_decision_and_no_stop_and_says_afterwards_what_is_missing() {
    let (home, file) = configured();
    let arguments = ["serve", "--config", file.to_str().unwrap(), "--log-format", "json"];
    let (gateway, mut log) = Gateway::start_unread(counterfoil(home.path(), &arguments));
    let lost = || {
        let metrics = get(gateway.at("health"), "/metrics");
        let line = metrics.lines().find_map(|line| line.strip_prefix("counterfoil_log_lines_lost_total "));
        line.unwrap().parse::<u64>().unwrap()
    };
    assert_eq!(lost(), 0);
    let mut denied = Denied::connect(gateway.at("decision"));
    while lost() == 0 {
        denied.ask_a_thousand_times();
    }
    let (lines, missing) = (until_it_says_what_is_missing(&mut log), lost());
    assert_eq!(lines.last().copied(), Some(missing), "once it is read again, it says what was lost");
    while lost() == missing {
        denied.ask_a_thousand_times();
    }
    assert_eq!(gateway.stop().0, Some(0), "and it stops, though nobody reads");
}

/// A connection on which every question is denied, and each denial is a line in the log.
struct Denied(BufReader<TcpStream>);

impl Denied {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Self(BufReader::new(stream))
    }

    fn ask_a_thousand_times(&mut self) {
        let question = QUESTION.replace("/page", &format!("/{}", "x".repeat(190)));
        for _ in 0..100 {
            self.0.get_mut().write_all(question.repeat(10).as_bytes()).unwrap();
            for _ in 0..10 {
                self.answer();
            }
        }
    }

    fn answer(&mut self) {
        let (mut line, mut length) = (String::new(), 0);
        while line != "\r\n" {
            line.clear();
            assert_ne!(self.0.read_line(&mut line).expect("an answer, though nobody reads the log"), 0);
            if let Some(value) = line.to_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        std::io::copy(&mut (&mut self.0).take(length), &mut std::io::sink()).unwrap();
    }
}

/// Reads until the line that says how many were lost: the numbers that were said.
fn until_it_says_what_is_missing(log: &mut impl std::io::Read) -> Vec<u64> {
    let mut said = Vec::new();
    for line in BufReader::new(log).lines() {
        let line = line.unwrap();
        if line.contains("log lines were lost") {
            let lost = line.split("\"lost\":").nth(1).unwrap();
            said.push(lost.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap());
            return said;
        }
    }
    said
}
