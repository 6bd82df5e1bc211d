//! The tables of `docs/audit.md` are those of the code; `COUNTERFOIL_WRITE_DOCS=1` writes them.

use std::fmt::Write as _;
use std::path::Path;

use counterfoil_audit::command::Group;
use counterfoil_audit::rule;

#[test]
fn documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let fresh = format!("{before}{BEGIN}\n{}{END}{after}", rules());
    if std::env::var_os("COUNTERFOIL_WRITE_DOCS").is_some() {
        std::fs::write(&path, fresh).unwrap();
    } else {
        assert!(text == fresh, "docs/audit.md is stale: run this test with COUNTERFOIL_WRITE_DOCS=1");
    }
}

fn rules() -> String {
    let mut out = String::new();
    for group in Group::ALL {
        let rules: Vec<_> = rule::ALL.iter().filter(|rule| rule.group == group).collect();
        if rules.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n**{group}** (`--only {}`)\n", group.word());
        let _ = writeln!(out, "| rule | severity | what is wrong | WSTG | ASVS 5 | CWE |\n|---|---|---|---|---|---|");
        for rule in rules {
            let cwe = format!("[{0}](https://cwe.mitre.org/data/definitions/{0}.html)", rule.cwe);
            let wstg = rule.wstg.trim_start_matches("WSTG-");
            let (id, severity, title, asvs) = (rule.id, rule.severity, rule.title, rule.asvs);
            let _ = writeln!(out, "| `{id}` | {severity} | {title} | {wstg} | {asvs} | {cwe} |");
        }
    }
    out.push('\n');
    out
}

const BEGIN: &str = "<!-- rules: written by `cargo nextest run -p counterfoil-audit documented` -->";
const END: &str = "<!-- end of rules -->";
